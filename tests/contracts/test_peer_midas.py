"""The doubles of Midas's feeds: a guarded way to post, and one beside it that the same key may take."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from web3.contract import Contract

from navoracle.domain.peer_guards import midas
from navoracle.domain.units import Timestamp
from tests.contracts.peers import DAY, DIVISION_BY_ZERO, HOUR, OWNER, POSTER, STRANGER, YEAR, PeerChain, on_chain

ONE = 10**8
"""One, of 8 decimals; as a percentage 1 %."""
LOWEST, HIGHEST, DEVIATION = ONE // 10, 1_000 * ONE, ONE
MIN_APR, MAX_APR = -10 * ONE, 10 * ONE


class Midas(PeerChain):
    """A plain feed and a growth feed that POSTER posts to; both bound to 1 % a post."""

    def __init__(self) -> None:
        super().__init__()
        self.feed = self.make(LOWEST, DEVIATION)
        self.growth = self.make_growth(only_up=False)
        self.start = self.next_time()

    def make(self, lowest: int, deviation: int) -> Contract:
        who = (self.accounts[OWNER], self.accounts[POSTER])
        return self.deploy("MidasFeed", *who, lowest, HIGHEST, deviation, "mTBILL/USD")

    def make_growth(self, *, only_up: bool, deviation: int = DEVIATION) -> Contract:
        who = (self.accounts[OWNER], self.accounts[POSTER])
        bounds = ([LOWEST, HIGHEST], deviation, [MIN_APR, MAX_APR])
        return self.deploy("MidasGrowthFeed", *who, *bounds, only_up, "mFARM/USD")

    def safe(self, time: int, *arguments: int, feed: Contract | None = None) -> str:
        """Why the guarded call would be refused at this time."""
        return self.refusal(time, POSTER, feed or self.feed, "setRoundDataSafe", *arguments)


@pytest.fixture(scope="module")
def shared() -> Midas:
    return Midas()


@pytest.fixture
def chain(shared: Midas) -> Iterator[Midas]:
    with shared.rewound():
        yield shared


def test_feed__before_its_first_round__answers_zeros_and_takes_any_answer_in_range(chain: Midas) -> None:
    assert chain.view(chain.feed, "latestRoundData") == [0, 0, 0, 0, 0]
    assert chain.safe(chain.start, LOWEST - 1) == "CA: out of [min;max]"
    assert chain.safe(chain.start, HIGHEST + 1) == "CA: out of [min;max]"
    assert [chain.safe(chain.start, answer) for answer in (LOWEST, HIGHEST)] == ["", ""]
    receipt = chain.send(chain.start, POSTER, chain.feed, "setRoundDataSafe", ONE)
    updated = {"data": ONE, "roundId": 1, "timestamp": chain.start}
    assert chain.events(chain.feed, receipt) == [("AnswerUpdated", updated)]
    assert chain.view(chain.feed, "latestRoundData") == [1, ONE, chain.start, chain.start, 1]
    assert (chain.view(chain.feed, "decimals"), chain.view(chain.feed, "lastAnswer")) == (8, ONE)
    assert chain.view(chain.feed, "lastTimestamp") == chain.start


def test_safe_post__after_exactly_an_hour__is_refused_and_a_second_later_is_not(chain: Midas) -> None:
    chain.send(chain.start, POSTER, chain.feed, "setRoundDataSafe", ONE)
    assert chain.safe(chain.start + HOUR, ONE) == "CA: not enough time passed"
    assert chain.safe(chain.start + HOUR + 1, ONE) == ""


@pytest.mark.parametrize("sign", [1, -1])
def test_safe_post__at_the_deviation_and_beyond__rounds_toward_zero(chain: Midas, sign: int) -> None:
    # At 333.00000001 a unit more than 1 % still rounds to 1 %.
    last = 333 * ONE + 1
    chain.send(chain.start, POSTER, chain.feed, "setRoundData", last)
    late, edge = chain.start + HOUR + 1, last * 101 // 100 - last
    assert chain.safe(late, last + sign * edge) == ""
    assert (
        chain.safe(late, last + sign * (edge + 1)) == "" if (edge + 1) * ONE * 100 // last == ONE else "CA: !deviation"
    )
    assert chain.safe(late, last + sign * (edge + 400)) == "CA: !deviation"


def test_plain_post__with_the_same_key__skips_deviation_and_hour(chain: Midas) -> None:
    chain.send(chain.start, POSTER, chain.feed, "setRoundDataSafe", ONE)
    assert chain.safe(chain.start + 1, 2 * ONE) == "CA: !deviation"
    chain.send(chain.start + 1, POSTER, chain.feed, "setRoundData", 2 * ONE)
    assert chain.view(chain.feed, "lastAnswer") == 2 * ONE
    out = chain.refusal(chain.start + 2, POSTER, chain.feed, "setRoundData", HIGHEST + 1)
    assert out == "CA: out of [min;max]"


def test_post__by_a_stranger__is_refused_after_the_guards(chain: Midas) -> None:
    chain.send(chain.start, POSTER, chain.feed, "setRoundDataSafe", ONE)
    late = chain.start + HOUR + 1
    role = chain.view(chain.feed, "feedAdminRole")
    assert chain.view(chain.feed, "accessControl") == chain.feed.address
    assert chain.view(chain.feed, "hasRole", role, chain.accounts[POSTER])
    assert not chain.view(chain.feed, "hasRole", role, chain.accounts[OWNER])
    assert chain.refusal(late, STRANGER, chain.feed, "setRoundDataSafe", ONE) == "WMAC: hasnt role"
    assert chain.refusal(late, STRANGER, chain.feed, "setRoundDataSafe", 2 * ONE) == "CA: !deviation"
    assert chain.refusal(late, STRANGER, chain.feed, "setRoundData", ONE) == "WMAC: hasnt role"


def test_safe_post__after_an_answer_of_zero__panics(chain: Midas) -> None:
    feed = chain.make(0, DEVIATION)
    chain.send(chain.start + DAY, POSTER, feed, "setRoundData", 0)
    assert chain.safe(chain.start + 2 * DAY, ONE, feed=feed) == DIVISION_BY_ZERO


@on_chain
@given(
    last=st.integers(LOWEST, HIGHEST),
    deviation=st.integers(0, 100 * ONE),
    answer=st.one_of(st.integers(-1, HIGHEST + 1), st.sampled_from(("above", "below"))),
    off=st.integers(-1, 1),
    waited=st.one_of(st.integers(1, 2 * HOUR), st.sampled_from((HOUR, HOUR + 1))),
)
def test_safe_post__of_any_answer__is_judged_as_the_model_says(
    shared: Midas, last: int, deviation: int, answer: int | str, off: int, waited: int
) -> None:
    chain = shared
    if isinstance(answer, str):
        answer = last + (1 if answer == "above" else -1) * (last * deviation // (100 * ONE)) + off
    with chain.rewound():
        feed = chain.make(LOWEST, deviation)
        start = chain.next_time()
        chain.send(start, POSTER, feed, "setRoundData", last)
        refused = chain.safe(start + waited, answer, feed=feed)
    state = midas.MidasFeed(last, Timestamp(start), LOWEST, HIGHEST, deviation)
    assert (refused == "") == all(guard.passes for guard in midas.guards(state, answer, Timestamp(start + waited)))


def test_growth__between_posts__adds_simple_interest_from_the_time_of_the_data(chain: Midas) -> None:
    data = chain.start - DAY
    receipt = chain.send(chain.start, POSTER, chain.growth, "setRoundDataSafe", 100 * ONE, data, 5 * ONE)
    updated = {"data": 100 * ONE, "roundId": 1, "timestamp": data, "growthApr": 5 * ONE}
    assert chain.events(chain.growth, receipt) == [("AnswerUpdated", updated)]
    chain.wait_until(data + YEAR)
    assert chain.view(chain.growth, "latestRoundData") == [1, 105 * ONE, data, chain.start, 1]
    assert chain.view(chain.growth, "latestRoundDataRaw") == [1, 100 * ONE, data, chain.start, 1, 5 * ONE]
    assert chain.view(chain.growth, "lastAnswer") == 105 * ONE
    # A round that is not the last grows up to the post of the next one.
    chain.send(data + YEAR + 1, POSTER, chain.growth, "setRoundData", 106 * ONE, data + YEAR, 0)
    chain.wait_until(data + 3 * YEAR)
    grown = 100 * ONE + 100 * ONE * (YEAR + 1) * 5 * ONE // (100 * ONE * YEAR)
    assert chain.view(chain.growth, "getRoundData", 1) == [1, grown, data, chain.start, 1]


def test_growth_post__with_times_out_of_order__is_refused(chain: Midas) -> None:
    now = chain.start
    assert chain.safe(now, ONE, now, 0, feed=chain.growth) == "CAG: timestamp >= now"
    chain.send(now, POSTER, chain.growth, "setRoundDataSafe", ONE, now - 1, 0)
    late = now + HOUR
    assert chain.safe(late, ONE, late - 1, 0, feed=chain.growth) == "CAG: not enough time passed"
    assert chain.safe(late + 1, ONE, now - 1, 0, feed=chain.growth) == "CAG: timestamp <= last startedAt"
    assert chain.safe(late + 1, ONE, late + 2, 0, feed=chain.growth) == "CAG: timestampTo < timestampFrom"
    assert chain.safe(late + 1, ONE, now, 0, feed=chain.growth) == ""
    assert chain.safe(late + 1, 2 * ONE, now, 0, feed=chain.growth) == "CAG: !deviation"
    # The unguarded way takes data older than the last, of any size, at once.
    old = (2 * ONE, now - DAY, 0)
    assert chain.refusal(now + 1, POSTER, chain.growth, "setRoundData", *old) == ""
    assert chain.refusal(now + 1, STRANGER, chain.growth, "setRoundData", *old) == "WMAC: hasnt role"


def test_growth_post__with_a_rate_out_of_its_bounds__is_refused_both_ways(chain: Midas) -> None:
    now = chain.start
    for apr, refused in ((MAX_APR, ""), (MIN_APR, ""), (MAX_APR + 1, "x"), (MIN_APR - 1, "x")):
        expected = refused and "CAG: out of [min;max] growth"
        assert chain.safe(now, ONE, now - 1, apr, feed=chain.growth) == expected
        assert chain.refusal(now, POSTER, chain.growth, "setRoundData", ONE, now - 1, apr) == expected
    assert chain.refusal(now, POSTER, chain.growth, "setMaxGrowthApr", MIN_APR - 1) == "CAG: !max growth"
    assert chain.refusal(now, POSTER, chain.growth, "setMinGrowthApr", MAX_APR + 1) == "CAG: !min growth"


def test_growth_post__where_only_up_is_set__refuses_a_fall_and_a_negative_rate(chain: Midas) -> None:
    chain.send(chain.start, POSTER, chain.growth, "setRoundDataSafe", 100 * ONE, chain.start - 1, 0)
    chain.send(chain.start + 1, POSTER, chain.growth, "setOnlyUp", True)
    late = chain.start + HOUR + 1
    fall = chain.safe(late, 100 * ONE - ONE // 2, late - 1, 0, feed=chain.growth)
    assert fall == "CAG: deviation is negative"
    assert chain.safe(late, 100 * ONE, late - 1, -1, feed=chain.growth) == "CAG: negative apr"
    assert chain.safe(late, 100 * ONE, late - 1, 1, feed=chain.growth) == ""


@on_chain
@given(
    answers=st.tuples(st.integers(ONE, 100 * ONE), st.integers(-200, 200)),
    rates=st.tuples(st.integers(MIN_APR, MAX_APR), st.integers(MIN_APR - 1, MAX_APR + 1)),
    ages=st.tuples(st.integers(1, DAY), st.integers(0, DAY)),
    waited=st.integers(HOUR - 1, 30 * DAY),
    only_up=st.booleans(),
)
def test_growth_post__of_any_answer__is_judged_as_the_model_says(
    shared: Midas,
    answers: tuple[int, int],
    rates: tuple[int, int],
    ages: tuple[int, int],
    waited: int,
    only_up: bool,
) -> None:
    chain, (last, bps) = shared, answers
    answer = last + last * bps // 10_000
    with chain.rewound():
        feed = chain.make_growth(only_up=only_up)
        start = chain.next_time()
        now = Timestamp(start + waited)
        chain.send(start, POSTER, feed, "setRoundData", last, start - ages[0], rates[0])
        refused = chain.safe(now, answer, now - ages[1], rates[1], feed=feed)
    before = midas.GrowthRound(last, Timestamp(start - ages[0]), rates[0])
    new = midas.GrowthRound(answer, Timestamp(now - ages[1]), rates[1])
    state = midas.MidasFeed(before.at(now), Timestamp(start), LOWEST, HIGHEST, DEVIATION)
    limits = midas.GrowthLimits(MIN_APR, MAX_APR, only_up)
    assert (refused == "") == all(guard.passes for guard in midas.growth_guards(state, before, limits, new, now))
