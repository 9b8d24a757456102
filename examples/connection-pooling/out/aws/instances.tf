# Rendered by scaffold from scaffold.hcl. Change that file and render again, or add files of your own beside this one.

variable "image_id" {
  description = "Machine image (AMI) of the instances: Amazon Linux 2023 with Docker. An id and no alias: it can be rolled back, and a new image rolls out only when it is written here."
  type        = string
  nullable    = false

  validation {
    condition     = startswith(var.image_id, "ami-")
    error_message = "An image id such as ami-0123456789abcdef0 is needed."
  }
}

data "aws_iam_policy_document" "instance_assume" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["ec2.amazonaws.com"]
    }
  }
}
