"""Taking care of an alert: the page says whose name is noted, and what that name is worth."""

from __future__ import annotations

import pytest

from navoracle.dashboard.parts.incidents import recorded_as


@pytest.mark.parametrize(
    ("name", "whose"), [("", "Noted is the name that you write here."), ("Ann", "Noted is the name Ann.")]
)
def test_recorded_as__before_and_after_a_name_is_written__says_whose_and_that_nobody_checks_it(
    name: str, whose: str
) -> None:
    told = recorded_as(name)
    assert told.startswith(f"{whose} Nobody checks it")
    assert "without a password that is everybody on this machine" in told
