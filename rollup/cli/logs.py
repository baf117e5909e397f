"""Logging: for a person on a terminal, JSON lines otherwise."""

import logging
import sys

import structlog
from structlog.typing import Processor


def configure_logs(as_json: bool, level: int = logging.INFO) -> None:
    """Sets up structlog on standard error; as_json, or no terminal there, means JSON lines."""
    plain = as_json or not sys.stderr.isatty()
    # Locals in a traceback may be a whole chain's state: plain ones only.
    renderers: list[Processor] = (
        [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
        if plain
        else [structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)]
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso"),
            *renderers,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
