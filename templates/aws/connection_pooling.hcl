# RDS Proxy stands before the database: clients talk to it, and nobody else talks to the database.
template "connection_pooling" {
  for  = database
  when = database.database_sharding == null
  file = "database_${database.name}.tf"

  covers = {
    pool_size       = [aws_db_proxy_default_target_group.this.connection_pool_config.max_connections_percent, database.connection_pooling.size]
    idle_timeout    = [aws_db_proxy.this.idle_client_timeout, aws_db_proxy_default_target_group.this.connection_pool_config.max_idle_connections_percent, database.engine == "postgres" ? aws_db_parameter_group.this.parameter["idle_in_transaction_session_timeout"] : aws_db_parameter_group.this.parameter["innodb_lock_wait_timeout"]]
    utilisation     = [aws_cloudwatch_metric_alarm.this_pool_used.threshold, aws_cloudwatch_metric_alarm.this_pool.dimensions]
    max_connections = [aws_db_parameter_group.this.parameter["max_connections"], aws_db_proxy_default_target_group.this.connection_pool_config.max_connections_percent]
  }
  approximates = {
    validation = {
      by  = [aws_db_proxy_default_target_group.this.connection_pool_config.init_query, aws_db_proxy.this.require_tls]
      why = "RDS Proxy tries its connections by itself and replaces broken ones; the query runs when one is opened, not before each loan."
    }
  }

  ignores = {
    mode                = database.connection_pooling.mode == "transaction" ? null : "RDS Proxy lends a connection for a transaction, and leaves it to a client for good once that has changed its session; nothing else can be asked of it."
    prepared_statements = "RDS Proxy keeps a client with statements of its own on one connection, and remembers none."
    server_idle         = "RDS Proxy decides itself when it closes a connection that nobody uses."
    check_after         = "RDS Proxy tries its connections by itself."
  }

  check "managed" {
    condition = database.connection_pooling.pooler == "managed"
    message   = "The pooler of AWS is RDS Proxy; this pack runs no PgBouncer for ${database.name}."
    fix       = "Set pooler = \"managed\"."
    at        = database.connection_pooling.pooler
  }
}

resource "aws_security_group" "this_server" {
  name_prefix = "${let.name}-server-"
  description = "${database.name} itself, behind its pool"
  vpc_id      = local.vpc_id

  tags = {
    Name = "${let.name}-server"
  }

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_vpc_security_group_ingress_rule" "this_server" {
  security_group_id            = aws_security_group.this_server.id
  description                  = "Only the pool talks to the database"
  referenced_security_group_id = aws_security_group.this.id
  ip_protocol                  = "tcp"
  from_port                    = database.port
  to_port                      = database.port
}

resource "aws_vpc_security_group_egress_rule" "this_server" {
  security_group_id            = aws_security_group.this.id
  description                  = "From the pool to the database"
  referenced_security_group_id = aws_security_group.this_server.id
  ip_protocol                  = "tcp"
  from_port                    = database.port
  to_port                      = database.port
}

resource "aws_iam_role" "this_proxy" {
  name_prefix        = "${shortname(let.name, 28)}-proxy-"
  description        = "Lets the pool of ${database.name} read its password"
  assume_role_policy = data.aws_iam_policy_document.rds_proxy_assume.json
}

data "aws_iam_policy_document" "this_proxy" {
  statement {
    actions   = ["secretsmanager:GetSecretValue"]
    resources = [local.this_secret_arn]
  }

  statement {
    actions   = ["kms:Decrypt"]
    resources = [local.kms_key_arn]

    condition {
      test     = "StringEquals"
      variable = "kms:ViaService"
      values   = ["secretsmanager.${target.region}.amazonaws.com"]
    }
  }
}

resource "aws_iam_role_policy" "this_proxy" {
  name   = "password"
  role   = aws_iam_role.this_proxy.id
  policy = data.aws_iam_policy_document.this_proxy.json
}

resource "aws_db_proxy" "this" {
  name                   = let.name
  engine_family          = database.engine == "postgres" ? "POSTGRESQL" : "MYSQL"
  role_arn               = aws_iam_role.this_proxy.arn
  vpc_subnet_ids         = local.database_subnet_ids
  vpc_security_group_ids = [aws_security_group.this.id]
  require_tls            = true
  idle_client_timeout    = ceil(database.connection_pooling.client_idle)
  debug_logging          = false # it would write down what is in the statements

  # Clients log in here as they would at the database, with the same secret.
  auth {
    auth_scheme               = "SECRETS"
    secret_arn                = local.this_secret_arn
    iam_auth                  = "DISABLED"
    client_password_auth_type = database.engine == "postgres" ? "POSTGRES_SCRAM_SHA_256" : "MYSQL_CACHING_SHA2_PASSWORD"
  }

  depends_on = [aws_iam_role_policy.this_proxy]
}

resource "aws_db_proxy_default_target_group" "this" {
  db_proxy_name = aws_db_proxy.this.name

  # Shares of max_connections. What is left is for administration, migrations and a failover.
  connection_pool_config {
    max_connections_percent      = database.connection_pooling.size_percent
    max_idle_connections_percent = database.connection_pooling.min_percent
    connection_borrow_timeout    = ceil(database.connection_pooling.wait_timeout)
    init_query                   = database.connection_pooling.check_query # a connection that cannot answer it is not lent
    session_pinning_filters      = database.engine == "mysql" && !database.connection_pooling.session_features ? ["EXCLUDE_VARIABLE_SETS"] : null
  }
}

resource "aws_db_proxy_target" "this" {
  db_proxy_name          = aws_db_proxy.this.name
  target_group_name      = aws_db_proxy_default_target_group.this.name
  db_instance_identifier = database.flavour == "server" ? aws_db_instance.this.identifier : null
  db_cluster_identifier  = database.flavour == "cluster" ? aws_rds_cluster.this.cluster_identifier : null

  # A target is registered once there is an instance to talk to.
  depends_on = database.flavour == "cluster" ? [aws_rds_cluster_instance.this] : null
}

resource "aws_db_proxy_endpoint" "this_reader" {
  when = let.proxied_readers

  db_proxy_name          = aws_db_proxy.this.name
  db_proxy_endpoint_name = "${let.name}-reader"
  target_role            = "READ_ONLY"
  vpc_subnet_ids         = local.database_subnet_ids
  vpc_security_group_ids = [aws_security_group.this.id]
}
