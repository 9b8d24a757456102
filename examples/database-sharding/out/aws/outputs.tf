# Rendered by scaffold from scaffold.hcl. Change that file and render again, or add files of your own beside this one.

output "orders" {
  description = "How the shards of orders are reached: the table that maps slots to hosts and secrets, the end of the shards' names, the port and the database."
  value = {
    map      = local.orders_shard_map
    host     = local.orders_host
    port     = 5432
    database = "orders"
    shards   = local.orders_shards
  }
}
