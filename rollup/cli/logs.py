"""Logging: for a person on a terminal, JSON lines otherwise."""

import logging
import sys

import structlog
from structlog.typing import Processor

from rollup.cli.safe_text import PrintableFormatter
from rollup.printable_text import printable_values, write_traceback


def configure_logs(as_json: bool, level: int = logging.INFO) -> None:
    """Sets up structlog on standard error; as_json, or no terminal there, means JSON lines."""
    plain = as_json or not sys.stderr.isatty()
    # Locals in a traceback may be a whole chain's state: plain ones only.
    renderers: list[Processor] = (
        [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
        if plain
        else [printable_values, structlog.dev.ConsoleRenderer(exception_formatter=write_traceback)]
    )
    if logging.lastResort is not None:  # what the libraries log, as there are no other handlers
        logging.lastResort.setFormatter(PrintableFormatter())
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
