# An input of every type, and a block of every kind.
component "gauge" {
  title   = "Gauge"
  summary = "Whatever can be said."

  input "text" {
    type    = string
    default = "a"
    summary = "…"
  }
  input "wait" {
    type    = duration
    default = 1 / 3
    range   = ["0s", "1h"]
    summary = "…"
  }
  input "size" {
    type    = bytes
    default = "1GiB"
    summary = "…"
  }
  input "share" {
    type    = percent
    default = "12.5%"
    summary = "…"
  }
  input "waits" {
    type    = list(duration)
    default = ["1s", "90s"]
    summary = "…"
  }
  input "sizes" {
    type    = map(bytes)
    default = { a = "1KiB" }
    summary = "…"
  }
  input "words" {
    type    = set(string)
    default = ["b", "a"]
    summary = "…"
  }
  input "whatever" {
    type     = any
    nullable = true
    summary  = "…"
  }
  input "shape" {
    type    = object({ name = string, deep = optional(object({ on = bool })), n = optional(number, 3) })
    default = { name = "x" }
    summary = "…"
  }
  input "near" {
    type     = ref(gauge)
    nullable = true
    summary  = "…"
  }
  input "old" {
    type       = number
    default    = 1
    deprecated = "use something else"
    summary    = "…"
  }
  derived "endless" {
    value   = self.wait / 7
    summary = "…"
  }
  block "step" {
    many = true
    input "n" {
      type    = number
      summary = "…"
    }
    block "inner" {
      input "on" {
        type    = bool
        default = true
        summary = "…"
      }
    }
  }
  block "named" {
    label = "name"
    many  = true
    input "n" {
      type    = number
      default = 1
      summary = "…"
    }
  }
}
