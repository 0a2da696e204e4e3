"""The publishers of Midas feeds: the guarded call alone, and every reason not to make it yet."""

from __future__ import annotations

import inspect
from typing import Any

import pytest

from navoracle.abi import decode_result, selector
from navoracle.domain.errors import OutOfRange
from navoracle.domain.prior import PostBounds
from navoracle.domain.units import WAD, Wad
from navoracle.publishers.peers import MidasGrowthPeer, MidasPeer, midas, midas_growth
from tests.unit.addresses import address
from tests.unit.publishers.peers.desk import NOW, Desk, message
from tests.unit.publishers.posts import fund_post

FEED, TOKEN, SENDER = (address(number) for number in range(1, 4))
ROUND = ["uint80", "int256", "uint256", "uint256", "uint80"]
ONE = 10**8
LAST = NOW - 3_601 - 30
SAFE, SAFE_GROWTH = selector("setRoundDataSafe(int256)"), selector("setRoundDataSafe(int256,uint256,int80)")
UNSAFE = selector("setRoundData(int256)"), selector("setRoundData(int256,uint256,int80)")


def peer(**changes: Any) -> MidasPeer:
    return MidasPeer.model_validate({"id": "midas", "chain": "local", "contract": FEED, "decimals": 8} | changes)


def growth_peer(**changes: Any) -> MidasGrowthPeer:
    settings = {"id": "growth", "chain": "local", "contract": FEED, "decimals": 8, "growth_apr": 5 * ONE}
    return MidasGrowthPeer.model_validate(settings | changes)


class Feed(Desk):
    """A feed at 1.0 that may move by 1 %, between 0.5 and 2."""

    def __init__(self, model: MidasPeer | MidasGrowthPeer | None = None) -> None:
        super().__init__(peer() if model is None else model)
        self.put(FEED, "minAnswer()", ["int192"], ONE // 2)
        self.put(FEED, "maxAnswer()", ["int192"], 2 * ONE)
        self.put(FEED, "maxAnswerDeviation()", ["uint256"], ONE)
        self.put(FEED, "minGrowthApr()", ["int80"], -ONE)
        self.put(FEED, "maxGrowthApr()", ["int80"], 10 * ONE)
        self.put(FEED, "onlyUp()", ["bool"], False)
        self.round()

    def round(self, answer: int = ONE, *, updated: int = LAST, started: int | None = None, growth: int = 0) -> None:
        values = (3, answer, updated if started is None else started, updated, 3)
        self.put(FEED, "latestRoundData()", ROUND, *values)
        self.put(FEED, "latestRoundDataRaw()", [*ROUND, "int80"], *values, growth)


def pps_of(answer: int) -> int:
    return answer * 10**10


def test_encode__any_post__is_the_guarded_call_with_the_answer_rounded_down() -> None:
    data = Feed().batch(fund_post(1, pps_of(ONE + 1) - 1)).data
    assert (data[:4], decode_result(("int256",), data[4:])) == (SAFE, (ONE,))
    data = Feed(growth_peer()).batch(fund_post(1, pps_of(ONE + 1)), NOW - 60).data
    assert data[:4] == SAFE_GROWTH
    assert decode_result(("int256", "uint256", "int80"), data[4:]) == (ONE + 1, NOW - 60, 5 * ONE)


@pytest.mark.parametrize("module", [midas, midas_growth])
def test_module__as_a_whole__cannot_make_the_call_that_skips_the_guards(module: Any) -> None:
    source = inspect.getsource(module)
    assert "setRoundData(" not in source
    texts = [value for value in vars(module).values() if isinstance(value, str) and "(" in value]
    calls = [value for value in vars(module).values() if isinstance(value, bytes)]
    assert "setRoundDataSafe" in "".join(texts)
    for text in texts:
        if text.startswith("setRound"):
            assert selector(text) in (SAFE, SAFE_GROWTH)
    assert not {data[:4] for data in calls} & set(UNSAFE)


def test_encode__zero_or_too_wide__is_refused() -> None:
    with pytest.raises(OutOfRange, match="is 0 at 8 decimals"):
        Feed().batch(fund_post(1, 10**10 - 1))
    with pytest.raises(OutOfRange, match="int192"):
        Feed().batch(fund_post(1, (1 << 191) * 10**10))


async def test_resolve__feed__reads_its_decimals() -> None:
    desk = Feed(peer(decimals=None))
    desk.put(FEED, "decimals()", ["uint8"], 8)
    assert await desk.resolve() == peer()
    assert MidasPeer.model_validate(peer().describe()) == peer()
    assert MidasGrowthPeer.model_validate(growth_peer().describe()) == growth_peer()


async def test_confirmed__feed_with_a_token__has_a_nav_and_bounds() -> None:
    desk = Feed(peer(shares=TOKEN))
    desk.put(TOKEN, "totalSupply()", ["uint256"], 7 * WAD)
    desk.put(TOKEN, "decimals()", ["uint8"], 18)
    desk.round(ONE + 5)
    found = await desk.confirmed()
    assert found is not None
    assert (found.price_per_share, found.nav, found.valuation_time) == (pps_of(ONE + 5), 7 * pps_of(ONE + 5), LAST)
    assert (found.bounds, found.held) == (PostBounds(100, 100, 100), False)


async def test_confirmed__no_token_is_known__has_no_nav_rather_than_a_zero() -> None:
    found = await Feed().confirmed()
    assert found is not None
    assert found.nav is None


async def test_confirmed__before_the_first_round__is_nothing() -> None:
    desk = Feed()
    desk.round(0, updated=0)
    assert await desk.confirmed() is None


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (ONE + ONE // 100, None),
        (ONE + ONE // 100 + 1, "deviation"),
        (ONE - ONE // 100, None),
        (ONE - ONE // 100 - 1, "deviation"),
    ],
)
async def test_preview__at_the_deviation_and_one_unit_beyond__sends_only_what_the_feed_takes(
    answer: int, reason: str | None
) -> None:
    found = await Feed().preview(pps_of(answer))
    assert (found.reason, found.send) == (reason, reason is None)
    assert {guard.name for guard in found.guards} == {"deviation", "one_hour", "lowest_answer", "highest_answer"}
    if reason is not None:
        assert found.role == "feedAdminRole()"
        assert "never makes that call" in found.advice


async def test_preview__deviation_that_truncates_to_the_limit__passes_as_in_the_contract() -> None:
    # 3_030_303 of 300_000_001 is 1.01010099 %..., and 3_000_000 of 300_000_001 is 0.99999999 %, truncated.
    desk = Feed()
    desk.put(FEED, "maxAnswer()", ["int192"], 10 * ONE)
    desk.put(FEED, "maxAnswerDeviation()", ["uint256"], 99_999_999)
    desk.round(3 * ONE + 1)
    assert (await desk.preview(pps_of(3 * ONE + 1 + 3_000_000))).send
    assert (await desk.preview(pps_of(3 * ONE + 1 + 3_000_001))).reason == "deviation"


@pytest.mark.parametrize(("answer", "reason"), [(ONE // 2 - 1, "lowest_answer"), (2 * ONE + 1, "highest_answer")])
async def test_preview__beyond_the_range__names_who_can_change_the_contract(answer: int, reason: str) -> None:
    desk = Feed()
    desk.round(ONE + ONE // 2)
    desk.put(FEED, "maxAnswerDeviation()", ["uint256"], 100 * ONE)
    found = await desk.preview(pps_of(answer))
    assert (found.reason, found.send, found.role) == (reason, False, "proxy admin")


async def test_preview__exactly_an_hour_later__still_waits_for_more_than_an_hour_and_the_margin() -> None:
    desk = Feed()
    desk.round(updated=NOW - 3_600)
    found = await desk.preview(pps_of(ONE + 1))
    assert (found.reason, found.send, found.ready_at) == ("too_early", False, NOW - 3_600 + 3_601 + 30)
    assert [guard.passes for guard in found.guards if guard.name == "one_hour"] == [False]
    desk.round(updated=LAST + 1)
    assert (await desk.preview(pps_of(ONE + 1))).reason == "too_early"
    desk.round(updated=LAST)
    assert (await desk.preview(pps_of(ONE + 1))).send


async def test_preview__first_round__has_neither_deviation_nor_hour() -> None:
    desk = Feed()
    desk.round(0, updated=0)
    assert (await desk.preview(pps_of(ONE + ONE // 2))).send


async def test_preview__unchanged__waits_for_the_heartbeat() -> None:
    desk = Feed(peer(heartbeat=7_200))
    assert (await desk.preview(pps_of(ONE) + 10**10 - 1)).reason == "unchanged"
    desk.round(updated=NOW - 7_200)
    assert (await desk.preview(pps_of(ONE))).send


async def test_preview__sender_without_the_role__is_told_after_the_guards() -> None:
    desk = Feed(peer(sender=SENDER))
    desk.chain.refusals[SAFE] = message("WMAC: hasnt role")
    found = await desk.preview(pps_of(ONE + 1))
    assert (found.reason, found.send, found.role) == ("peer_refuses", False, "feedAdminRole()")
    assert "MidasAccessControl" in found.advice


async def test_preview__simulated_in_a_block_of_before_the_hour__sends_what_is_in_time_now() -> None:
    desk = Feed(peer(sender=SENDER))
    desk.at(NOW, block=LAST + 3_600)
    desk.chain.refusals[SAFE] = message("CA: not enough time passed")
    assert (await desk.preview(pps_of(ONE + 1))).send
    desk.at(NOW)
    assert (await desk.preview(pps_of(ONE + 1))).reason == "peer_refuses"


@pytest.mark.parametrize(
    ("answer", "updated", "success", "reason"),
    [
        (ONE + 1, NOW, True, None),
        (ONE + 2, NOW, True, "superseded"),
        (ONE + 1, LAST, True, "missing"),
        (ONE, LAST, False, "reverted"),
    ],
)
async def test_read_back__latest_round__must_be_this_posts_of_this_block(
    answer: int, updated: int, success: bool, reason: str | None
) -> None:
    desk = Feed()
    desk.round(answer, updated=updated)
    found = await desk.read_back(pps_of(ONE + 1), success=success)
    assert (found.accepted, found.reason) == (reason is None, reason)
    assert found.confirmed.price_per_share == pps_of(answer)


async def test_read_back__first_post_that_reverted__holds_nothing() -> None:
    desk = Feed()
    desk.round(0, updated=0)
    found = await desk.read_back(pps_of(ONE), success=False)
    assert (found.reason, found.confirmed.valuation_time, found.confirmed.nav) == ("reverted", 0, None)


class TestGrowth:
    """The feed that grows: times of data, rates of growth, only upwards."""

    def desk(self, **changes: Any) -> Feed:
        return Feed(growth_peer(**changes))

    async def test_confirmed__grown_answer__is_what_it_serves_with_the_time_of_its_data(self) -> None:
        desk = self.desk()
        desk.round(started=LAST - 5)
        desk.put(FEED, "latestRoundData()", ROUND, 3, ONE + 77, LAST - 5, LAST, 3)
        found = await desk.confirmed()
        assert found is not None
        assert (found.price_per_share, found.valuation_time) == (pps_of(ONE + 77), LAST - 5)

    async def test_preview__data_not_newer_than_the_last__is_not_sent(self) -> None:
        desk = self.desk()
        desk.round(started=NOW - 60)
        assert (await desk.preview(pps_of(ONE + 1), NOW - 60)).reason == "data_after_last_round"
        assert (await desk.preview(pps_of(ONE + 1), NOW - 59)).send

    async def test_preview__data_of_after_the_newest_block__waits_for_a_later_one(self) -> None:
        desk = self.desk()
        desk.at(NOW, block=NOW - 12)
        found = await desk.preview(pps_of(ONE + 1), NOW - 11)
        assert (found.reason, found.send, found.ready_at) == ("too_early", False, NOW - 11 + 1 + 30)
        assert (await desk.preview(pps_of(ONE + 1), NOW - 12)).reason == "too_early"
        assert (await desk.preview(pps_of(ONE + 1), NOW - 13)).send
        desk.at(NOW + 20, block=NOW - 12)
        assert (await desk.preview(pps_of(ONE + 1), NOW - 11)).send

    async def test_preview__simulated_in_the_block_of_the_data_itself__is_not_taken_at_its_word(self) -> None:
        desk = self.desk(sender=SENDER)
        desk.chain.refusals[SAFE_GROWTH] = message("CAG: timestamp >= now")
        desk.at(NOW, block=NOW - 31)
        assert (await desk.preview(pps_of(ONE + 1), NOW - 31)).send
        assert (await desk.preview(pps_of(ONE + 1), NOW - 32)).reason == "peer_refuses"

    @pytest.mark.parametrize(
        ("growth", "reason"),
        [(10 * ONE, None), (10 * ONE + 1, "highest_growth"), (-ONE, None), (-ONE - 1, "lowest_growth")],
    )
    async def test_preview__growth_at_the_band_and_beyond__is_judged_as_by_the_feed(
        self, growth: int, reason: str | None
    ) -> None:
        found = await self.desk(growth_apr=growth).preview(pps_of(ONE + 1))
        assert (found.reason, found.send) == (reason, reason is None)

    async def test_preview__feed_that_only_goes_up__takes_no_fall_and_no_negative_growth(self) -> None:
        desk = self.desk()
        desk.put(FEED, "onlyUp()", ["bool"], True)
        found = await desk.preview(pps_of(ONE - 1_000))
        assert (found.reason, found.role) == ("only_up", "feedAdminRole()")
        desk.peer = growth_peer(growth_apr=-1)
        assert (await desk.preview(pps_of(ONE + 1_000))).reason == "lowest_growth"

    async def test_preview__deviation__is_between_answers_grown_up_to_now(self) -> None:
        # At 10 % a year over half a year the last answer is 5 % higher: a post of 1.0 would be a fall of 4.76 %.
        desk = self.desk(heartbeat=10**9)
        half_a_year = 365 * 86_400 // 2
        desk.put(FEED, "maxAnswerDeviation()", ["uint256"], 4 * ONE)
        desk.round(started=NOW - half_a_year, growth=10 * ONE)
        assert (await desk.preview(pps_of(ONE))).reason == "deviation"
        assert (await desk.preview(pps_of(ONE + ONE // 20))).send

    async def test_preview__what_the_feed_grows_to_anyway__is_unchanged(self) -> None:
        desk = self.desk()
        desk.round(started=NOW - 365 * 86_400 - 60, growth=5 * ONE)
        assert (await desk.preview(pps_of(ONE + 5 * ONE // 100), NOW - 60)).reason == "unchanged"
        desk.peer = growth_peer(growth_apr=4 * ONE)
        assert (await desk.preview(pps_of(ONE + 5 * ONE // 100), NOW - 60)).send

    async def test_read_back__round__must_have_answer_time_and_growth_of_the_post(self) -> None:
        desk = self.desk()
        for answer, started, growth, accepted in (
            (ONE + 1, NOW - 60, 5 * ONE, True),
            (ONE + 2, NOW - 60, 5 * ONE, False),
            (ONE + 1, NOW - 61, 5 * ONE, False),
            (ONE + 1, NOW - 60, 4 * ONE, False),
        ):
            desk.round(answer, updated=NOW, started=started, growth=growth)
            found = await desk.read_back(pps_of(ONE + 1), NOW - 60)
            assert (found.accepted, found.reason) == (accepted, None if accepted else "superseded")


def test_encode__base_of_two_dollars__answers_in_the_base() -> None:
    data = Feed(peer(base="BTC")).batch(fund_post(1, 3 * WAD, prices={"BTC": Wad(2 * WAD)})).data
    assert decode_result(("int256",), data[4:]) == (3 * ONE // 2,)
