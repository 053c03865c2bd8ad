"""The console: server-rendered pages over the same services as the REST resources."""

from api.console.mount import mount

__all__ = ["mount"]
