"""The outbox: intent before signature, signed bytes before the broadcast, and no send is ever believed or repeated."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from navoracle.domain.errors import CallReverted, ChainError, NavoracleError
from navoracle.domain.frame import NavFrame, NavStatus
from navoracle.domain.nav import Breakdown
from navoracle.domain.units import Wad, to_wad
from navoracle.keeper.evidence import evidence_hash
from navoracle.keeper.merkle import leaf, proof_holds
from navoracle.keeper.publishing import Outbox, Submission, fund_post, record_components
from tests.unit.keeper.fakes import FakePublisher, FakeStore, FakeTransactor, MovingChain, outbox
from tests.unit.keeper.world import World, declared, frame_plan, fund, funds, world

DOWN = ChainError("node down", advice="Check the endpoint.")
SENT = ["preview", "prepare_post", "sign", "save_attempt", "send", "mark_sent"]


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
        self.transactor = FakeTransactor(self.log)
        self.chain = MovingChain(self.world.clock, self.world.chain.block)
        self.outbox: Outbox = outbox(
            self.chain, self.store, self.publisher, self.transactor, self.world.clock, live=self.live
        )

    async def submit(self, **changes: Any) -> Submission:
        plans = {name: plan for name, plan in funds().items() if name in {part.fund for part in self.frame.funds}}
        await self.outbox.submit(replace(self.frame, **changes), plans)
        return self.outbox.submission(self.frame.id)


async def post(*, live: bool = True) -> Post:
    here = world()
    return Post(await here.frame(frame_plan()), here, live=live)


async def test_submit__postable_funds__go_out_in_one_transaction_in_the_order_that_survives_a_crash() -> None:
    going = await post()
    submission = await going.submit()
    assert going.log == SENT
    assert submission.pending
    assert submission.failed is None
    assert submission.batch is not None
    assert [sent.fund for sent in submission.batch.posts] == ["cash", "levered", "mixed"]
    (stored,) = going.store.posts
    assert (stored["state"], stored["frame"]) == ("sent", going.frame.id)
    assert stored["attempt"] == submission.transaction == going.transactor.arrived[0]


async def test_submit__root__covers_the_evidence_of_every_fund_with_its_proof() -> None:
    going = await post()
    submission = await going.submit()
    (stored,) = going.store.posts
    assert submission.batch is not None
    root = bytes.fromhex(submission.batch.evidence_root[2:])
    for sent in submission.batch.posts:
        digest = evidence_hash(going.frame.evidence[sent.fund])
        assert stored["evidence"][sent.fund] == "0x" + digest.hex()
        proof = [bytes.fromhex(node[2:]) for node in stored["proofs"][sent.fund]]
        assert proof_holds(root, leaf(sent.fund_id, digest), proof)


async def test_submit__what_is_posted__is_nav_after_and_the_share_price_before() -> None:
    going = await post()
    submission = await going.submit()
    assert submission.batch is not None
    mixed = next(sent for sent in submission.batch.posts if sent.fund == "mixed")
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
    assert submission.batch is not None
    assert [sent.fund for sent in submission.batch.posts] == ["levered", "mixed"]


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
    assert submission.failed is not None
    assert "no longer part of the chain" in submission.failed
    assert not submission.pending


async def test_submit__contract_would_refuse_one__leaves_it_out_and_roots_the_rest() -> None:
    going = await post()
    going.publisher.previews = {"levered": ("closed", False), "mixed": ("step", True)}
    submission = await going.submit()
    assert submission.refused == {"levered": "registry:closed"}
    assert submission.batch is not None
    assert [sent.fund for sent in submission.batch.posts] == ["cash", "mixed"]
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
    assert submission.batch is not None
    assert [sent.fund for sent in submission.batch.posts] == ["levered", "mixed"]
    assert going.log == SENT


@pytest.mark.parametrize(
    ("where", "error", "log"),
    [
        ("preview", DOWN, ["preview"]),
        ("preview", CallReverted("bad", advice="Look."), ["preview"]),
    ],
)
async def test_submit__preview_fails__fails_with_nothing_stored(
    where: str, error: NavoracleError, log: list[str]
) -> None:
    going = await post()
    going.publisher.errors[where] = [error]
    submission = await going.submit()
    assert going.log == log
    assert submission.failed == f"{error.code}: {error.message}"


@pytest.mark.parametrize("error", [DOWN, CallReverted("StaleHeader", advice="Look.")])
async def test_submit__simulation_or_signature_fails__fails_the_stored_post_and_sends_nothing(
    error: NavoracleError,
) -> None:
    going = await post()
    going.transactor.errors["prepare"] = [error]
    submission = await going.submit()
    assert going.log == ["preview", "prepare_post", "sign", "fail_post"]
    assert going.store.posts[0]["state"] == "failed"
    assert submission.failed == f"{error.code}: {error.message}"
    assert not submission.pending


async def test_submit__send_fails_and_nothing_is_mined__stays_open_and_is_never_repeated() -> None:
    going = await post()
    going.transactor.errors["send"] = [DOWN]
    submission = await going.submit()
    assert going.log == [*SENT[:-1], "receipt", "note_ambiguous_send"]
    assert submission.pending
    assert (going.store.posts[0]["state"], going.store.posts[0]["ambiguous"]) == ("prepared", "node down")


async def test_submit__send_fails_but_arrived__is_found_by_its_hash() -> None:
    going = await post()
    going.transactor.errors["send"] = [DOWN]
    going.transactor.arrives_despite_error = True
    submission = await going.submit()
    assert going.log == [*SENT[:-1], "receipt", "mark_sent"]
    await going.outbox.settle(going.frame.id)
    assert submission.read_backs is not None
    assert going.log.count("send") == 1


async def test_submit__send_fails_and_so_does_the_look_up__is_ambiguous_not_failed() -> None:
    # The likeliest case of all: the node that dropped the broadcast does not answer the look-up either.
    going = await post()
    going.transactor.errors = {"send": [DOWN], "receipt": [DOWN]}
    going.transactor.arrives_despite_error = True
    submission = await going.submit()
    assert "fail_post" not in going.log
    assert going.log[-1] == "note_ambiguous_send"
    assert submission.pending
    settled = await going.outbox.settle(going.frame.id)
    assert settled.read_backs is not None
    assert going.store.posts[0]["state"] == "confirmed"


async def test_settle__mined__reads_the_contract_back_and_records_each_outcome() -> None:
    going = await post()
    going.publisher.outcomes = {"levered": "step"}
    await going.submit()
    submission = await going.outbox.settle(going.frame.id)
    assert going.log[len(SENT) :] == ["receipt", "read_back", "finish_post"]
    assert submission.read_backs is not None
    assert [(back.fund, back.accepted, back.reason) for back in submission.read_backs] == [
        ("cash", True, None),
        ("levered", False, "step"),
        ("mixed", True, None),
    ]
    assert not submission.pending
    again = await going.outbox.settle(going.frame.id)
    assert again is submission
    assert going.log.count("finish_post") == 1


async def test_settle__not_mined_yet__stays_pending() -> None:
    going = await post()
    going.transactor.looks = 1
    await going.submit()
    assert (await going.outbox.settle(going.frame.id)).pending
    assert not (await going.outbox.settle(going.frame.id)).pending


async def test_settle__reverted__fails_the_post_without_reading_back() -> None:
    going = await post()
    going.transactor.success = False
    await going.submit()
    submission = await going.outbox.settle(going.frame.id)
    assert submission.failed == "reverted in block 101"
    assert going.log[len(SENT) :] == ["receipt", "fail_post"]
    assert not submission.pending


@pytest.mark.parametrize("where", ["receipt", "read_back"])
async def test_settle__node_fails__stays_pending_with_the_reason_and_is_asked_again(where: str) -> None:
    going = await post()
    await going.submit()
    target: Any = going.transactor if where == "receipt" else going.publisher
    target.errors[where] = [DOWN]
    submission = await going.outbox.settle(going.frame.id)
    assert submission.pending
    assert submission.unanswered == "chain: node down"
    assert going.store.posts[0]["state"] == "sent"
    settled = await going.outbox.settle(going.frame.id)
    assert (settled.pending, settled.unanswered) == (False, None)
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
    made = fund_post(funds()["cash"], found, found.valuation._replace(estimated=True))
    assert (made.estimated, made.confidence) == (True, found.valuation.confidence)
