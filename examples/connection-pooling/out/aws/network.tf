# Rendered by scaffold from scaffold.hcl. Change that file and render again, or add files of your own beside this one.

locals {
  vpc_id              = aws_vpc.main.id
  private_subnet_ids  = [for subnet in aws_subnet.private : subnet.id]
  database_subnet_ids = [for subnet in aws_subnet.database : subnet.id]

  # By zone, so that adding or dropping one never moves the others.
  subnets = {
    "eu-west-1a" = {
      database = "10.0.224.0/22"
      private  = "10.0.0.0/19"
      public   = "10.0.192.0/22"
    }
    "eu-west-1b" = {
      database = "10.0.228.0/22"
      private  = "10.0.32.0/19"
      public   = "10.0.196.0/22"
    }
    "eu-west-1c" = {
      database = "10.0.232.0/22"
      private  = "10.0.64.0/19"
      public   = "10.0.200.0/22"
    }
  }
}

resource "aws_vpc" "main" {
  cidr_block           = "10.0.0.0/16"
  enable_dns_support   = true
  enable_dns_hostnames = true

  tags = { Name = "connection-pooling" }
}

# Nothing may rely on the default security group, so it lets nothing through.
resource "aws_default_security_group" "main" {
  vpc_id = aws_vpc.main.id
}

resource "aws_internet_gateway" "main" {
  vpc_id = aws_vpc.main.id

  tags = { Name = "connection-pooling" }
}

resource "aws_subnet" "public" {
  for_each = local.subnets

  vpc_id            = aws_vpc.main.id
  availability_zone = each.key
  cidr_block        = each.value.public

  tags = { Name = "connection-pooling-public-${each.key}" }
}

resource "aws_subnet" "private" {
  for_each = local.subnets

  vpc_id            = aws_vpc.main.id
  availability_zone = each.key
  cidr_block        = each.value.private

  tags = { Name = "connection-pooling-private-${each.key}" }
}

resource "aws_subnet" "database" {
  for_each = local.subnets

  vpc_id            = aws_vpc.main.id
  availability_zone = each.key
  cidr_block        = each.value.database

  tags = { Name = "connection-pooling-database-${each.key}" }
}

resource "aws_eip" "nat" {
  for_each = toset(["eu-west-1a", "eu-west-1b", "eu-west-1c"])

  domain = "vpc"

  tags = { Name = "connection-pooling-nat-${each.key}" }
}

# Where every zone has one, the loss of a zone takes only its own way out with it.
resource "aws_nat_gateway" "main" {
  for_each = toset(["eu-west-1a", "eu-west-1b", "eu-west-1c"])

  allocation_id = aws_eip.nat[each.key].id
  subnet_id     = aws_subnet.public[each.key].id

  tags = { Name = "connection-pooling-${each.key}" }

  depends_on = [aws_internet_gateway.main]
}

resource "aws_route_table" "public" {
  vpc_id = aws_vpc.main.id

  tags = { Name = "connection-pooling-public" }
}

resource "aws_route" "public_internet" {
  route_table_id         = aws_route_table.public.id
  destination_cidr_block = "0.0.0.0/0"
  gateway_id             = aws_internet_gateway.main.id
}

resource "aws_route_table_association" "public" {
  for_each = aws_subnet.public

  subnet_id      = each.value.id
  route_table_id = aws_route_table.public.id
}

resource "aws_route_table" "private" {
  for_each = local.subnets

  vpc_id = aws_vpc.main.id

  tags = { Name = "connection-pooling-private-${each.key}" }
}

resource "aws_route" "private_nat" {
  for_each = aws_route_table.private

  route_table_id         = each.value.id
  destination_cidr_block = "0.0.0.0/0"
  nat_gateway_id         = aws_nat_gateway.main[each.key].id
}

resource "aws_route_table_association" "private" {
  for_each = aws_subnet.private

  subnet_id      = each.value.id
  route_table_id = aws_route_table.private[each.key].id
}

# No way out: data is reached from within, and reaches nothing.
resource "aws_route_table" "database" {
  vpc_id = aws_vpc.main.id

  tags = { Name = "connection-pooling-database" }
}

resource "aws_route_table_association" "database" {
  for_each = aws_subnet.database

  subnet_id      = each.value.id
  route_table_id = aws_route_table.database.id
}

# Images and packages come from S3 often: through the endpoint they cost no NAT.
resource "aws_vpc_endpoint" "s3" {
  vpc_id            = aws_vpc.main.id
  vpc_endpoint_type = "Gateway"
  service_name      = "com.amazonaws.eu-west-1.s3"
  route_table_ids   = [for route_table in aws_route_table.private : route_table.id]

  tags = { Name = "connection-pooling-s3" }
}
