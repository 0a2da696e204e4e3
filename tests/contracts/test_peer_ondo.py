"""The doubles of Ondo's two oracles: one bounds the price's own step, the other compares it with a Chainlink feed's."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from navoracle.domain.peer_guards import ondo
from navoracle.domain.units import Timestamp
from tests.contracts.peers import HOUR, OWNER, POSTER, STRANGER, WAD, PeerChain, on_chain

WINDOW = 23 * HOUR
HUNDRED = 100 * WAD
SHV = 110 * 10**8
"""The compared instrument's price, of 8 decimals."""


class Ondo(PeerChain):
    """Both oracles at 100, deployed at `set_at` and `compared_at`, and the feed that the second one compares with."""

    def __init__(self) -> None:
        super().__init__()
        who = (self.accounts[OWNER], self.accounts[POSTER])
        self.oracle = self.deploy("OndoOracle", *who, HUNDRED)
        self.set_at = self.view(self.oracle, "priceTimestamp")
        self.feed = self.deploy("Feed", 8, "SHV / USD")
        self.send(self.next_time(), OWNER, self.feed, "set", SHV, self.set_at)
        self.compared = self.deploy("OndoComparisonOracle", HUNDRED, self.feed.address, "OUSG", *who)
        self.compared_at = self.view(self.compared, "priceTimestamp")

    def refused(self, time: int, price: int) -> str:
        return self.refusal(time, POSTER, self.oracle, "setPrice", price)

    def compared_refused(self, time: int, price: int) -> str:
        return self.refusal(time, POSTER, self.compared, "setPrice", price)

    def round(self, time: int, answer: int) -> int:
        """Give the feed a fresh round, in the second before `time`, and return `time`."""
        self.send(time - 1, OWNER, self.feed, "set", answer, time - 1)
        return time


@pytest.fixture(scope="module")
def shared() -> Ondo:
    return Ondo()


@pytest.fixture
def chain(shared: Ondo) -> Iterator[Ondo]:
    with shared.rewound():
        yield shared


def test_price__at_one_percent_and_a_wei_beyond__passes_and_is_refused(chain: Ondo) -> None:
    due = chain.set_at + WINDOW
    for sign in (1, -1):
        assert chain.refused(due, HUNDRED + sign * WAD) == ""
        assert chain.refused(due, HUNDRED + sign * (WAD + 1)) == "DeltaDifferenceConstraintViolation"


def test_price__a_second_before_23_hours__is_refused(chain: Ondo) -> None:
    assert chain.refused(chain.set_at + WINDOW - 1, HUNDRED) == "PriceUpdateWindowViolation"
    receipt = chain.send(chain.set_at + WINDOW, POSTER, chain.oracle, "setPrice", HUNDRED + WAD)
    told = {"oldPrice": HUNDRED, "newPrice": HUNDRED + WAD, "timestamp": chain.set_at + WINDOW}
    assert chain.events(chain.oracle, receipt) == [("RWAPriceSet", told)]
    assert chain.view(chain.oracle, "getPriceData") == [HUNDRED + WAD, chain.set_at + WINDOW]


def test_price__not_positive_or_by_others__is_refused(chain: Ondo) -> None:
    due = chain.set_at + WINDOW
    assert [chain.refused(due, price) for price in (0, -1)] == ["InvalidPrice", "InvalidPrice"]
    for oracle in (chain.oracle, chain.compared):
        refused = chain.refusal(due, STRANGER, oracle, "setPrice", HUNDRED)
        assert refused == "AccessControlUnauthorizedAccount"


@on_chain
@given(
    price=st.integers(1, 10**24),
    change=st.one_of(st.integers(-300, 300), st.sampled_from(("up", "down"))),
    off=st.integers(-1, 1),
    waited=st.integers(WINDOW - 1, WINDOW + 1),
)
def test_any_price__is_judged_as_the_model_says(
    shared: Ondo, price: int, change: int | str, off: int, waited: int
) -> None:
    chain = shared
    edge = price // 100 * (1 if change == "up" else -1) if isinstance(change, str) else price * change // 10_000
    following = max(0, price + edge + off)
    with chain.rewound():
        oracle = chain.deploy("OndoOracle", chain.accounts[OWNER], chain.accounts[POSTER], price)
        set_at = chain.view(oracle, "priceTimestamp")
        refused = chain.refusal(set_at + waited, POSTER, oracle, "setPrice", following)
    found = ondo.guards(price, Timestamp(set_at), following, Timestamp(set_at + waited))
    assert (refused == "") == all(guard.passes for guard in found)


def test_compared_price__without_a_new_round__is_refused(chain: Ondo) -> None:
    due = chain.compared_at + WINDOW
    assert chain.compared_refused(due, HUNDRED) == "ChainlinkRoundNotUpdated"
    chain.round(due, SHV)
    assert chain.compared_refused(due - 1 + 25 * HOUR, HUNDRED) == ""
    assert chain.compared_refused(due + 25 * HOUR, HUNDRED) == "ChainlinkOraclePriceStale"
    assert chain.compared_refused(due, 0) == "InvalidRWAPrice"
    chain.send(due, POSTER, chain.compared, "setPrice", HUNDRED)
    assert chain.compared_refused(due + 1, HUNDRED) == "ChainlinkRoundNotUpdated"
    chain.round(due + HOUR, SHV)
    assert chain.compared_refused(due + WINDOW - 1, HUNDRED) == "PriceUpdateWindowViolation"
    assert chain.compared_refused(due + WINDOW, HUNDRED) == ""


def test_compared_price__at_each_bound_and_a_bps_beyond__rounds_toward_zero(chain: Ondo) -> None:
    bps = HUNDRED // 10_000
    now = chain.round(chain.compared_at + WINDOW, SHV)
    for sign in (1, -1):
        assert chain.compared_refused(now, HUNDRED + sign * (75 * bps - 1)) == ""
        assert chain.compared_refused(now, HUNDRED + sign * 75 * bps) == "DeltaDifferenceConstraintViolation"
    now = chain.round(now + 1, SHV + SHV * 2 // 100)
    assert chain.compared_refused(now, HUNDRED + 201 * bps - 1) == ""
    assert chain.compared_refused(now, HUNDRED + 201 * bps) == "AbsoluteDifferenceConstraintViolated"
    assert chain.compared_refused(now, HUNDRED + 125 * bps) == "DeltaDifferenceConstraintViolation"


def test_compared_price__beside_a_feed_that_jumped__ignores_the_feed(chain: Ondo) -> None:
    now = chain.round(chain.compared_at + WINDOW, SHV * 2)
    assert chain.compared_refused(now, HUNDRED - 2 * WAD) == ""
    receipt = chain.send(now, POSTER, chain.compared, "setPrice", HUNDRED + WAD)
    assert [name for name, _ in chain.events(chain.compared, receipt)] == [
        "ChainlinkPriceIgnored",
        "RWAExternalComparisonCheckPriceSet",
    ]
    assert chain.view(chain.compared, "getPriceData") == [HUNDRED + WAD, now]
    assert chain.view(chain.compared, "lastSetRound")[1] == SHV * 2


def test_compared_price__beside_a_broken_round__is_refused(chain: Ondo) -> None:
    now = chain.compared_at + WINDOW
    identifier = (1 << 64) + 5
    for answer, updated, answered in (
        (-1, now, identifier),
        (SHV, 0, identifier),
        (SHV, now + 9, identifier),
        (SHV, now, 1),
    ):
        with chain.rewound():
            chain.send(now, OWNER, chain.feed, "setRound", identifier, answer, now, updated, answered)
            assert chain.compared_refused(now + 1, HUNDRED) == "CorruptedChainlinkResponse"


@on_chain
@given(
    change=st.one_of(st.integers(-30_000, 30_000), st.sampled_from((7_400, 7_499, 7_500, 20_099, 20_100))),
    moved=st.one_of(st.integers(-30_000, 30_000), st.sampled_from((0, 27_499, 27_500, -27_499, -27_500))),
)
def test_any_compared_price__is_judged_as_the_model_says(shared: Ondo, change: int, moved: int) -> None:
    chain, due = shared, shared.compared_at + WINDOW
    price, answer = HUNDRED + HUNDRED * change // 10**6, SHV + SHV * moved // 10**6
    with chain.rewound():
        now = chain.round(due, answer)
        refused = chain.compared_refused(now, price)
    found = ondo.comparison_guards(
        HUNDRED,
        Timestamp(chain.compared_at),
        price,
        last_reference=ondo.ReferenceRound(1, SHV, Timestamp(chain.set_at)),
        reference=ondo.ReferenceRound(2, answer, Timestamp(now - 1)),
        now=Timestamp(now),
    )
    assert (refused == "") == all(guard.passes for guard in found)
