"""Times on the command line."""

from __future__ import annotations

import pytest

from navoracle.cli.status import time_of
from navoracle.domain.errors import UsageError


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("1700000000", 1_700_000_000),
        ("2023-11-14T22:13:20", 1_700_000_000),
        ("2023-11-14 22:13:20Z", 1_700_000_000),
        ("2023-11-15T00:13:20+02:00", 1_700_000_000),
        ("2023-11-14", 1_699_920_000),
    ],
)
def test_time_of__seconds_or_date__is_utc_unless_said(text: str, seconds: int) -> None:
    assert time_of(text) == seconds


@pytest.mark.parametrize("text", ["yesterday", "-5", "1.5", "", "2023-13-01"])
def test_time_of__anything_else__is_wrong_usage(text: str) -> None:
    with pytest.raises(UsageError):
        time_of(text)
