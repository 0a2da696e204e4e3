"""The double of Superstate's oracle: checkpoints within an absolute bound, and a read that always looks fresh."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from navoracle.domain.peer_guards import superstate
from navoracle.domain.units import Timestamp
from tests.contracts.peers import DAY, HOUR, OWNER, STRANGER, UNDERFLOW, PeerChain, on_chain

TEN = 10_000_000
"""10 USD, of 6 decimals."""
DELTA = 100_000


class Superstate(PeerChain):
    """An oracle without checkpoints whose owner posts."""

    def __init__(self) -> None:
        super().__init__()
        token = self.deploy("Token", "USTB", "USTB", 6)
        self.oracle = self.deploy("SuperstateOracle", self.accounts[OWNER], token.address, DELTA)
        self.start = self.next_time()

    def add(self, time: int, timestamp: int, effective: int, navs: int, *, pending: bool = False) -> None:
        self.send(time, OWNER, self.oracle, "addCheckpoint", timestamp, effective, navs, pending)

    def refused(self, time: int, timestamp: int, effective: int, navs: int, *, pending: bool = False) -> str:
        return self.refusal(time, OWNER, self.oracle, "addCheckpoint", timestamp, effective, navs, pending)

    def two(self) -> int:
        """Checkpoints of 10.00 and 10.01, a day apart, both in effect from the returned time."""
        now = self.start
        self.add(now, now - 2 * DAY, now, TEN)
        self.add(now + 1, now - DAY, now + 1, TEN + 10_000)
        return now + 1


@pytest.fixture(scope="module")
def shared() -> Superstate:
    return Superstate()


@pytest.fixture
def chain(shared: Superstate) -> Iterator[Superstate]:
    with shared.rewound():
        yield shared


def test_checkpoint__by_others_than_the_owner__is_refused(chain: Superstate) -> None:
    arguments = (chain.start - 1, chain.start, TEN, False)
    refused = chain.refusal(chain.start, STRANGER, chain.oracle, "addCheckpoint", *arguments)
    assert refused == "OwnableUnauthorizedAccount"
    # The owner both posts and moves the bound.
    assert chain.refusal(chain.start, OWNER, chain.oracle, "setMaximumAcceptablePriceDelta", 10**9) == ""
    assert chain.refusal(chain.start, OWNER, chain.oracle, "setMaximumAcceptablePriceDelta", DELTA) == "BadArgs"


def test_checkpoint__at_the_edge_of_its_times__is_refused_beyond(chain: Superstate) -> None:
    now = chain.start
    assert chain.refused(now, now, now, TEN) == "TimestampInvalid"
    assert chain.refused(now, now - 1, now, TEN) == ""
    # Signed for this second and mined in the next.
    assert chain.refused(now + 1, now - 1, now, TEN) == "EffectiveAtInvalid"
    assert chain.refused(now + 1, now - 1, now + 1, TEN) == ""


def test_checkpoint__at_the_bound_and_one_unit_beyond__is_an_absolute_amount(chain: Superstate) -> None:
    now = chain.start
    chain.add(now, now - DAY, now, TEN)
    for navs, expected in (
        (TEN + DELTA, ""),
        (TEN + DELTA + 1, "NetAssetValuePerShareTooHigh"),
        (TEN - DELTA, ""),
        (TEN - DELTA - 1, "NetAssetValuePerShareTooLow"),
    ):
        assert chain.refused(now + 1, now - DAY + 1, now + 1, navs) == expected


def test_checkpoint__under_a_bound_above_the_value__panics(chain: Superstate) -> None:
    now = chain.start
    chain.add(now, now - DAY, now, TEN)
    chain.send(now + 1, OWNER, chain.oracle, "setMaximumAcceptablePriceDelta", TEN + 1)
    assert chain.refused(now + 2, now - DAY + 1, now + 2, TEN) == UNDERFLOW


def test_checkpoint__not_after_the_last__is_refused(chain: Superstate) -> None:
    now = chain.start
    chain.add(now, now - DAY, now + HOUR, TEN)
    assert chain.refused(now + 1, now - DAY, now + HOUR + 1, TEN) == "TimestampNotChronological"
    assert chain.refused(now + 1, now - DAY + 1, now + HOUR, TEN) == "EffectiveAtNotChronological"
    assert chain.refused(now + 1, now - DAY + 1, now + HOUR + 1, TEN) == ""


def test_checkpoint__while_another_waits__needs_the_override(chain: Superstate) -> None:
    now = chain.two()
    chain.add(now + 1, now - HOUR, now + HOUR, TEN)
    assert chain.refused(now + 2, now - 1, now + 2 * HOUR, TEN) == "ExistingPendingEffectiveAt"
    assert chain.refused(now + 2, now - 1, now + 2 * HOUR, TEN, pending=True) == ""
    batch = [(now - 2, now + 2 * HOUR, TEN), (now - 1, now + 3 * HOUR, TEN)]
    assert chain.refusal(now + 2, OWNER, chain.oracle, "addCheckpoints", batch) == ""
    assert chain.refusal(now + 2, STRANGER, chain.oracle, "addCheckpoints", batch) == "OwnableUnauthorizedAccount"


def test_read__days_after_the_last_checkpoint__extrapolates_and_says_it_was_updated_now(chain: Superstate) -> None:
    now = chain.two()
    assert (chain.view(chain.oracle, "decimals"), chain.view(chain.oracle, "version")) == (6, 1)
    assert chain.refusal(now + 1, STRANGER, chain.oracle, "getRoundData", 1) == "NotImplemented"
    # 0.01 a day from 10.01 as of a day before the start; 4 days later it is 10.05.
    late = chain.start - DAY + 4 * DAY
    chain.wait_until(late)
    assert chain.view(chain.oracle, "latestRoundData") == [1, TEN + 50_000, late, late, 1]
    chain.wait_until(now + 5 * DAY)
    assert chain.view(chain.oracle, "latestRoundData")[3] == now + 5 * DAY
    assert chain.refusal(now + 5 * DAY + 1, STRANGER, chain.oracle, "latestRoundData") == "StaleCheckpoint"


def test_read__of_a_falling_line__falls_on(chain: Superstate) -> None:
    now = chain.start
    chain.add(now, now - 2 * DAY, now, TEN)
    chain.add(now + 1, now - DAY, now + 1, TEN - 10_000)
    chain.wait_until(now + DAY)
    assert chain.view(chain.oracle, "latestRoundData")[1] == TEN - 30_000


def test_read__with_fewer_than_two_checkpoints_in_effect__is_refused(chain: Superstate) -> None:
    now = chain.start
    assert chain.refusal(now, STRANGER, chain.oracle, "latestRoundData") == "CantGeneratePrice"
    chain.add(now, now - 2 * DAY, now, TEN)
    assert chain.refusal(now + 1, STRANGER, chain.oracle, "latestRoundData") == "CantGeneratePrice"
    chain.add(now + 1, now - DAY, now + HOUR, TEN)
    assert chain.refusal(now + HOUR - 1, STRANGER, chain.oracle, "latestRoundData") == "CantGeneratePrice"
    chain.wait_until(now + HOUR)
    assert chain.view(chain.oracle, "latestRoundData")[0] == 1
    chain.add(now + HOUR, now - 1, now + 2 * HOUR, TEN)
    assert chain.view(chain.oracle, "latestRoundData")[0] == 1


@on_chain
@given(
    count=st.integers(1, 2),
    times=st.tuples(st.integers(-2, 2 * DAY), st.integers(-2, 2 * DAY)),
    navs=st.one_of(st.integers(0, 2 * TEN), st.integers(TEN - DELTA - 1, TEN + DELTA + 1)),
    delta=st.integers(0, TEN),
    pending=st.booleans(),
    override=st.booleans(),
)
def test_any_checkpoint__is_judged_as_the_model_says(
    shared: Superstate, count: int, times: tuple[int, int], navs: int, delta: int, pending: bool, override: bool
) -> None:
    chain, now = shared, shared.start + 10
    last = superstate.Checkpoint(Timestamp(shared.start - DAY), Timestamp(shared.start + (DAY if pending else 2)), TEN)
    new = superstate.Checkpoint(Timestamp(last.timestamp + times[0]), Timestamp(last.effective_at + times[1]), navs)
    with chain.rewound():
        if count == 2:
            chain.add(chain.start, last.timestamp - 1, chain.start, TEN)
        chain.add(chain.start + 1, last.timestamp, last.effective_at, TEN)
        if delta != DELTA:
            chain.send(chain.start + 2, OWNER, chain.oracle, "setMaximumAcceptablePriceDelta", delta)
        refused = chain.refused(now, new.timestamp, new.effective_at, navs, pending=override)
    found = superstate.guards(last, new, max_delta=delta, count=count, override=override, now=Timestamp(now))
    assert (refused == "") == all(guard.passes for guard in found)
