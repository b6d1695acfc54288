"""One line an event (structlog): JSON, or readable on a terminal. Whatever text an event carries stays on its line."""

import json
import logging
import sys
from typing import Any

import msgspec
import structlog
from structlog.typing import EventDict, Processor


def configure_logs(log_format: str) -> None:
    """Set up structlog, and send the standard library's records, such as the server's, the same way."""
    readable = log_format == "console" or (log_format == "auto" and sys.stderr.isatty())
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _without_exception_values,
    ]
    renderer: Processor
    if readable:
        shared.append(_on_one_line)
        renderer = structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    else:
        renderer = structlog.processors.JSONRenderer(serializer=_json)
    structlog.configure(
        processors=[*shared, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)


def _json(event: EventDict, default: Any) -> str:
    """ASCII only, so that U+2028 and its kind cannot end a line either."""
    line = msgspec.json.encode(event, enc_hook=default, order="sorted").decode()
    return line if line.isascii() else json.dumps(event, default=default, sort_keys=True)


def _without_exception_values(_logger: Any, _name: str, event: EventDict) -> EventDict:
    """Tell where a fault happened and of what type; not its message, which may quote what somebody typed."""
    error = event.pop("exc_info", None)
    if isinstance(error, tuple):
        error = error[1]
    if isinstance(error, BaseException):
        trace, where = error.__traceback__, []
        while trace is not None:
            code = trace.tb_frame.f_code
            where.append(f"{code.co_filename.rpartition('/src/')[2]}:{trace.tb_lineno} {code.co_name}")
            trace = trace.tb_next
        event["error"] = type(error).__name__
        event["trace"] = where[-8:]
    return event


def _on_one_line(_logger: Any, _name: str, event: EventDict) -> EventDict:
    """Escape what would break a line or drive a terminal (M17)."""
    return {name: ascii(value)[1:-1] if isinstance(value, str) else value for name, value in event.items()}
