"""The relay's process: one leader at a time, any number in waiting."""

import asyncio

from workers.runner import Container, mark_ready


async def run_relay(container: Container, stop: asyncio.Event) -> None:
    """Relay until told to stop."""
    mark_ready()
    await container.relay.run(stop)
