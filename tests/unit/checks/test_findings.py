"""Findings of a check: their order, and which of them make it end badly."""

from __future__ import annotations

import pytest

from navoracle.checks.findings import error, failing, in_order, note, warning

NOTE, WARNING, ERROR = (made("funds.one", made.__name__, "Look.") for made in (note, warning, error))


def test_in_order__of_all_levels__has_errors_first_notes_last_and_each_once() -> None:
    other = warning("assets.USD", "later in the file", "Look.")
    assert in_order([NOTE, WARNING, other, ERROR, WARNING]) == (ERROR, WARNING, other, NOTE)


@pytest.mark.parametrize(("strict", "found"), [(False, [ERROR]), (True, [WARNING, ERROR])])
def test_failing__strict_or_not__is_never_a_note(strict: bool, found: list[object]) -> None:
    assert failing([NOTE, WARNING, ERROR], strict=strict) == found
