"""sslscan: protocols, ciphers and certificates of TLS services, in a second."""
