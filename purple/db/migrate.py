"""Brings a database to the present schema, with the owner's role."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine, text

from purple.db.engine import psycopg_url

_LOCK = 0x70_75_72_71


def config() -> Config:
    """Alembic's configuration; there is no ini file."""
    made = Config()
    made.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    return made


def upgrade(owner_url: str) -> None:
    """To the newest revision; two at once wait for each other."""
    engine = create_engine(psycopg_url(owner_url))
    try:
        with engine.begin() as connection:
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
            made = config()
            made.attributes["connection"] = connection
            command.upgrade(made, "head")
    finally:
        engine.dispose()
