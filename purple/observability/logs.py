"""Structured logs: one JSON object a line, or readable lines at a terminal."""

import logging
import sys

import structlog

from purple.settings.app import LogSettings


def set_up_logs(settings: LogSettings) -> None:
    """Configure this process."""
    level = logging.getLevelNamesMapping()[settings.level.upper()]
    logging.basicConfig(level=level, stream=sys.stderr, format="%(levelname)s %(name)s %(message)s", force=True)
    logging.getLogger("httpx").setLevel(logging.WARNING)
    # with a stack trace for each request; whoever asked says that Elasticsearch is away, in a line
    logging.getLogger("elastic_transport").setLevel(logging.ERROR)
    renderer = structlog.processors.JSONRenderer() if settings.json_lines else structlog.dev.ConsoleRenderer()
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
