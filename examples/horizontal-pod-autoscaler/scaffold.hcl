# Pods that follow the load, on nodes that follow the pods. How large the cluster may become,
# and how many connections each pod may hold, follow from the most pods.

blueprint "pod-autoscaler" {
  profile = "scalability"
  labels  = { team = "platform" }
}

target "aws" {
  region = "eu-west-1"
}

target "gcp" {
  region = "europe-west1"
}

target "kubernetes" {
  backup_url = "s3://acme-backups/pod-autoscaler" # where backups go, out of the cluster
}

cluster "main" {}

database "orders" {
  storage = "200GiB"
}

service "checkout" {
  runs_on  = cluster.main
  image    = "ghcr.io/acme/checkout:2.0.0"
  port     = 9090
  cpu      = 0.5
  memory   = "512MiB"
  needs    = [database.orders]
  peak_rps = 300 # max has to carry it with one zone lost

  # Longer than any balancer keeps a silent connection: Google's do for ten minutes.
  keep_alive = "620s"

  elastic_load_balancing {
    domain = "checkout.example.com"
  }
  horizontal_pod_autoscaler {
    min             = 3
    max             = 20
    target_cpu      = 60
    scale_down_wait = "5m" # grows at once, shrinks slowly

    queue "receipts" {
      target = 50 # waiting messages for one pod
    }
  }
}
