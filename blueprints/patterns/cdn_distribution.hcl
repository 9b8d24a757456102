pattern "cdn_distribution" {
  title       = "CDN distribution"
  summary     = "Copies of the files near the people who want them, in a network that spans the world."
  attaches    = [site]
  quality     = 9
  difficulty  = 4
  performance = "Very High"
  when = [
    "Users are all over the world",
    "Much of the content is the same for everybody: pictures, styles, scripts",
    "Pages have to appear at once",
    "Large files are downloaded often",
  ]
  suits = ["reads", "worldwide"]

  # The pattern document's tables; coarse heuristics, not measurements.
  metrics {
    latency    = "<10ms"
    throughput = ">10k RPS"
  }

  input "domain" {
    type     = string
    default  = site.domain
    nullable = true
    matches  = "(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\\.)+[a-z]{2,63}"
    hint     = "a domain name in lower case, such as assets.example.com"
    summary  = "The public DNS name. Without one the network gives a name of its own."
  }
  input "browser_ttl" {
    type    = duration
    default = "60s"
    range   = ["0s", "365d"]
    summary = "How long a browser keeps a page. It cannot be told to forget it."
  }
  input "edge_ttl" {
    type    = duration
    default = "5m"
    range   = ["0s", "365d"]
    summary = "How long the network keeps a page whose origin says nothing."
  }
  input "edge_max_ttl" {
    type    = duration
    default = max(self.edge_ttl, 86400)
    range   = ["0s", "365d"]
    summary = "How long it keeps a page at most, whatever the origin says."
  }
  input "assets_ttl" {
    type    = duration
    default = "365d"
    range   = ["0s", "365d"]
    summary = "How long files are kept, by browsers too, whose names carry a hash of their content."
  }
  input "error_ttl" {
    type = duration
    # The most that Cloud CDN keeps an error: 1800 s.
    default = "10s"
    range   = ["0s", "30m"]
    summary = "How long the network remembers that something was not there."
  }
  input "stale_while_revalidate" {
    type    = duration
    default = "30s"
    range   = ["0s", "7d"]
    summary = "How long an old copy is sent while a new one is fetched."
  }
  input "stale_if_error" {
    type    = duration
    default = "1d"
    range   = ["0s", "7d"]
    summary = "How long an old copy is sent while the origin fails."
  }
  input "key_query" {
    type     = list(string)
    distinct = true
    default  = ["v"]
    length   = [0, 10]
    matches  = "[A-Za-z0-9_.-]{1,64}"
    hint     = "names of query parameters"
    summary  = "Query parameters that make another file. All others are ignored, so that nobody can fill the cache with copies."
  }
  input "key_headers" {
    type     = list(string)
    distinct = true
    default  = []
    length   = [0, 10]
    matches  = "[A-Za-z0-9-]{1,64}"
    hint     = "names of headers"
    summary  = "Headers that make another file, such as Accept-Language."
  }
  input "invalidate" {
    type    = string
    default = "changed"
    one_of  = ["changed", "manual"]
    summary = "changed: a file that is overwritten is thrown out of the network, unless its name carries a hash."
  }
  input "compress" {
    type    = bool
    default = true
    summary = "Whether texts are compressed."
  }
  input "audience" {
    type    = string
    default = "americas-europe"
    one_of  = ["americas-europe", "most", "world"]
    summary = "Where the copies lie, where the target lets you choose. Fewer places cost less; everybody is served all the same."
  }
  input "shield" {
    type    = bool
    default = true
    summary = "Whether one place asks the origin on behalf of all others."
  }
  input "min_tls" {
    type    = string
    default = "1.2"
    one_of  = ["1.2", "1.3"]
    summary = "The oldest TLS version that is spoken."
  }
  input "hsts" {
    type    = duration
    default = "365d"
    range   = ["0s", "730d"]
    summary = "How long browsers remember to come with TLS only. 0 to not tell them."
  }
  input "firewall" {
    type    = bool
    default = false
    summary = "Whether requests are inspected for attacks. It costs for every million of them."
  }
  input "min_hit_ratio" {
    type    = percent
    default = 80
    summary = "Share of requests that the network should answer by itself; below it is told."
  }
  input "max_errors" {
    type    = percent
    default = 1
    range   = [0.01, 100]
    summary = "Share of failed requests from which it is told."
  }
  input "max_origin_latency" {
    type    = duration
    default = "500ms"
    range   = ["1ms", "1m"]
    summary = "How slow the origin may be before it is told."
  }
  input "max_bytes" {
    type    = bytes
    default = "1TiB"
    range   = ["1GiB", "1024TiB"]
    summary = "What may be sent in a day before it is told: traffic is what a network costs."
  }
  input "monthly_budget" {
    type     = number
    nullable = true
    range    = [1, 100000000]
    summary  = "What it may cost in a month, in the account's currency. A forecast above it warns."
  }
  input "log_days" {
    type    = number
    default = 90
    range   = [1, 3650]
    summary = "For how many days logs are kept."
  }

  derived "page_cache_control" {
    value   = "public, max-age=${self.browser_ttl}, s-maxage=${self.edge_ttl}, stale-while-revalidate=${self.stale_while_revalidate}, stale-if-error=${self.stale_if_error}"
    summary = "The Cache-Control header of pages."
  }
  derived "assets_cache_control" {
    value   = "public, max-age=${self.assets_ttl}, immutable"
    summary = "The Cache-Control header of files whose names carry a hash."
  }

  point "cache_headers" { summary = "Pages live for a minute, hashed files for a year, and what makes a copy is listed." }
  point "invalidation" { summary = "Only what keeps its name when it changes has to be thrown out." }
  point "hit_ratio" { summary = "How much the network answers by itself is measured, and where." }
  point "bandwidth" { summary = "Compression, places and a limit on what is sent keep the costs in sight." }
  point "tls" { summary = "TLS has a version and a certificate, towards browsers and the origin alike." }

  # CDN-001, CACHE-001
  check "ttl_ladder" {
    condition = self.browser_ttl <= self.edge_ttl && self.edge_ttl <= self.edge_max_ttl
    message   = "Browsers keep a page for ${span(self.browser_ttl)}, the network for ${span(self.edge_ttl)}, at most ${span(self.edge_max_ttl)}: a browser cannot be told to forget, so it must not keep longer than what can."
    fix       = "Order them: browser_ttl, edge_ttl, edge_max_ttl."
    at        = self.browser_ttl
    related   = [self.edge_ttl, self.edge_max_ttl]
  }
  check "assets_live_longer" {
    condition = self.assets_ttl >= self.edge_ttl
    message   = "Hashed files never change, and yet they are forgotten (${span(self.assets_ttl)}) before pages that do (${span(self.edge_ttl)})."
    fix       = "Raise assets_ttl."
    at        = self.assets_ttl
    related   = [self.edge_ttl]
    severity  = "warning"
  }
  check "key_without_cookies" {
    condition = !contains([for h in self.key_headers : lower(h)], "cookie") && !contains([for h in self.key_headers : lower(h)], "authorization") && !contains([for h in self.key_headers : lower(h)], "user-agent")
    message   = "Cookie, Authorization and User-Agent are different for nearly everybody: with one of them in the key hardly any copy is used twice."
    fix       = "Take it out of key_headers; what differs by person is not a matter for a cache."
    at        = self.key_headers
  }
  check "hsts_needs_domain" {
    condition = self.hsts == 0 || self.hsts >= 86400
    message   = "Browsers forget to come with TLS after ${span(self.hsts)}: then it protects nobody."
    fix       = "Set a year, or 0s."
    at        = self.hsts
  }
}
