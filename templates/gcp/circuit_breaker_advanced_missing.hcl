template "circuit_breaker_advanced_missing" {
  for     = service
  pattern = "circuit_breaker_advanced"
  when    = service.runs_on == null && let.guarded_by == "none"

  misses = {
    granular_metrics    = "No load balancer that reads requests is on the way, so no endpoint is measured."
    states              = "There is no breaker whose state could be told."
    per_endpoint        = "There is no breaker, so one slow endpoint can hold up the others."
    adaptive_thresholds = "Nobody compares the hosts that are called."
    fallbacks           = "The program has to answer in place of what fails."
  }

  check "nothing_to_hold" {
    condition = service.circuit_breaker_advanced.mode != "forced_open"
    message   = "Calls are to be held off by hand, and no breaker is on their way that could do so."
    fix       = "Set mode = \"automatic\"."
    at        = service.circuit_breaker_advanced.mode
  }
}
