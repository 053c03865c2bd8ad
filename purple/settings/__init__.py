"""Settings: what a deployment may choose, read from the environment, `.env` and the local stack."""

from purple.settings.app import Settings, load_settings

__all__ = ["Settings", "load_settings"]
