"""An outbox before a contract that takes one fund: waits, labels, and the prices that a post carries."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import pytest

from navoracle.domain.cadence import Cadence
from navoracle.domain.errors import LeaseLost
from navoracle.domain.frame import NavFrame
from navoracle.domain.prices import LastValid, PriceEstimate, PriceStatus, unavailable
from navoracle.domain.prior import ConfirmedNav, PriorPrice
from navoracle.domain.units import WAD, Bps, Timestamp, Wad, to_wad
from navoracle.domain.valuation import PriceKey
from navoracle.keeper.peer_wait import PEER_PATIENCE, PEER_WAIT
from navoracle.keeper.plan import FundPlan
from navoracle.keeper.planner import Planner
from navoracle.keeper.publishing import Outbox
from navoracle.keeper.records import fund_post
from navoracle.keeper.slot_outcomes import outcome_of
from navoracle.publisher_port import Batch, FundPost, Preview
from navoracle.store_port import Claim, SlotState
from tests.unit.domain.builders import live
from tests.unit.keeper.fakes import FakeLane, FakePublisher, FakeStore, MovingChain
from tests.unit.keeper.world import NOW, World, frame_plan, funds, subject, world

PEER = "veda"


class Peer(FakePublisher):
    """A contract that takes one fund's NAV, and says what the next preview is told to say."""

    def __init__(self, here: World, log: list[str]) -> None:
        super().__init__(log)
        self.one_by_one = True
        self.here = here
        self.ready_at: Timestamp | None = None
        self.asked_at: list[Timestamp] = []

    async def preview(self, batch: Batch) -> tuple[Preview, ...]:
        assert len(batch.posts) == 1
        now = self.here.clock.now()
        self.asked_at.append(now)
        if self.ready_at is not None and now < self.ready_at:
            self.log.append("preview")
            return (Preview(batch.posts[0].fund, "too_early", send=False, ready_at=self.ready_at, advice="Wait."),)
        return await super().preview(batch)


class Going:
    """A frame on its way to a contract."""

    def __init__(self, here: World, frame: NavFrame, *, live: bool) -> None:
        self.frame = frame
        self.log: list[str] = []
        self.store = FakeStore(self.log)
        self.lane = FakeLane(self.log, self.store)
        self.peer = Peer(here, self.log)
        self.outbox = Outbox(
            chain=MovingChain(here.clock, here.chain.block),
            publisher=self.peer,
            lane=self.lane,
            store=self.store.port,
            clock=here.clock,
            live=live,
            label=PEER,
        )

    async def submit(self) -> None:
        plans = {part.fund: funds()[part.fund] for part in self.frame.funds}
        claims = [Claim(name, self.frame.slot_time, self.frame.cadence, "keeper", 1) for name in plans]
        await self.outbox.submit(self.frame, plans, claims)

    def outcome(self, fund: str) -> tuple[SlotState, str | None]:
        found = outcome_of(self.frame.fund(fund), self.frame, self.outbox.submission(self.frame.id))
        return found.state, found.reason


async def going(*names: str, live: bool = True) -> Going:
    here = world()
    return Going(here, await here.frame(frame_plan(*names)), live=live)


async def test_submit__contract_that_takes_one_fund__gets_a_transaction_for_each() -> None:
    sent = await going()
    await sent.submit()
    batches = sent.outbox.submission(sent.frame.id).batches
    assert [[part.fund for part in each.post.funds] for each in batches] == [["cash"], ["levered"], ["mixed"]]
    assert len(sent.lane.sent) == 3


@pytest.mark.parametrize("wait", [1, 31, PEER_PATIENCE])
async def test_submit__ready_within_the_patience__waits_and_asks_again_before_it_sends(wait: int) -> None:
    sent = await going("cash")
    began = sent.peer.here.clock.now()
    sent.peer.ready_at = Timestamp(began + wait)
    await sent.submit()
    assert sent.peer.asked_at == [began, began + wait]
    assert sent.log == ["preview", "preview", "prepare_post", "submit"]
    assert sent.store.renewals == -(-wait // PEER_WAIT)


async def test_submit__dry_run_of_a_contract_that_takes_none_yet__does_not_wait() -> None:
    sent = await going("cash", live=False)
    began = sent.peer.here.clock.now()
    sent.peer.ready_at = Timestamp(began + 1)
    await sent.submit()
    assert (sent.peer.asked_at, sent.peer.here.clock.now(), sent.store.renewals) == ([began], began, 0)
    assert sent.outcome("cash") == (SlotState.SKIPPED, "veda:too_early")


async def test_submit__slot_lost_while_it_waits__sends_nothing() -> None:
    sent = await going("cash")
    sent.peer.ready_at = Timestamp(sent.peer.here.clock.now() + 2 * PEER_WAIT)
    sent.store.lost_after = 1
    with pytest.raises(LeaseLost):
        await sent.submit()
    assert (sent.log, sent.lane.sent) == (["preview"], [])


async def test_submit__ready_after_the_patience__is_left_to_the_next_slot_with_the_contracts_name() -> None:
    sent = await going("cash")
    began = sent.peer.here.clock.now()
    sent.peer.ready_at = Timestamp(began + PEER_PATIENCE + 1)
    await sent.submit()
    assert (sent.peer.asked_at, sent.peer.here.clock.now()) == ([began], began)
    assert sent.lane.sent == []
    assert sent.outcome("cash") == (SlotState.SKIPPED, "veda:too_early")
    previewed = sent.outbox.previewed("cash")
    assert previewed is not None
    assert (previewed.preview.advice, previewed.read_back) == ("Wait.", None)


async def test_submit__still_too_early_after_the_wait__is_not_sent() -> None:
    sent = await going("cash")
    ready = Timestamp(sent.peer.here.clock.now() + 10)
    sent.peer.ready_at = ready

    async def moved(batch: Batch, ask: Callable[..., object] = sent.peer.preview) -> tuple[Preview, ...]:
        found: tuple[Preview, ...] = await ask(batch)  # type: ignore[misc]
        sent.peer.ready_at = Timestamp(ready + 20)  # somebody else posted meanwhile
        return found

    sent.peer.preview = moved  # type: ignore[method-assign]
    await sent.submit()
    assert sent.lane.sent == []
    assert sent.outcome("cash") == (SlotState.SKIPPED, "veda:too_early")


async def test_submit__refusals_and_outcomes__are_told_under_the_contracts_name() -> None:
    sent = await going("cash", "levered")
    sent.peer.previews = {"levered": ("paused", False)}
    sent.peer.outcomes = {"cash": "unsettled"}
    await sent.submit()
    await sent.outbox.settle(sent.frame.id)
    assert sent.outcome("levered") == (SlotState.SKIPPED, "veda:paused")
    assert sent.outcome("cash") == (SlotState.HELD, "veda:unsettled")
    previewed = sent.outbox.previewed("cash")
    assert previewed is not None
    assert previewed.read_back is not None
    assert (previewed.read_back.accepted, previewed.read_back.reason) == (False, "unsettled")


async def test_submit__dry_run__shows_the_call_and_sends_nothing() -> None:
    sent = await going("cash", live=False)
    await sent.submit()
    previewed = sent.outbox.previewed("cash")
    assert previewed is not None
    assert [post.fund for post in previewed.batch.posts] == ["cash"]
    assert (sent.lane.sent, sent.outcome("cash")) == ([], (SlotState.SKIPPED, "dry_run"))


# ---- the prices of a post


async def posted(plan: FundPlan, estimates: Mapping[PriceKey, PriceEstimate] | None = None) -> FundPost:
    frame = await world().frame(replace(frame_plan(), funds=(plan,)))
    found = frame.fund(plan.fund)
    assert found.valuation is not None
    return fund_post(plan, found, found.valuation, {**frame.estimates, **(estimates or {})})


def counted_in(*assets: str) -> FundPlan:
    return replace(funds()["cash"], publisher=PEER, base=assets[0], priced_in=assets)


async def test_fund_post__what_its_contract_counts_in__has_the_frames_price_although_the_fund_holds_none() -> None:
    post = await posted(counted_in("ETH", "USDC"))
    assert post.prices == {"ETH": to_wad("2000"), "USDC": to_wad("1")}
    assert not post.estimated


async def test_fund_post__unit_of_account__is_worth_exactly_one() -> None:
    post = await posted(replace(counted_in("USD"), base=None))
    assert post.prices == {"USD": WAD}
    assert not post.estimated


async def test_fund_post__registry__needs_no_prices() -> None:
    assert (await posted(funds()["cash"])).prices == {}


async def test_fund_post__base_at_a_fallback_price__is_estimated_although_the_nav_is_not() -> None:
    fallback = replace(live("1900", asset="ETH"), status=PriceStatus.ESTIMATED, reason="no_quotes")
    post = await posted(counted_in("ETH"), {("ETH", "asset"): fallback})
    assert (post.estimated, post.prices) == (True, {"ETH": to_wad("1900")})


async def test_fund_post__base_without_a_price__carries_none() -> None:
    post = await posted(counted_in("ETH"), {("ETH", "asset"): unavailable("ETH", "no_quotes")})
    assert post.prices == {}


# ---- what a contract serves, as a baseline


class Serving(FakePublisher):
    """A contract that serves 10 of its base a share, and perhaps a NAV."""

    def __init__(self, nav: Wad | None) -> None:
        super().__init__([])
        self.served[1] = ConfirmedNav(nav, to_wad("10"), Timestamp(NOW - 600), held=False, block_number=9, frame=None)


async def baseline(
    plan: FundPlan, *, nav: Wad | None = None, known: Mapping[str, str] | None = None
) -> ConfirmedNav | None:
    here, store = world(), FakeStore([])
    store.prices = tuple(
        PriorPrice(asset, "asset", LastValid(to_wad(price), Bps(9_000), Timestamp(NOW - 60)), "old")
        for asset, price in (known or {}).items()
    )
    outbox = Outbox(
        chain=MovingChain(here.clock, here.chain.block),
        publisher=Serving(nav),
        lane=None,
        store=store.port,
        clock=here.clock,
        live=False,
        label=PEER,
    )
    planner = Planner(replace(subject(), funds={"cash": plan}), store.port, {PEER: outbox}, now=NOW)
    made = await planner.slot(["cash"], NOW, Cadence.HOURLY, publish=False, now=NOW)
    return made.prior.funds["cash"].confirmed


async def test_baseline__base_whose_price_is_known__is_in_the_unit_of_account_rounded_down() -> None:
    found = await baseline(counted_in("ETH"), nav=Wad(7), known={"ETH": "0.3", "USDC": "1"})
    assert found is not None
    assert (found.price_per_share, found.nav) == (to_wad("3"), 2)


async def test_baseline__contract_that_knows_no_nav__has_a_price_alone() -> None:
    found = await baseline(counted_in("ETH"), known={"ETH": "2000"})
    assert found is not None
    assert (found.price_per_share, found.nav) == (to_wad("20000"), None)


async def test_baseline__base_whose_price_is_not_known__is_none_rather_than_a_guess() -> None:
    assert await baseline(counted_in("ETH"), known={"USDC": "1"}) is None


async def test_baseline__unit_of_account__is_taken_as_it_is() -> None:
    found = await baseline(replace(counted_in("USD"), base=None), nav=to_wad("5"))
    assert found is not None
    assert (found.price_per_share, found.nav) == (to_wad("10"), to_wad("5"))
