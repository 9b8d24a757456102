# What all databases of the root share.
template "databases" {
  for  = blueprint
  when = length(blueprint.databases) > 0
  file = "databases.tf"
}

let {
  # Replicas of servers and shards are found by name; clusters and proxies bring names of their own.
  database_zone = anytrue([
    for d in blueprint.databases : d.database_sharding != null || d.read_replicas != null && d.flavour == "server"
  ])
}

resource "aws_db_subnet_group" "main" {
  name_prefix = "${let.prefix}-"
  description = "Subnets of the databases of ${blueprint.name}, without a way in or out"
  subnet_ids  = local.database_subnet_ids
}

# Enhanced monitoring: what the operating system of a database sees.
data "aws_iam_policy_document" "rds_monitoring_assume" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["monitoring.rds.amazonaws.com"]
    }
  }
}

resource "aws_iam_role" "rds_monitoring" {
  name_prefix        = "${shortname(let.prefix, 24)}-rds-"
  description        = "Lets RDS write enhanced monitoring to CloudWatch"
  assume_role_policy = data.aws_iam_policy_document.rds_monitoring_assume.json
}

resource "aws_iam_role_policy_attachment" "rds_monitoring" {
  role       = aws_iam_role.rds_monitoring.name
  policy_arn = "arn:aws:iam::aws:policy/service-role/AmazonRDSEnhancedMonitoringRole"
}

data "aws_iam_policy_document" "rds_proxy_assume" {
  when = anytrue([for d in blueprint.databases : d.pooler != null])

  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["rds.amazonaws.com"]
    }
  }
}

# Names for what has none of its own: the readers of a server, the shards of a database.
resource "aws_route53_zone" "databases" {
  when = let.database_zone

  name    = "db.${let.prefix}.internal"
  comment = "Databases of ${blueprint.name}"

  vpc {
    vpc_id = local.vpc_id
  }
}
