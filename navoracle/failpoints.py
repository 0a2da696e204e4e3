"""Points at which a test lets the process die or freeze, to see what is left behind.

`NAVORACLE_FAILPOINT=after_sign` kills the process the first time that it comes by `after_sign`, `after_sign:3` the
third time; `stop:after_sign` freezes it (SIGSTOP) instead. Without the variable a point costs one look-up.
"""

from __future__ import annotations

import os
import signal
from collections import Counter
from typing import Final

VARIABLE: Final = "NAVORACLE_FAILPOINT"

FAIL_POINTS: Final = (
    "after_claim",
    "after_frame",
    "after_prepare",
    "after_sign",
    "after_save",
    "after_send",
    "after_mark",
    "after_bump_sign",
    "after_bump_save",
    "after_bump_send",
    "after_mined",
    "after_read_back",
    "after_confirm",
    "after_finish",
    "after_event",
)
"""Every point of a post, in the order in which it comes by them."""

_passed: Counter[str] = Counter()


def fail_point(name: str) -> None:
    """Die here if the environment says so; the process gets no chance to tidy up."""
    wanted = os.environ.get(VARIABLE)
    if wanted is None:
        return
    place = wanted.removeprefix("stop:")
    point, _, count = place.partition(":")
    if point != name:
        return
    _passed[name] += 1
    if _passed[name] == int(count or 1):
        os.kill(os.getpid(), signal.SIGKILL if place == wanted else signal.SIGSTOP)
