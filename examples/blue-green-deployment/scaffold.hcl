# Two colours of one service. The live one serves, the other waits with the next release;
# switching, and switching back, is one word in this file.

blueprint "blue-green-deployment" {
  profile = "high-availability"
  labels  = { team = "platform" }
}

target "aws" {
  region = "eu-west-1"
}

target "gcp" {
  region = "europe-west1"
}

target "kubernetes" {
  backup_url = "s3://acme-backups/blue-green-deployment" # where backups go, out of the cluster
}

database "orders" {
  storage = "200GiB"
}

cache "sessions" {
  holds  = "sessions" # so that a switch logs nobody out
  memory = "2GiB"
}

service "web" {
  image = "ghcr.io/acme/web:1.4.2"
  port  = 8080
  needs = [database.orders, cache.sessions]

  # Longer than any balancer keeps a silent connection: Google's do for ten minutes.
  keep_alive = "620s"

  auto_scaling_group {
    max = 9
  }
  elastic_load_balancing {
    domain = "shop.example.com"
  }
  blue_green_deployment {
    live = "blue" # "green" switches, and "blue" again goes back
  }

  # To release on a cloud: give the colour that waits the new image, try it on a port of its own,
  # then make it the live one. In a cluster the controller does that once image is another.
  aws {
    blue_green_deployment {
      green_image = "ghcr.io/acme/web:1.5.0"
    }
  }
  gcp {
    blue_green_deployment {
      green_image = "ghcr.io/acme/web:1.5.0"
      rollback    = "alarms" # errors or slow answers of the live one switch back by themselves
    }
  }
  kubernetes {
    blue_green_deployment {
      keep_old = "30m" # how long the way back stays warm
    }
  }
}
