root "*" {
  rule {
    condition = "has(self.metadata.name) || has(self.metadata.generateName)"
    message   = "metadata has neither name nor generateName"
  }
}

type "io.k8s.apimachinery.pkg.api.resource.Quantity" {
  self {
    format = "quantity"
    number = true
  }
}
