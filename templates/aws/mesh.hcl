# What all services of the mesh share.
template "mesh" {
  for  = blueprint
  when = anytrue([for s in blueprint.services : s.runs_on == null && s.service_mesh != null])
  file = "mesh.tf"
}

# For certificates of a week at most, which nobody calls back: an eighth of the price of a general authority.
resource "aws_acmpca_certificate_authority" "mesh" {
  type                            = "ROOT"
  usage_mode                      = "SHORT_LIVED_CERTIFICATE"
  permanent_deletion_time_in_days = 7

  certificate_authority_configuration {
    key_algorithm     = "EC_prime256v1"
    signing_algorithm = "SHA256WITHECDSA"

    subject {
      common_name  = "${let.prefix} mesh"
      organization = let.prefix
    }
  }
}

resource "aws_acmpca_certificate" "mesh" {
  certificate_authority_arn   = aws_acmpca_certificate_authority.mesh.arn
  certificate_signing_request = aws_acmpca_certificate_authority.mesh.certificate_signing_request
  signing_algorithm           = "SHA256WITHECDSA"
  template_arn                = "arn:aws:acm-pca:::template/RootCACertificate/V1"

  validity {
    type  = "YEARS"
    value = "10"
  }
}

# Without this the authority stays pending and issues nothing.
resource "aws_acmpca_certificate_authority_certificate" "mesh" {
  certificate_authority_arn = aws_acmpca_certificate_authority.mesh.arn
  certificate               = aws_acmpca_certificate.mesh.certificate
  certificate_chain         = aws_acmpca_certificate.mesh.certificate_chain
}

file "instance/mesh_certificate.sh" {
  format  = "sh"
  content = <<-EOT
    #!/bin/bash
    # Gets a certificate for this instance, and a new one when half of its life is over. The key is made here and
    # never leaves.
    set -euo pipefail

    left() {
      local ends
      ends=$(openssl x509 -enddate -noout -in /etc/envoy/tls/certificate.pem 2>/dev/null | cut -d= -f2) || ends=
      if [[ -n $ends ]]; then
        echo $(($(date -d "$ends" +%s) - $(date +%s)))
      else
        echo 0
      fi
    }

    trap 'echo -n "mesh.certificate_seconds_left:$(left)|g" >/dev/udp/127.0.0.1/8125 || true' EXIT
    if (($(left) > MESH_LIFETIME / 2)); then
      exit 0
    fi

    new=$(mktemp -d)

    openssl ecparam -name prime256v1 -genkey -noout -out "$new/key.pem"
    openssl req -new -key "$new/key.pem" -subj "/CN=$MESH_NAME" -addext "subjectAltName=DNS:$MESH_NAME" -out "$new/request.pem"

    certificate=$(aws acm-pca issue-certificate --certificate-authority-arn "$MESH_AUTHORITY" \
      --csr "fileb://$new/request.pem" --signing-algorithm SHA256WITHECDSA \
      --template-arn arn:aws:acm-pca:::template/EndEntityCertificate/V1 \
      --validity "Type=ABSOLUTE,Value=$(($(date +%s) + MESH_LIFETIME))" --query CertificateArn --output text)
    aws acm-pca wait certificate-issued --certificate-authority-arn "$MESH_AUTHORITY" --certificate-arn "$certificate"
    aws acm-pca get-certificate --certificate-authority-arn "$MESH_AUTHORITY" --certificate-arn "$certificate" \
      --query Certificate --output text >"$new/certificate.pem"
    aws acm-pca get-certificate-authority-certificate --certificate-authority-arn "$MESH_AUTHORITY" \
      --query Certificate --output text >"$new/authority.pem"

    # Envoy (user 101) looks at the folder and takes what was moved into it.
    install -d -m 0750 -o root -g 101 /etc/envoy/tls
    for file in authority key certificate; do
      install -m 0640 -o root -g 101 "$new/$file.pem" "/etc/envoy/tls/.$file.pem"
      mv "/etc/envoy/tls/.$file.pem" "/etc/envoy/tls/$file.pem"
    done
    rm -rf "$new"
  EOT
}

file "instance/mesh_certificate.service" {
  format  = "ini"
  content = <<-EOT
    [Unit]
    Description=The certificate of the mesh
    Wants=network-online.target
    After=network-online.target
    Before=envoy.service

    [Service]
    Type=oneshot
    EnvironmentFile=/etc/app/instance.env
    ExecStart=/usr/local/bin/mesh-certificate
    Restart=on-failure
    RestartSec=10

    [Install]
    WantedBy=multi-user.target
  EOT
}

file "instance/mesh_certificate.timer" {
  format  = "ini"
  content = <<-EOT
    [Unit]
    Description=Looks after the certificate of the mesh

    [Timer]
    OnUnitActiveSec=5m
    RandomizedDelaySec=30s

    [Install]
    WantedBy=timers.target
  EOT
}
