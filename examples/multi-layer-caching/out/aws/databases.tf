# Rendered by scaffold from scaffold.hcl. Change that file and render again, or add files of your own beside this one.

resource "aws_db_subnet_group" "main" {
  name_prefix = "multi-layer-caching-"
  description = "Subnets of the databases of multi-layer-caching, without a way in or out"
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
  name_prefix        = "multi-layer-caching-rds-"
  description        = "Lets RDS write enhanced monitoring to CloudWatch"
  assume_role_policy = data.aws_iam_policy_document.rds_monitoring_assume.json
}

resource "aws_iam_role_policy_attachment" "rds_monitoring" {
  role       = aws_iam_role.rds_monitoring.name
  policy_arn = "arn:aws:iam::aws:policy/service-role/AmazonRDSEnhancedMonitoringRole"
}
