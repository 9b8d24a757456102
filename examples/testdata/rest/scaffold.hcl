# What the AWS pack can make and no example has: Aurora, shards of it that move, Memcached, caches that grow, a mesh of
# instances, an edge before a private balancer, private links and firewalls.

blueprint "rest" {
  labels = { team = "platform" }
}

target "aws" {
  region           = "eu-west-1"
  architecture     = "arm64"
  image            = "ami-0123456789abcdef0"
  hosted_zone_id   = "Z0123456789ABCDEFGHIJ"
  hosted_zone_name = "example.com"
  nat              = "one"
}

database "books" {
  flavour = "cluster"
  storage = "200GiB"

  read_replicas {
    count = 1
    max   = 4
  }
  database_connection_pooling {
    pool_readers = true
  }
}

database "archive" {
  engine  = "mysql"
  version = "8.0"
  flavour = "cluster"
}

database "orders" {
  flavour = "cluster"
  memory  = "32GiB"

  database_sharding {
    key    = "customer_id"
    tables = ["orders"]

    shard "north" {
      from = 0
      to   = 341
    }
    shard "south" {
      from = 342
      to   = 682
    }
    shard "west" {
      from = 683
      to   = 1023
    }
    move "half" {
      from_shard = "north"
      to_shard   = "west"
      from       = 300
      to         = 341
    }
  }
}

cache "pages" {
  engine = "memcached"
  memory = "6GiB"

  in_memory_caching {}
}

cache "sessions" {
  holds  = "sessions"
  memory = "24GiB"

  redis_cluster {
    shards     = 3
    max_shards = 6
  }
}

service "web" {
  image = "ghcr.io/acme/web:1.4.2"
  needs = [database.books, cache.pages, cache.sessions, service.quotes]

  auto_scaling_group {
    max = 6

    schedule "morning" {
      cron      = "30 7 * * MON-FRI"
      time_zone = "Europe/Berlin"
      duration  = "4h"
      min       = 4
    }
  }
  elastic_load_balancing {
    domain   = "shop.example.com"
    public   = false
    firewall = true
  }
  multi_layer_caching {}
  service_mesh {}
  circuit_breaker {}
}

service "quotes" {
  image = "ghcr.io/acme/quotes:2.0.1"
  needs = [database.archive, database.orders]

  auto_scaling_group {
    max = 6
  }
  service_mesh {}
}

service "feed" {
  image    = "ghcr.io/acme/feed:0.9.0"
  protocol = "tcp"
  needs    = [database.orders]

  auto_scaling_group {
    max  = 6
    spot = 50
  }
  load_balancer_types {
    private_link = true
  }
  rolling_updates {
    rollback = "operator"
  }
}

site "manual" {
  cdn_distribution {
    domain         = "manual.example.com"
    firewall       = true
    monthly_budget = 200
  }
}
