"""What a service says when it begins: one line, with everything that whoever waits wants to know."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from navoracle.composition.beginning import Beginning, next_full_hour
from navoracle.domain.units import Timestamp
from navoracle.redaction import redact_text

NOW = Timestamp(1_767_225_600)  # 2026-01-01 00:00:00Z
FULL = Beginning("1.2.3", True, ("a", "b"), ("home", "base"), "http://h:1", True, Timestamp(NOW + 3_600))


def test_sentence__live_with_pages__has_all_of_it_on_one_line() -> None:
    assert FULL.sentence() == (
        "navoracle 1.2.3 started live; 2 funds on home, base; next slot by 2026-01-01 01:00:00Z; "
        "API and pages (/dashboard/) at http://h:1"
    )
    assert redact_text(FULL.sentence()) == FULL.sentence()


def test_sentence__rehearsal_that_serves_no_pages_or_nothing__names_no_address_that_is_not_there() -> None:
    quiet = replace(FULL, live=False, funds=("a",), chains=(), with_pages=False)
    assert quiet.sentence() == (
        "navoracle 1.2.3 started as a rehearsal: nothing is sent; 1 fund; "
        "next slot by 2026-01-01 01:00:00Z; API at http://h:1"
    )
    assert replace(FULL, serves=None).sentence().endswith("01:00:00Z")


def test_document__what_is_served__has_whole_addresses() -> None:
    assert (FULL.document()["api"], FULL.document()["dashboard"]) == ("http://h:1/api/v1", "http://h:1/dashboard/")
    assert replace(FULL, with_pages=False).document()["dashboard"] is None
    assert replace(FULL, serves=None).document()["api"] is None


@given(st.integers(0, 2**40))
def test_next_full_hour__any_time__is_the_first_full_hour_after_it(now: int) -> None:
    found = next_full_hour(Timestamp(now))
    assert found % 3_600 == 0
    assert 0 < found - now <= 3_600
