"""The local stack: real servers and the processes of Purple on loopback, kept alive by one supervisor."""
