"""What a process says when it ends by a defect: its traceback, without any secret that it holds."""

from __future__ import annotations

import sys
import threading
import traceback
from types import TracebackType

from navoracle.redaction import redact_text


def crash_text(error: BaseException) -> str:
    """The traceback with its causes; local variables are never part of it."""
    return redact_text("".join(traceback.format_exception(error)))


def install_crash_hooks() -> None:
    """Let tracebacks of the main thread, of other threads and of destructors take this way."""
    sys.excepthook = _excepthook
    threading.excepthook = _thread_excepthook
    sys.unraisablehook = _unraisable_hook


def _excepthook(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, error, trace)
        return
    sys.stderr.write(crash_text(error.with_traceback(trace)))


def _thread_excepthook(arguments: threading.ExceptHookArgs) -> None:
    if arguments.exc_value is not None and not isinstance(arguments.exc_value, SystemExit):
        sys.stderr.write(crash_text(arguments.exc_value))


def _unraisable_hook(arguments: sys.UnraisableHookArgs) -> None:
    if arguments.exc_value is not None:
        sys.stderr.write(f"ignored in {redact_text(repr(arguments.object))}: {crash_text(arguments.exc_value)}")
