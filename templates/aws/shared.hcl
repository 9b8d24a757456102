# What all components share: the key that data is encrypted with, and where alarms go.
template "shared" {
  for  = blueprint
  file = "shared.tf"
}

let {
  own_key = target.kms_key_arn == null
}

locals {
  kms_key_arn = target.kms_key_arn == null ? aws_kms_key.main.arn : target.kms_key_arn
}

resource "aws_kms_key" "main" {
  when = let.own_key

  description             = "Data at rest of ${let.prefix}"
  enable_key_rotation     = true
  deletion_window_in_days = 30
}

resource "aws_kms_alias" "main" {
  when = let.own_key

  name          = "alias/${let.prefix}"
  target_key_id = aws_kms_key.main.key_id
}

resource "aws_kms_key_policy" "main" {
  when = let.own_key

  key_id = aws_kms_key.main.key_id
  policy = data.aws_iam_policy_document.key.json
}

data "aws_iam_policy_document" "key" {
  when = let.own_key

  statement {
    sid       = "Account"
    actions   = ["kms:*"]
    resources = ["*"]

    principals {
      type        = "AWS"
      identifiers = ["arn:aws:iam::${target.account_id == null ? split(":", aws_kms_key.main.arn)[4] : target.account_id}:root"]
    }
  }

  # A topic that is encrypted with the key of AWS (alias/aws/sns) would receive nothing: its policy lets no
  # service in.
  statement {
    sid       = "Publishers"
    actions   = ["kms:Decrypt", "kms:GenerateDataKey*"]
    resources = ["*"]

    principals {
      type        = "Service"
      identifiers = ["cloudwatch.amazonaws.com", "budgets.amazonaws.com", "events.amazonaws.com", "events.rds.amazonaws.com", "elasticache.amazonaws.com"]
    }
  }

  statement {
    sid       = "Logs"
    actions   = ["kms:Encrypt*", "kms:Decrypt*", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:Describe*"]
    resources = ["*"]

    principals {
      type        = "Service"
      identifiers = ["logs.${target.region}.amazonaws.com"]
    }
  }

  # Auto Scaling starts instances whose volumes are encrypted with the key.
  statement {
    sid       = "Volumes"
    actions   = ["kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:DescribeKey", "kms:CreateGrant"]
    resources = ["*"]

    principals {
      type        = "AWS"
      identifiers = ["*"]
    }

    condition {
      test     = "StringEquals"
      variable = "kms:ViaService"
      values   = ["ec2.${target.region}.amazonaws.com"]
    }

    condition {
      test     = "StringEquals"
      variable = "kms:CallerAccount"
      values   = [target.account_id == null ? split(":", aws_kms_key.main.arn)[4] : target.account_id]
    }
  }
}

resource "aws_sns_topic" "alarms" {
  name              = "${let.prefix}-alarms"
  kms_master_key_id = local.kms_key_arn
}

data "aws_iam_policy_document" "alarms" {
  statement {
    actions   = ["sns:Publish"]
    resources = [aws_sns_topic.alarms.arn]

    principals {
      type        = "Service"
      identifiers = ["cloudwatch.amazonaws.com", "budgets.amazonaws.com", "events.amazonaws.com", "events.rds.amazonaws.com", "elasticache.amazonaws.com"]
    }
  }
}

resource "aws_sns_topic_policy" "alarms" {
  arn    = aws_sns_topic.alarms.arn
  policy = data.aws_iam_policy_document.alarms.json
}

resource "aws_sns_topic_subscription" "alarms" {
  when     = length(target.alert_emails) > 0
  for_each = toset(target.alert_emails)

  topic_arn = aws_sns_topic.alarms.arn
  protocol  = "email"
  endpoint  = each.value
}
