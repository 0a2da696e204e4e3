"""Plans: what the next frame starts from, and what it remembers of the last one."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest

from navoracle.domain.breaker import Breaker, BreakerPolicy
from navoracle.domain.cadence import Cadence
from navoracle.domain.errors import ChainError, ConfigurationError
from navoracle.domain.fees import FeeState
from navoracle.domain.frame import NavFrame
from navoracle.domain.prices import AggregationPolicy, LastValid, PriceEstimate, PriceStatus, unavailable
from navoracle.domain.prior import (
    ConfirmedNav,
    FirstLook,
    FundPrior,
    Prior,
    PriorFrame,
    PriorPosition,
    PriorPrice,
    PriorRound,
    Sample,
)
from navoracle.domain.units import Bps, Timestamp, Wad, to_wad
from navoracle.domain.verdicts import Outcome
from navoracle.keeper.evidence import evidence_hash
from navoracle.keeper.plan import AssetPlan
from navoracle.keeper.planner import LAST_FRAME_WINDOW, Planner, Subject, live_price
from navoracle.keeper.pricing import SAMPLE_WINDOW
from navoracle.storage import SqlStore
from navoracle.store_port import BreakerSubject
from tests.unit.domain.builders import live
from tests.unit.keeper.fakes import FakeLane, FakePublisher, FakeStore, MovingChain, outbox
from tests.unit.keeper.world import (
    CHAIN,
    HOLDER,
    NOW,
    TOKEN,
    World,
    declared,
    frame_plan,
    fund,
    recorded,
    subject,
    world,
)
from tests.unit.storage.builders import empty_sqlite_store


def known(price: str, *, age: int, frame: str = "old", asset: str = "USDC", side: str = "asset") -> PriorPrice:
    return PriorPrice(asset, side, LastValid(to_wad(price), Bps(9_000), Timestamp(NOW - age)), frame)


def planner(
    store: FakeStore | None = None, of: Subject | None = None, publisher: FakePublisher | None = None
) -> Planner:
    here = world()
    kept = store or FakeStore([])
    chain = MovingChain(here.clock, here.chain.block)
    out = outbox(chain, kept, publisher or FakePublisher([]), FakeLane([], kept), here.clock)
    return Planner(of or subject(), kept.port, {CHAIN: out}, now=NOW)


async def prior(of: Planner, *names: str, now: int = NOW) -> Prior:
    plan = await of.slot(names or ["cash"], NOW, Cadence.HOURLY, publish=False, now=Timestamp(now))
    return plan.prior


def frame_with(estimate: PriceEstimate, *, now: int = NOW, side: str = "asset", frame: str = "new") -> NavFrame:
    return NavFrame(
        id=frame,
        slot_time=NOW,
        cadence=Cadence.HOURLY,
        clock=Timestamp(now),
        now=Timestamp(now),
        stamps=(),
        quotes=(),
        estimates={(estimate.asset, side): estimate},  # type: ignore[dict-item]
        failures=(),
        funds=(),
    )


async def test_absorb__live_price__becomes_the_last_valid_one_with_its_frame() -> None:
    keeper = planner()
    keeper.absorb(frame_with(live("0.99", asset="USDC", age=5)))
    assert (await prior(keeper)).prices == (known("0.99", age=5, frame="new"),)


def estimated(price: str = "0.9") -> PriceEstimate:
    return replace(live(price, asset="USDC"), status=PriceStatus.ESTIMATED, reason="no_quotes")


@pytest.mark.parametrize("estimate", [estimated(), unavailable("USDC", "no_quotes")])
async def test_absorb__estimated_or_unavailable__changes_nothing(estimate: PriceEstimate) -> None:
    store = FakeStore([])
    store.prices = (known("1", age=600),)
    keeper = planner(store)
    keeper.absorb(frame_with(estimate))
    after = await prior(keeper)
    assert (after.prices, after.samples) == ((known("1", age=600),), ())


async def test_absorb__decayed_price_frame_after_frame__never_resets_its_age() -> None:
    store = FakeStore([])
    store.prices = (known("1", age=0),)
    keeper = planner(store)
    here = world()
    for series in ("USDC.one", "USDC.two"):
        del here.markets.rows[series]
    here.set_feed(0)
    prices = []
    for minutes in (4, 10, 20, 50, 61):
        now = NOW + 60 * minutes
        here.clock.set(now)
        here.chain.block = replace(here.chain.block, timestamp=Timestamp(now))
        plan = await keeper.slot(["cash"], NOW, Cadence.HOURLY, publish=False, now=Timestamp(now))
        frame = await here.frame(plan)
        keeper.absorb(frame)
        prices.append(frame.estimates["USDC", "asset"].price)
    assert prices == [to_wad("1"), to_wad("0.98"), to_wad("0.95"), to_wad("0.9"), None]


@pytest.mark.parametrize(("age", "taken"), [(601, False), (600, True), (599, True)])
async def test_absorb__observation_older_than_the_known_one__is_not_taken(age: int, taken: bool) -> None:
    store = FakeStore([])
    store.prices = (known("1", age=600),)
    keeper = planner(store)
    keeper.absorb(frame_with(live("2", asset="USDC", age=age)))
    (last,) = (await prior(keeper)).prices
    assert last.last_valid.price == to_wad("2" if taken else "1")


async def test_absorb__debt_side__has_a_last_price_of_its_own_but_no_sample() -> None:
    keeper = planner()
    keeper.absorb(frame_with(live("2", asset="USDC"), side="debt"))
    keeper.absorb(frame_with(live("1", asset="USDC")))
    after = await prior(keeper)
    assert {(price.side, price.last_valid.price) for price in after.prices} == {
        ("asset", to_wad("1")),
        ("debt", to_wad("2")),
    }
    assert [sample.price for sample in after.samples] == [to_wad("1")]


async def test_absorb__two_frames_of_one_time__leave_one_sample() -> None:
    keeper = planner()
    keeper.absorb(frame_with(live("1", asset="USDC"), frame="a"))
    keeper.absorb(frame_with(live("2", asset="USDC"), frame="b"))
    keeper.absorb(frame_with(live("3", asset="ETH"), frame="b"))
    assert [(sample.asset, sample.frame) for sample in (await prior(keeper)).samples] == [("USDC", "a"), ("ETH", "b")]


async def test_slot__samples__are_those_of_the_last_half_hour() -> None:
    store = FakeStore([])
    store.known_samples = tuple(
        Sample("USDC", Timestamp(NOW - age), to_wad("1"), "s") for age in (1_801, 1_800, 1_799, 0)
    )
    keeper = planner(store)
    assert SAMPLE_WINDOW == 1_800
    assert [NOW - sample.time for sample in (await prior(keeper)).samples] == [1_799, 0]
    assert [NOW - sample.time for sample in (await prior(keeper, now=NOW + 1_000)).samples] == [0]


async def test_absorb__for_hours__keeps_memory_bounded() -> None:
    keeper = planner()
    for minute in range(600):
        keeper.absorb(frame_with(live("1", asset="USDC"), now=NOW + 60 * minute))
    assert len(keeper._samples) <= 2 * SAMPLE_WINDOW // 60 + 2
    last = await prior(keeper, now=NOW + 60 * 599)
    assert [sample.time for sample in last.samples] == [NOW + 60 * minute for minute in range(570, 600)]


async def test_planner__started_again__knows_what_the_store_knows() -> None:
    store = FakeStore([])
    store.prices = (known("1", age=5), known("2", age=5, side="debt"))
    store.known_samples = (Sample("USDC", Timestamp(NOW - 5), to_wad("1"), "s"),)
    after = await prior(planner(store))
    assert (after.prices, after.samples) == (store.prices, store.known_samples)


def served(price: str = "1") -> ConfirmedNav:
    return ConfirmedNav(to_wad("5"), to_wad(price), Timestamp(NOW - 60), held=False, block_number=3, frame=None)


async def test_slot__fund_prior__joins_chain_and_store() -> None:
    store, publisher = FakeStore([]), FakePublisher([])
    store.funds["cash"] = FundPrior(
        fees=FeeState(to_wad("1"), Timestamp(5)), positions=(PriorPosition("p", Wad(1), "f"),)
    )
    store.frames_of_posts["cash", Timestamp(NOW - 60)] = "posted"
    # Between the confirmed NAV and now: a dividend that is declared ahead has not left the fund yet.
    store.distributions["cash", Timestamp(NOW - 60), NOW] = to_wad("0.1")
    publisher.served[1] = served()
    found = (await prior(planner(store, publisher=publisher), "cash", "levered")).funds
    assert found["cash"] == FundPrior(
        confirmed=replace(served(), frame="posted"),
        fees=FeeState(to_wad("1"), Timestamp(5)),
        positions=(PriorPosition("p", Wad(1), "f"),),
        distributions_per_share=to_wad("0.1"),
    )
    assert found["levered"] == FundPrior()


async def test_slot__posted_evidence_that_cannot_be_read__is_told_in_that_funds_prior_alone() -> None:
    store, publisher = FakeStore([]), FakePublisher([])
    for name, number in (("cash", 1), ("levered", 2)):
        publisher.served[number] = served()
        store.frames_of_posts[name, Timestamp(NOW - 60)] = "posted"
    store.documents["posted", "cash"] = b"of another version"
    of = subject()
    vault = cast("Any", object())
    keeper = planner(store, replace(of, funds={**of.funds, "cash": replace(of.funds["cash"], vault=vault)}), publisher)
    found = (await prior(keeper, "cash", "levered")).funds
    assert found["cash"].posted is None
    assert "cannot be compared" in (found["cash"].posted_unreadable or "")
    assert (found["levered"].posted, found["levered"].posted_unreadable) == (None, None)


OPENED = Breaker().open("native_halt", Timestamp(NOW - 60))


async def test_slot__breakers_and_rebase__are_taken_from_the_store() -> None:
    store = FakeStore([])
    store.breakers = {BreakerSubject("fund", "cash"): OPENED, BreakerSubject("asset", "USDC"): OPENED}
    store.rebases = {"levered": "0xabc"}
    after = await prior(planner(store), "cash", "levered")
    assert {name: (each.breaker, each.rebase) for name, each in after.funds.items()} == {
        "cash": (OPENED, None),
        "levered": (Breaker(), "0xabc"),
    }
    assert after.asset_breakers == {"USDC": OPENED}


def test_for_fund__of_a_plan__keeps_only_the_breakers_and_rounds_that_the_fund_needs() -> None:
    everything = Prior(
        rounds=(PriorRound("USDC.chainlink", NOW, "f"), PriorRound("ETH.one", NOW, "f")),
        asset_breakers={"ETH": OPENED, "USDC": OPENED},
    )
    cash = frame_plan(prior=everything).for_fund("cash").prior
    assert set(cash.asset_breakers) == {"USDC"}
    assert [last.source for last in cash.rounds] == ["USDC.chainlink"]
    # mUSD is derived from nothing that ETH prices, but the mixed fund holds both, and ETH is quoted in USDC.
    assert set(frame_plan(prior=everything).for_fund("mixed").prior.asset_breakers) == {"ETH", "USDC"}
    # The levered fund holds sUSD, whose base is USDC.
    assert set(frame_plan(prior=everything).for_fund("levered").prior.asset_breakers) == {"USDC"}


async def run_cash(keeper: Planner, here: World) -> NavFrame:
    plan = await keeper.slot(["cash"], NOW, Cadence.HOURLY, publish=False, now=here.clock.now())
    frame = await here.frame(plan)
    keeper.absorb(frame)
    return frame


async def test_absorb__frame__is_the_last_one_of_its_funds_for_the_next() -> None:
    keeper, here = planner(), world()
    first = await run_cash(keeper, here)
    after = await prior(keeper, "cash", "levered")
    assert after.funds["cash"].last_frame == PriorFrame(first.id, first.now, to_wad("1"), {CHAIN: 100})
    assert after.funds["levered"].last_frame is None


async def test_absorb__fund_that_could_not_be_valued__has_a_last_frame_without_a_price() -> None:
    keeper, here = planner(), world()
    here.chain.revert(TOKEN, "balanceOf(address)", HOLDER)
    await run_cash(keeper, here)
    last = (await prior(keeper, "cash")).funds["cash"].last_frame
    assert last is not None
    assert last.price_per_share is None


async def test_absorb__rounds_of_sources_on_a_chain__are_those_of_the_frame_before_and_of_no_recorded_one() -> None:
    keeper, here = planner(), world()
    frame = await run_cash(keeper, here)
    rounds = (await prior(keeper, "cash")).rounds
    assert rounds == (PriorRound("USDC.chainlink", Timestamp(NOW - 60), frame.id),)


async def test_slot__feed_turns_back_after_a_frame__is_doubted_in_the_next() -> None:
    keeper, here = planner(), world()
    assert "rounds_forward" not in {found.check for found in (await run_cash(keeper, here)).fund("cash").verdicts}
    here.set_feed(100_000_000, age=61)
    found = (await run_cash(keeper, here)).fund("cash")
    doubts = [each for each in found.verdicts if each.check == "rounds_forward"]
    assert [(each.outcome, "USDC.chainlink" in each.detail) for each in doubts] == [(Outcome.VERIFY, True)]
    # The second look starts from what the first one read, and is not doubted for the same reason again.
    again = (await run_cash(keeper, here)).fund("cash")
    assert "rounds_forward" not in {each.check for each in again.verdicts}


def stored(path: Path, *frames: NavFrame) -> SqlStore:
    store = SqlStore.open(empty_sqlite_store(path))
    for frame in frames:
        keep(store, frame)
    return store


def keep(store: SqlStore, frame: NavFrame) -> None:
    hashes = {name: "0x" + evidence_hash(document).hex() for name, document in frame.evidence.items()}
    store.record_frame(frame, hashes=hashes)


async def test_slot__started_again__knows_its_last_frame_from_the_store(tmp_path: Path) -> None:
    here = world()
    frame = await here.frame(frame_plan("cash"))
    with stored(tmp_path / "a.db", frame) as store:
        found = await prior(Planner(subject(), store, {}, now=NOW), "cash")
        stale = await prior(Planner(subject(), store, {}, now=NOW), "cash", now=NOW + LAST_FRAME_WINDOW + 1)
    assert found.funds["cash"].last_frame == PriorFrame(frame.id, frame.now, to_wad("1"), {CHAIN: 100})
    assert stale.funds["cash"].last_frame is None


async def test_slot__half_open__agrees_with_the_newest_stored_frame_though_another_keeper_made_it(
    tmp_path: Path,
) -> None:
    here = world()
    own = await here.frame(frame_plan("cash"))
    with stored(tmp_path / "a.db", own) as store:
        keeper = Planner(subject(), store, {}, now=NOW)
        keeper.absorb(own)
        here.clock.set(NOW + 60)
        here.chain.block = replace(here.chain.block, number=105, timestamp=Timestamp(NOW + 60))
        other = await here.frame(frame_plan("cash"))
        keep(store, other)
        assert (await prior(keeper, "cash")).funds["cash"].last_frame == PriorFrame(
            own.id, own.now, to_wad("1"), {CHAIN: 100}
        )
        half_open = OPENED.cool_down(NOW, BreakerPolicy(cool_down=0))
        store.save_breaker(BreakerSubject("fund", "cash"), half_open, was=Breaker(), at=NOW)
        found = (await prior(keeper, "cash", now=NOW + 60)).funds["cash"]
    assert found.breaker == half_open
    assert found.last_frame == PriorFrame(other.id, other.now, to_wad("1"), {CHAIN: 105})


async def test_slot__first_looks__reach_their_funds_only() -> None:
    look = FirstLook("first", to_wad("1"), 5)
    plan = await planner().slot(
        ["cash", "mixed"], NOW, Cadence.EMERGENCY, publish=True, now=NOW, first_looks={"cash": look}, verifies="first"
    )
    assert {name: found.first_look for name, found in plan.prior.funds.items()} == {"cash": look, "mixed": None}
    assert (plan.verifies, plan.cadence, plan.publish) == ("first", Cadence.EMERGENCY, True)


async def test_slot__registry_cannot_be_read__raises() -> None:
    publisher = FakePublisher([])
    publisher.errors["confirmed"] = [ChainError("down", advice="Check.")]
    with pytest.raises(ChainError):
        await prior(planner(publisher=publisher))


async def test_slot__no_outbox_or_store__values_without_a_baseline() -> None:
    alone = Planner(subject(), None, {}, now=NOW)
    assert (await prior(alone)).funds == {"cash": FundPrior()}


async def test_slot__some_funds__plans_only_their_assets_with_legs_and_bases() -> None:
    keeper = planner()
    cash = await keeper.slot(["cash"], NOW, Cadence.HOURLY, publish=False, now=NOW)
    assert set(cash.assets) == {"USDC"}
    levered = await keeper.slot(["levered"], NOW, Cadence.HOURLY, publish=False, now=NOW)
    assert set(levered.assets) == {"USDC", "sUSD"}
    both = await keeper.slot(["cash", "mixed"], NOW, Cadence.HOURLY, publish=False, now=NOW)
    assert set(both.assets) == {"USDC", "ETH", "mUSD"}
    assert [each.fund for each in both.funds] == ["cash", "mixed"]


def test_sample__plan__prices_all_assets_and_values_nothing() -> None:
    plan = planner().sample(NOW)
    assert (plan.stop_after, plan.funds, set(plan.assets)) == ("price", (), {"USDC", "ETH", "sUSD", "mUSD"})
    assert plan.home_chain == CHAIN
    assert set(plan.price_keys()) == {(asset, side) for asset in plan.assets for side in ("asset", "debt")}


def test_sample__only_recorded_prices__needs_no_chain() -> None:
    off_chain = {"ETH": AssetPlan("ETH", AggregationPolicy(), (recorded("ETH", "one"),))}
    assert planner(of=replace(subject(), assets=off_chain)).sample(NOW).home_chain is None


def test_for_fund__of_a_plan__keeps_only_what_the_fund_needs() -> None:
    everything = Prior(
        prices=(known("1", age=5), known("2000", age=5, asset="ETH"), known("1", age=5, asset="USDC", side="debt")),
        samples=(Sample("ETH", NOW, to_wad("1"), "s"), Sample("USDC", NOW, to_wad("1"), "s")),
        funds={"cash": FundPrior(distributions_per_share=Wad(1)), "mixed": FundPrior()},
    )
    own = frame_plan(prior=everything).for_fund("cash")
    assert [each.fund for each in own.funds] == ["cash"]
    assert set(own.assets) == {"USDC"}
    assert {price.asset for price in own.prior.prices} == {"USDC"}
    assert {sample.asset for sample in own.prior.samples} == {"USDC"}
    assert own.prior.funds == {"cash": FundPrior(distributions_per_share=Wad(1))}
    assert own.for_fund("cash") == own


def test_key_closure__of_a_fund__has_legs_and_bases_on_the_side_of_what_they_price() -> None:
    assert frame_plan("levered").key_closure() == {("sUSD", "asset"), ("USDC", "asset"), ("USDC", "debt")}
    owed = replace(frame_plan(), funds=(fund("f", 1, declared("f.owed", "mUSD", "debt", "1")),))
    assert owed.key_closure() == {("mUSD", "debt"), ("USDC", "debt")}
    unit = replace(frame_plan(), funds=(fund("f", 1, declared("f.usd", "USD", "cash", "1")),))
    assert unit.key_closure() == {("USD", "asset")}


async def test_key_closure__of_every_fund__is_exactly_what_its_frame_estimates() -> None:
    for name in ("cash", "levered", "mixed"):
        plan = frame_plan(name)
        assert set((await world().frame(plan)).estimates) == plan.key_closure()


def test_asset__not_configured__is_a_configuration_error_with_the_remedy() -> None:
    with pytest.raises(ConfigurationError, match="BTC is used but not configured") as caught:
        frame_plan().asset("BTC")
    assert "assets: BTC:" in caught.value.advice


def test_live_price__of_an_estimate__only_when_live() -> None:
    found = live_price("USDC", "asset", live("1", asset="USDC", age=7), "f")
    assert found == PriorPrice("USDC", "asset", LastValid(to_wad("1"), Bps(9_000), Timestamp(NOW - 7)), "f")
    assert live_price("USDC", "asset", estimated(), "f") is None
    assert live_price("USDC", "asset", unavailable("USDC", "x"), "f") is None
