"""SSLyze: TLS configuration."""
