"""Rate limit and back-off, on a clock of the test's own."""

from __future__ import annotations

import pytest

from navoracle.chain.limits import FIRST_BACK_OFF, LONGEST_BACK_OFF, BackOff, RateLimit


def test_reserve__no_limit__never_waits() -> None:
    limit = RateLimit(None)
    assert [limit.reserve(0.0) for _ in range(1_000)] == [0.0] * 1_000


def test_reserve__more_than_a_second_s_worth__waits_for_its_turn() -> None:
    limit = RateLimit(4)
    assert [limit.reserve(0.0) for _ in range(6)] == pytest.approx([0, 0, 0, 0, 0.25, 0.5])
    assert limit.reserve(10.0) == 0.0


def test_back_off__failures_in_a_row__doubles_up_to_its_limit() -> None:
    rest, now, waits = BackOff(), 0.0, []
    for _ in range(10):
        rest.failed(now)
        waits.append(rest.remaining(now))
        now += rest.remaining(now)
    assert waits[:4] == [FIRST_BACK_OFF, 2 * FIRST_BACK_OFF, 4 * FIRST_BACK_OFF, 8 * FIRST_BACK_OFF]
    assert waits[-1] == LONGEST_BACK_OFF


def test_back_off__requests_that_failed_together__count_once() -> None:
    rest = BackOff()
    for _ in range(8):
        rest.failed(1.0)
    assert rest.remaining(1.0) == FIRST_BACK_OFF


def test_back_off__host_asks_for_more__is_left_alone_that_long() -> None:
    rest = BackOff()
    rest.failed(0.0, at_least=7.0)
    assert rest.remaining(0.0) == 7.0
    rest.failed(0.0, at_least=10_000.0)
    assert rest.remaining(0.0) == LONGEST_BACK_OFF


def test_back_off__success__ends_it() -> None:
    rest = BackOff()
    rest.failed(0.0)
    rest.succeeded()
    assert rest.remaining(0.0) == 0.0
    rest.failed(0.0)
    assert rest.remaining(0.0) == FIRST_BACK_OFF
