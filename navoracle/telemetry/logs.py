"""Logs: structlog to standard error, as lines for people or as JSON; secrets are redacted, `advice` says what to do.

Standard output belongs to a command's result. Log messages of libraries take the same way, from WARNING on.
"""

from __future__ import annotations

import io
import logging
import os
import sys
from collections.abc import Mapping, MutableMapping
from typing import Any, Final, Literal, TextIO, cast

import structlog
from structlog.typing import Processor

from navoracle.redaction import HIDDEN, is_secret_name, redact_text

LogFormat = Literal["console", "json"]
LogLevel = Literal["debug", "info", "warning", "error", "critical"]

_LEVELS: Final[Mapping[str, int]] = {
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warning": logging.WARNING,
    "error": logging.ERROR,
    "critical": logging.CRITICAL,
}


class _StandardError(io.TextIOBase):
    """Whatever is standard error when something is written."""

    def write(self, text: str) -> int:
        return sys.stderr.write(text)

    def flush(self) -> None:
        sys.stderr.flush()

    def isatty(self) -> bool:
        return sys.stderr.isatty()


def _coloured(out: TextIO) -> bool:
    """Whether a stream takes colours: a terminal does, unless NO_COLOR is set (https://no-color.org)."""
    return out.isatty() and not os.environ.get("NO_COLOR")


def configure_logs(format_: LogFormat, level: LogLevel, stream: TextIO | None = None) -> None:
    """Set logging up for the process; `stream` is standard error unless given."""
    out = cast(TextIO, _StandardError()) if stream is None else stream
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        redact,
    ]
    renderer: Processor = (
        structlog.processors.JSONRenderer(sort_keys=True)
        if format_ == "json"
        else structlog.dev.ConsoleRenderer(colors=_coloured(out), pad_event_to=0)
    )
    structlog.configure(
        processors=[*shared, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(_LEVELS[level]),
        logger_factory=structlog.PrintLoggerFactory(out),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(out)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    library = logging.getLogger()
    for earlier in [known for known in library.handlers if getattr(known, "is_navoracle", False)]:
        library.removeHandler(earlier)
    handler.is_navoracle = True  # type: ignore[attr-defined]
    library.addHandler(handler)
    library.setLevel(max(logging.WARNING, _LEVELS[level]))


def redact(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Hide secrets in every value of a log event."""
    for name, value in event.items():
        if not name.startswith("_"):  # structlog's own
            event[name] = redacted(name, value)
    return event


def redacted(name: str, value: object) -> Any:
    """A value as plain data without secrets; what is none becomes its text, because a `repr` may show one."""
    if value is None or isinstance(value, bool | int | float):
        return HIDDEN if value is not None and is_secret_name(name) else value
    if is_secret_name(name):
        return HIDDEN
    if isinstance(value, Mapping):
        return {redact_text(str(key)): redacted(str(key), item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [redacted(name, item) for item in value]
    return redact_text(str(value))
