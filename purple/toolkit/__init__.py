"""Running programs and reading their output safely."""
