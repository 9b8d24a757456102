# Says something of everything that the language can say.
blueprint "all" { extensions = ["."] }
target "aws" { region = "eu-west-1" }
target "kubernetes" {}

gauge "first" {}

gauge "second" {
  text     = "line\nbreak \"quoted\" $${not} %%{either} \\ # no comment\u0085\u2028 é 💥"
  wait     = "1500ms"
  size     = "200GB"
  share    = 99.95
  waits    = [0, "0s", "2h", 0.1]
  sizes    = { "odd key" = "1.5GiB", for = 0, null = "3B" }
  words    = []
  whatever = { list = [1, "a", null, true, { b = 1.25 }], ref = gauge.first, far = [gauge.first], big = 123456789012345678901234567890, small = 0.000000000000000001, third = 2 / 3 }
  shape    = { name = "y", deep = { on = true } }
  near     = gauge.first
  step { n = 1 }
  step {
    n = 2
    inner {}
  }
  named "a" {}
  aws {
    near = null
    step { n = 3 }
    named "a" { n = 2 }
    named "b" {}
  }
}

environment "staging" {
  gauge "second" {
    step { n = 9 }
  }
}
environment "prod" {}
