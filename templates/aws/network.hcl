template "network" {
  for  = blueprint
  when = target.network == null && length(blueprint.services) + length(blueprint.databases) + length(blueprint.caches) + length(blueprint.clusters) > 0
  file = "network.tf"
}

let {
  # A zone keeps its addresses when another comes or goes, so they follow from its letter, not from its place in the
  # list: an eighth of the network for instances and pods, a sixty-fourth each for load balancers and data.
  subnets = { for zone in let.zones : zone => {
    slot = index(["a", "b", "c", "d", "e", "f"], substr(zone, -1, 1))
  } }
  nat_zones = target.nat == "zone" ? let.zones : [let.zones[0]]
}

locals {
  vpc_id              = aws_vpc.main.id
  public_subnet_ids   = let.uses.public ? [for subnet in aws_subnet.public : subnet.id] : null
  private_subnet_ids  = let.uses.private ? [for subnet in aws_subnet.private : subnet.id] : null
  database_subnet_ids = let.uses.database ? [for subnet in aws_subnet.database : subnet.id] : null

  # By zone, so that adding or dropping one never moves the others.
  subnets = {
    for zone, subnet in let.subnets : zone => {
      private  = cidrsubnet(target.cidr, 3, subnet.slot)
      public   = cidrsubnet(target.cidr, 6, 48 + subnet.slot)
      database = cidrsubnet(target.cidr, 6, 56 + subnet.slot)
    }
  }
}

resource "aws_vpc" "main" {
  cidr_block           = target.cidr
  enable_dns_support   = true
  enable_dns_hostnames = true

  tags = { Name = let.prefix }
}

# Nothing may rely on the default security group, so it lets nothing through.
resource "aws_default_security_group" "main" {
  vpc_id = aws_vpc.main.id
}

resource "aws_internet_gateway" "main" {
  vpc_id = aws_vpc.main.id

  tags = { Name = let.prefix }
}

resource "aws_subnet" "public" {
  for_each = local.subnets

  vpc_id            = aws_vpc.main.id
  availability_zone = each.key
  cidr_block        = each.value.public

  tags = length(blueprint.clusters) == 0 ? { Name = "${let.prefix}-public-${each.key}" } : {
    Name                     = "${let.prefix}-public-${each.key}"
    "kubernetes.io/role/elb" = "1"
  }
}

resource "aws_subnet" "private" {
  for_each = local.subnets

  vpc_id            = aws_vpc.main.id
  availability_zone = each.key
  cidr_block        = each.value.private

  tags = length(blueprint.clusters) == 0 ? { Name = "${let.prefix}-private-${each.key}" } : {
    Name                              = "${let.prefix}-private-${each.key}"
    "kubernetes.io/role/internal-elb" = "1"
  }
}

resource "aws_subnet" "database" {
  for_each = local.subnets

  vpc_id            = aws_vpc.main.id
  availability_zone = each.key
  cidr_block        = each.value.database

  tags = { Name = "${let.prefix}-database-${each.key}" }
}

resource "aws_eip" "nat" {
  for_each = toset(let.nat_zones)

  domain = "vpc"

  tags = { Name = "${let.prefix}-nat-${each.key}" }
}

# Where every zone has one, the loss of a zone takes only its own way out with it.
resource "aws_nat_gateway" "main" {
  for_each = toset(let.nat_zones)

  allocation_id = aws_eip.nat[each.key].id
  subnet_id     = aws_subnet.public[each.key].id

  tags = { Name = "${let.prefix}-${each.key}" }

  depends_on = [aws_internet_gateway.main]
}

resource "aws_route_table" "public" {
  vpc_id = aws_vpc.main.id

  tags = { Name = "${let.prefix}-public" }
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

  tags = { Name = "${let.prefix}-private-${each.key}" }
}

resource "aws_route" "private_nat" {
  for_each = aws_route_table.private

  route_table_id         = each.value.id
  destination_cidr_block = "0.0.0.0/0"
  nat_gateway_id         = target.nat == "zone" ? aws_nat_gateway.main[each.key].id : aws_nat_gateway.main[let.zones[0]].id
}

resource "aws_route_table_association" "private" {
  for_each = aws_subnet.private

  subnet_id      = each.value.id
  route_table_id = aws_route_table.private[each.key].id
}

# No way out: data is reached from within, and reaches nothing.
resource "aws_route_table" "database" {
  vpc_id = aws_vpc.main.id

  tags = { Name = "${let.prefix}-database" }
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
  service_name      = "com.amazonaws.${target.region}.s3"
  route_table_ids   = [for route_table in aws_route_table.private : route_table.id]

  tags = { Name = "${let.prefix}-s3" }
}
