# Google's uptime checks come from the internet: what it does not reach is asked by whoever releases.
template "blue_green_by_hand" {
  for     = service
  pattern = "blue_green_deployment"
  when    = service.runs_on == null
  file    = "service_${service.name}_rollout.tf"

  approximates = {
    smoke_tests = {
      by  = [let.watch == "global" ? google_compute_url_map.this.path_matcher.route_rules : let.watch == "internal" ? google_compute_region_url_map.this.path_matcher.route_rules : google_compute_region_url_map.this_inside.path_matcher.route_rules]
      why = "The header x-release: next reaches the colour that does not serve, but nothing asks it by itself: Google's checks come from the internet, to a name."
    }
  }
}
