"""The server's process."""

import subprocess
import sys

SERVED = """
import asyncio, gc
import httpx, uvicorn
from api.__main__ import Server
from api.app import create_app
from purple.settings import Settings

async def main():
    settings = Settings(_env_file=None, database={"url": "postgresql+psycopg://nobody@127.0.0.1:1/nothing"})
    app = create_app(settings)
    server = Server(uvicorn.Config(app, port=0, log_config=None))
    serving = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    before = len(gc.get_objects())
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://purple") as client:
        answer = await client.get("/api/v1/nothing")
    print(answer.status_code, len(gc.get_objects()) - before)
    server.should_exit = True
    await serving

asyncio.run(main())
"""


def test_whoever_asks_first_finds_all_routes_ready_and_apart_from_collections() -> None:
    """They are 50,000 objects, and a full collection that read them stopped all answers for 60 ms."""
    done = subprocess.run([sys.executable, "-c", SERVED], capture_output=True, text=True, check=True)
    status, more = map(int, done.stdout.split())
    assert status == 404
    assert more < 5_000
