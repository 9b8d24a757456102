pattern "multi_layer_caching" {
  title       = "Multi-layer caching"
  summary     = "Browser, edge, program and database each keep copies; lifetimes fit together, and a change goes through all of them in order."
  attaches    = [service]
  quality     = 9
  difficulty  = 7
  performance = "Very High"
  when = [
    "Data is of different kinds: some changes by the second, some never",
    "Users are all over the world",
    "As much speed is wanted as can be had",
    "It is read in many different ways",
  ]
  suits = ["reads", "worldwide"]

  # The pattern document's tables; coarse heuristics, not measurements.
  metrics {
    latency    = "<100ms"
    throughput = ">10k RPS"
  }

  input "domain" {
    type     = string
    default  = service.hostname
    nullable = true
    matches  = "(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\\.)+[a-z]{2,63}"
    hint     = "a domain name in lower case, such as shop.example.com"
    summary  = "The public DNS name of the edge. Without one the edge gives a name of its own."
  }
  input "paths" {
    type     = list(string)
    distinct = true
    default  = ["/*"]
    length   = [1, 20]
    matches  = "/[A-Za-z0-9._~/*-]{0,127}"
    hint     = "paths that start with /, such as /api/*"
    summary  = "Paths whose answers may be kept."
  }
  input "private_paths" {
    type     = list(string)
    distinct = true
    default  = ["/account/*", "/cart/*", "/checkout/*"]
    length   = [0, 20]
    matches  = "/[A-Za-z0-9._~/*-]{0,127}"
    hint     = "paths that start with /, such as /account/*"
    summary  = "Paths whose answers belong to one person. They are kept nowhere."
  }
  input "browser_ttl" {
    type    = duration
    default = min(60, self.max_staleness)
    range   = ["0s", "365d"]
    summary = "How long a browser keeps an answer. It cannot be told to forget it."
  }
  input "local_ttl" {
    type    = duration
    default = "5s"
    range   = ["0s", "1h"]
    summary = "How long the program keeps a value in its own memory."
  }
  input "edge_ttl" {
    type    = duration
    default = max(self.browser_ttl, min(300, self.max_staleness))
    range   = ["0s", "365d"]
    summary = "How long the edge keeps an answer that nobody has thrown out."
  }
  input "edge_max_ttl" {
    type    = duration
    default = max(3600, self.edge_ttl)
    range   = ["0s", "365d"]
    summary = "How long the edge keeps it at most, whatever the program says."
  }
  input "cache_ttl" {
    type    = duration
    default = max(900, self.edge_ttl)
    range   = ["1s", "30d"]
    summary = "How long the cache keeps a value that nobody has thrown out."
  }
  input "max_staleness" {
    type    = duration
    default = "5m"
    range   = ["0s", "30d"]
    summary = "How old an answer may be that a user gets, should throwing out fail."
  }
  input "stale_while_revalidate" {
    type    = duration
    default = "30s"
    range   = ["0s", "7d"]
    summary = "How long an old answer is sent while a new one is fetched."
  }
  input "stale_if_error" {
    type    = duration
    default = "10m"
    range   = ["0s", "7d"]
    summary = "How long an old answer is sent while the program fails."
  }
  input "vary" {
    type     = list(string)
    distinct = true
    default  = ["Accept-Language"]
    length   = [0, 10]
    matches  = "[A-Za-z0-9-]{1,64}"
    hint     = "names of headers"
    summary  = "Headers that make another answer, in every layer alike."
  }
  input "vary_query" {
    type    = string
    default = "all"
    one_of  = ["all", "none"]
    summary = "Whether query parameters make another answer."
  }
  input "shield" {
    type    = bool
    default = true
    summary = "Whether one place asks the program on behalf of all others."
  }
  input "min_hit_ratio" {
    type    = percent
    default = 80
    summary = "Share of requests that a layer should answer by itself; below it is told."
  }
  input "max_invalidation" {
    type    = duration
    default = "10s"
    range   = ["1s", "1h"]
    summary = "How long a change may take through all layers before it is told."
  }
  input "debug_percent" {
    type    = percent
    default = 1
    summary = "Share of the answers that say which layer they came from. 100 outside of production."
  }

  derived "cache_control" {
    value   = "public, max-age=${self.browser_ttl}, s-maxage=${self.edge_ttl}, stale-while-revalidate=${self.stale_while_revalidate}, stale-if-error=${self.stale_if_error}"
    summary = "The Cache-Control header of what may be kept."
  }
  derived "layers" {
    value = [
      { name = "browser", ttl = self.browser_ttl },
      { name = "local", ttl = self.local_ttl },
      { name = "edge", ttl = self.edge_ttl },
      { name = "cache", ttl = self.cache_ttl },
    ]
    summary = "The layers with their lifetimes."
  }
  derived "cache" {
    value   = length(service.caches) == 0 ? null : service.caches[0]
    summary = "The cache of the program: the first that it needs."
  }

  point "invalidation" { summary = "A change is thrown out from the inside to the outside, by one event." }
  point "ttl" { summary = "What cannot be told to forget keeps the shortest." }
  point "coherence" { summary = "The same things make another answer in every layer." }
  point "hit_ratio" { summary = "How much each layer answers by itself is measured." }
  point "debugging" { summary = "An answer can say where it came from." }

  # CACHE-001
  check "ttl_ladder" {
    condition = self.browser_ttl <= self.edge_ttl && self.edge_ttl <= self.cache_ttl && self.edge_ttl <= self.edge_max_ttl
    message   = "Lifetimes must grow from the outside to the inside, for the outside cannot be told to forget: browser ${span(self.browser_ttl)}, edge ${span(self.edge_ttl)} (at most ${span(self.edge_max_ttl)}), cache ${span(self.cache_ttl)}. An outer copy would outlive what was thrown out behind it."
    fix       = "Order them: browser_ttl, edge_ttl, cache_ttl."
    at        = self.browser_ttl
    related   = [self.edge_ttl, self.edge_max_ttl, self.cache_ttl]
  }
  check "staleness" {
    condition = self.browser_ttl <= self.max_staleness && self.local_ttl <= self.max_staleness
    message   = "An answer may be ${span(self.max_staleness)} old, but a browser keeps it for ${span(self.browser_ttl)} and the program for ${span(self.local_ttl)}, and neither can be told to forget."
    fix       = "Lower browser_ttl and local_ttl."
    at        = self.browser_ttl
    related   = [self.local_ttl, self.max_staleness]
  }
  check "has_a_cache" {
    condition = length(service.caches) > 0
    message   = "${service.name} needs no cache: the layer between edge and database is missing."
    fix       = "Add a cache and name it in needs."
    at        = service.needs
    firm      = true
  }
  check "speaks_http" {
    condition = service.protocol == "http"
    message   = "Only HTTP answers can be kept by browsers and edges, and ${service.name} speaks ${service.protocol}."
    fix       = "Use in_memory_caching on the cache alone."
    at        = service.protocol
    firm      = true
  }
  check "private_stays_private" {
    condition = length(setintersection(self.paths, self.private_paths)) == 0
    message   = "These answers belong to one person and would be sent to all: ${join(", ", setintersection(self.paths, self.private_paths))}."
    fix       = "Take them out of paths."
    at        = self.paths
    related   = [self.private_paths]
  }
  check "vary_without_cookies" {
    condition = !contains([for h in self.vary : lower(h)], "cookie") && !contains([for h in self.vary : lower(h)], "authorization") && !contains([for h in self.vary : lower(h)], "user-agent")
    message   = "Cookie, Authorization and User-Agent are different for nearly everybody: with one of them in vary hardly any answer is used twice."
    fix       = "Take it out of vary, and list the paths in private_paths."
    at        = self.vary
  }
}
