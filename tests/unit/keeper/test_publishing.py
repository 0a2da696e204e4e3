"""The outbox: intent before the lane sees it, batches by gas, and outcomes only from the contract itself."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from navoracle.domain.cadence import Cadence
from navoracle.domain.errors import CallReverted, ChainError, NavoracleError
from navoracle.domain.frame import NavFrame, NavStatus
from navoracle.domain.nav import Breakdown
from navoracle.domain.units import Wad, to_wad
from navoracle.keeper.evidence import evidence_hash
from navoracle.keeper.merkle import leaf, proof_holds
from navoracle.keeper.publishing import GAS_PER_BATCH, GAS_PER_FUND, Outbox
from navoracle.keeper.records import fund_post, record_components
from navoracle.keeper.submissions import SentBatch, Submission
from navoracle.ports import Address
from navoracle.publisher_port import Batch, FollowUp, Preview
from navoracle.store_port import Claim, Urgency
from tests.unit.keeper.fakes import FakeLane, FakePublisher, FakeStore, MovingChain, outbox
from tests.unit.keeper.world import World, declared, frame_plan, fund, funds, world

DOWN = ChainError("node down", advice="Check the endpoint.")
SENT = ["preview", "prepare_post", "submit"]
NAMES = ["cash", "levered", "mixed"]


@dataclass
class Post:
    """A frame of three funds on its way to a registry."""

    frame: NavFrame
    world: World
    log: list[str] = field(default_factory=list)
    live: bool = True

    def __post_init__(self) -> None:
        self.store = FakeStore(self.log)
        self.publisher = FakePublisher(self.log)
        self.lane = FakeLane(self.log, self.store)
        self.chain = MovingChain(self.world.clock, self.world.chain.block)
        self.outbox: Outbox = outbox(
            self.chain, self.store, self.publisher, self.lane, self.world.clock, live=self.live
        )

    def sent(self, submission: Submission) -> list[str]:
        """The funds that were handed to the lane, in order."""
        return [part.fund for sent in submission.batches for part in sent.post.funds]

    async def submit(self, **changes: Any) -> Submission:
        plans = {name: plan for name, plan in funds().items() if name in {part.fund for part in self.frame.funds}}
        claims = [Claim(name, self.frame.slot_time, self.frame.cadence, "keeper", 1) for name in plans]
        await self.outbox.submit(replace(self.frame, **changes), plans, claims)
        return self.outbox.submission(self.frame.id)


async def post(*, live: bool = True) -> Post:
    here = world()
    return Post(await here.frame(frame_plan()), here, live=live)


async def test_submit__postable_funds__go_out_in_one_transaction_in_the_order_that_survives_a_crash() -> None:
    going = await post()
    submission = await going.submit()
    assert going.log == SENT
    assert submission.pending
    assert submission.failed == {}
    assert going.sent(submission) == NAMES
    (stored,) = going.store.posts
    assert (stored["urgency"], stored["frame"]) == (Urgency.ROUTINE, going.frame.id)
    assert stored["valid_until"] == going.frame.now + 900
    assert going.lane.sent == [submission.batches[0].post.transaction]


async def test_submit__root__covers_the_evidence_of_every_fund_with_its_proof() -> None:
    going = await post()
    submission = await going.submit()
    (stored,) = going.store.posts
    (batch,) = submission.batches
    root = bytes.fromhex(batch.post.batch.evidence_root[2:])
    for sent in batch.post.batch.posts:
        digest = evidence_hash(going.frame.evidence[sent.fund])
        assert stored["evidence"][sent.fund] == "0x" + digest.hex()
        proof = [bytes.fromhex(node[2:]) for node in stored["proofs"][sent.fund]]
        assert proof_holds(root, leaf(sent.fund_id, digest), proof)


async def test_submit__what_is_posted__is_nav_after_and_the_share_price_before() -> None:
    going = await post()
    submission = await going.submit()
    mixed = next(sent for sent in submission.batches[0].post.batch.posts if sent.fund == "mixed")
    valuation = going.frame.fund("mixed").valuation
    assert valuation is not None
    assert (mixed.nav, mixed.nav_before) == (valuation.after.nav, valuation.before.nav)
    assert mixed.nav - mixed.nav_before == to_wad("50")
    assert (mixed.price_per_share, mixed.fund_id) == (valuation.price_per_share, 3)
    cash, collateral, income, debt, other = mixed.components
    assert cash + collateral + income - debt - other == mixed.nav
    # A loss of 500 on the position at cost is a negative income: it counts among the liabilities.
    assert (income, other) == (0, to_wad("500") - to_wad("2.739726027397260273"))


async def test_submit__no_postable_fund__touches_nothing() -> None:
    going = await post()
    halted = tuple(replace(part, status=NavStatus.HALTED, reason="x") for part in going.frame.funds)
    submission = await going.submit(funds=halted)
    assert going.log == []
    assert submission == Submission(going.frame.id)


@pytest.mark.parametrize("status", [NavStatus.SUSPICIOUS, NavStatus.INSOLVENT, NavStatus.HALTED])
async def test_submit__fund_that_is_not_postable__is_left_out_of_the_batch(status: NavStatus) -> None:
    going = await post()
    first, *rest = going.frame.funds
    submission = await going.submit(funds=(replace(first, status=status, reason="x"), *rest))
    assert going.sent(submission) == ["levered", "mixed"]


async def test_submit__dry_run__previews_and_sends_nothing() -> None:
    going = await post(live=False)
    submission = await going.submit()
    assert going.log == ["preview"]
    assert submission.refused == dict.fromkeys(["cash", "levered", "mixed"], "dry_run")
    assert not submission.pending


async def test_submit__dry_run_of_what_would_be_held__says_so() -> None:
    going = await post(live=False)
    going.publisher.previews = {"levered": ("step", True), "mixed": ("closed", False)}
    submission = await going.submit()
    assert submission.refused == {
        "cash": "dry_run",
        "levered": "dry_run: the contract would hold it (step)",
        "mixed": "registry:closed",
    }


async def test_submit__no_signer__sends_nothing_though_live() -> None:
    going = await post()
    going.outbox = outbox(going.chain, going.store, going.publisher, None, going.world.clock)
    submission = await going.submit()
    assert (going.log, set(submission.refused.values())) == (["preview"], {"dry_run"})
    assert await going.outbox.settle(going.frame.id) is submission


async def test_submit__block_no_longer_canonical__sends_nothing() -> None:
    going = await post()
    going.chain.reorganized = True
    submission = await going.submit()
    assert going.log == ["preview"]
    assert set(submission.failed) == set(NAMES)
    assert "no longer part of the chain" in submission.failed["cash"]
    assert not submission.pending


async def test_submit__contract_would_refuse_one__leaves_it_out_and_roots_the_rest() -> None:
    going = await post()
    going.publisher.previews = {"levered": ("closed", False), "mixed": ("step", True)}
    submission = await going.submit()
    assert submission.refused == {"levered": "registry:closed"}
    assert going.sent(submission) == ["cash", "mixed"]
    (stored,) = going.store.posts
    assert set(stored["proofs"]) == {"cash", "mixed"}


async def test_submit__contract_would_refuse_all__stores_and_signs_nothing() -> None:
    going = await post()
    going.publisher.previews = dict.fromkeys(["cash", "levered", "mixed"], ("paused", False))
    submission = await going.submit()
    assert (going.log, going.store.posts) == (["preview"], [])
    assert set(submission.refused.values()) == {"registry:paused"}


async def test_submit__figure_too_large_for_its_field__leaves_out_that_fund_alone() -> None:
    here = world()
    huge = fund("cash", 1, declared("cash.usdc", "USDC", "cash", "1" + "0" * 14))
    plan = frame_plan()
    frame = await here.frame(replace(plan, funds=(huge, *plan.funds[1:])))
    going = Post(frame, here)
    submission = await going.submit()
    assert list(submission.refused) == ["cash"]
    assert "does not fit" in submission.refused["cash"]
    assert going.sent(submission) == ["levered", "mixed"]
    assert going.log == SENT


async def test_submit__preview_fails__fails_with_nothing_stored() -> None:
    going = await post()
    going.publisher.errors["preview"] = [DOWN]
    submission = await going.submit()
    assert going.log == ["preview"]
    assert submission.failed == dict.fromkeys(NAMES, "chain: node down")


async def test_submit__one_record_makes_the_contract_revert__is_found_and_left_out() -> None:
    going = await post()
    preview = going.publisher.preview

    async def judge(batch: Batch) -> tuple[Preview, ...]:
        if any(sent.fund == "levered" for sent in batch.posts):
            raise CallReverted("UnknownFund(2)", advice="Register the fund.")
        return await preview(batch)

    going.publisher.preview = judge  # type: ignore[method-assign]
    submission = await going.submit()
    assert submission.refused == {"levered": "registry:reverts: UnknownFund(2)"}
    assert going.sent(submission) == ["cash", "mixed"]


@pytest.mark.parametrize("error", [DOWN, CallReverted("StaleHeader", advice="Look.")])
async def test_submit__lane_cannot_send__fails_the_batch(error: NavoracleError) -> None:
    going = await post()
    going.lane.errors["submit"] = [error]
    submission = await going.submit()
    assert going.log == SENT
    assert [sent.failed for sent in submission.batches] == [f"{error.code}: {error.message}"]
    assert not submission.pending


async def test_submit__another_keeper_has_the_lane__stores_and_sends_nothing() -> None:
    going = await post()
    going.lane.taken = True
    submission = await going.submit()
    assert going.log == ["preview"]
    assert "another keeper has the lane" in submission.failed["cash"]


async def test_submit__emergency__is_urgent() -> None:
    going = await post()
    await going.submit(cadence=Cadence.EMERGENCY)
    assert going.store.posts[0]["urgency"] is Urgency.EMERGENCY


async def test_submit__more_funds_than_one_transaction_takes__goes_out_in_batches_of_their_own() -> None:
    going = await post()
    going.outbox = outbox(
        going.chain,
        going.store,
        going.publisher,
        going.lane,
        going.world.clock,
        max_batch_gas=GAS_PER_BATCH + 2 * GAS_PER_FUND,
    )
    going.lane.errors["submit"] = [DOWN]
    submission = await going.submit()
    assert [[part.fund for part in sent.post.funds] for sent in submission.batches] == [["cash", "levered"], ["mixed"]]
    assert len({sent.post.batch.evidence_root for sent in submission.batches}) == 2
    settled = await going.outbox.settle(going.frame.id)
    assert [sent.failed for sent in settled.batches] == ["chain: node down", None]
    assert [sent.read_backs is not None for sent in settled.batches] == [False, True]


async def test_adopt__post_of_an_earlier_run__is_settled_like_an_own_one() -> None:
    going = await post()
    submission = await going.submit()
    (sent,) = submission.batches
    later = outbox(going.chain, going.store, going.publisher, going.lane, going.world.clock)
    assert later.adopt(sent.post).batches == [SentBatch(sent.post)]
    assert len(later.adopt(sent.post).batches) == 1
    settled = await later.settle(going.frame.id)
    assert not settled.pending
    assert going.store.posts[0]["state"] == "confirmed"


async def test_settle__mined__reads_the_contract_back_and_records_each_outcome() -> None:
    going = await post()
    going.publisher.outcomes = {"levered": "step"}
    await going.submit()
    submission = await going.outbox.settle(going.frame.id)
    assert going.log[len(SENT) :] == ["tick", "read_back", "finish_post"]
    assert [(back.fund, back.accepted, back.reason) for back in submission.batches[0].read_backs or ()] == [
        ("cash", True, None),
        ("levered", False, "step"),
        ("mixed", True, None),
    ]
    assert not submission.pending
    again = await going.outbox.settle(going.frame.id)
    assert again is submission
    assert going.log.count("finish_post") == 1


async def test_settle__contract_needs_another_call__names_it_and_who_must_make_it() -> None:
    going = await post()
    going.publisher.needs = FollowUp(Address("0x" + "11" * 20), b"\xab\xcd", "safe")
    await going.submit()
    (sent,) = (await going.outbox.settle(going.frame.id)).batches
    assert sent.follow_up == f"safe must call 0x{'11' * 20} with 0xabcd"


async def test_settle__what_the_contract_needs_cannot_be_read__is_said_and_the_post_stands() -> None:
    going = await post()
    going.publisher.errors["follow_up"] = [DOWN]
    await going.submit()
    submission = await going.outbox.settle(going.frame.id)
    assert submission.batches[0].follow_up == "not proposed: chain: node down"
    assert not submission.pending


async def test_settle__post_that_is_held__asks_for_no_other_call() -> None:
    going = await post()
    going.publisher.needs = FollowUp(Address("0x" + "11" * 20), b"\xab\xcd", "safe")
    going.publisher.outcomes = {"levered": "step"}
    await going.submit()
    (sent,) = (await going.outbox.settle(going.frame.id)).batches
    assert sent.follow_up is None


async def test_settle__not_mined_yet__stays_pending() -> None:
    going = await post()
    going.lane.looks = 1
    await going.submit()
    assert (await going.outbox.settle(going.frame.id)).pending
    assert not (await going.outbox.settle(going.frame.id)).pending


async def test_settle__reverted__fails_the_post_without_reading_back() -> None:
    going = await post()
    going.lane.success = False
    await going.submit()
    submission = await going.outbox.settle(going.frame.id)
    assert submission.batches[0].failed == "reverted in block 101"
    assert going.log[len(SENT) :] == ["tick"]
    assert not submission.pending


async def test_settle__contract_cannot_be_read__stays_pending_with_the_reason_and_is_asked_again() -> None:
    going = await post()
    await going.submit()
    going.publisher.errors["read_back"] = [DOWN]
    submission = await going.outbox.settle(going.frame.id)
    assert submission.pending
    assert submission.batches[0].unanswered == "chain: node down"
    assert going.store.posts[0]["state"] == "prepared"
    settled = await going.outbox.settle(going.frame.id)
    assert (settled.pending, settled.batches[0].unanswered) == (False, None)
    assert going.store.posts[0]["state"] == "confirmed"


async def test_settle__frame_that_was_never_submitted__is_an_empty_submission() -> None:
    going = await post()
    assert await going.outbox.settle("unknown") == Submission("unknown")


amounts = st.integers(0, 10**30).map(Wad)
incomes = st.integers(-(10**30), 10**30).map(Wad)


@given(st.builds(Breakdown, amounts, amounts, incomes, amounts, amounts, amounts, amounts, amounts))
def test_record_components__any_breakdown__are_unsigned_and_add_up_to_the_nav(after: Breakdown) -> None:
    components = record_components(after)
    cash, collateral, income, debt, other = components
    assert min(components) >= 0
    assert cash + collateral + income - debt - other == after.nav
    assert (cash, collateral, debt) == (after.cash, after.collateral, after.debt)
    assert income == max(0, after.accrued_income + after.rewards)


async def test_fund_post__estimated_nav__is_flagged_and_keeps_its_confidence() -> None:
    frame = await world().frame(frame_plan("cash"))
    found = frame.fund("cash")
    assert found.valuation is not None
    made = fund_post(funds()["cash"], found, found.valuation._replace(estimated=True), {})
    assert (made.estimated, made.confidence) == (True, found.valuation.confidence)
