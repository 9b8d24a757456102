# A breaker stands in a load balancer that reads requests. Where none is on the way, what the breaker would do is said to be
# missing, so that the same blueprint still renders.
template "circuit_breaker_missing" {
  for     = service
  pattern = "circuit_breaker"
  when    = service.runs_on == null && let.guarded_by == "none"

  misses = {
    thresholds = "No load balancer that reads requests is on the way, so nobody counts failures."
    timeouts   = "The program has to end its calls itself."
    fallback   = "The program has to answer in place of what fails."
    states     = "There is no breaker whose state could be told."
    half_open  = "There is no breaker that could try again."
  }

  check "something_to_break" {
    condition = let.guarded_by != "none"
    message   = "No breaker is rendered for ${service.name}: ${length(service.callees) > 0 ? "what it calls speaks gRPC, which the proxies of a load balancer take over TLS only" : length(service.clients) == 0 ? "it calls nobody over HTTP, nobody calls it, and no load balancer that reads requests stands before it" : length(service.clients) > length(let.callers) ? "those that call it have breakers of their own, which stand before it" : "it is called by connection, and nothing on the way reads what is said"}."
    fix       = "Name in needs what it calls over HTTP, give it elastic_load_balancing, or drop the breaker."
    at        = service.circuit_breaker
    related   = [for n in service.callees : n.protocol]
    severity  = "warning"
  }
}
