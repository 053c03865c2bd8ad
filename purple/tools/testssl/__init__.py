"""testssl.sh: TLS protocols, certificates and known attacks, by its own implementation of the handshake."""
