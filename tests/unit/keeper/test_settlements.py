"""Settling a vault: what speaks against it, what is sent, and that each epoch is settled once, whoever starts again."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from navoracle.domain.errors import CallReverted, ChainError
from navoracle.domain.settlement import Post
from navoracle.domain.units import WAD, Timestamp, Wad
from navoracle.keeper.examined_settlements import VaultAccess
from navoracle.keeper.settlement_events import ENDED, STARTED, WAITING
from navoracle.keeper.settlement_look import Settlement, Step
from navoracle.keeper.settlements import Settlements
from navoracle.store_port import Severity, TransactionKind, TransactionState
from navoracle.vault_port import SettledEpoch
from tests.unit.keeper.settlement_world import COMPONENTS, FUND, SERVED, USDC, VAULT, SettlementWorld, state
from tests.unit.keeper.test_proposing import SAFE, Proposals
from tests.unit.keeper.world import CHAIN

DID = SettledEpoch(
    epoch=7,
    price_per_share=SERVED.price_per_share,
    valuation_time=SERVED.valuation_time,
    deposited=Wad(100 * WAD - 1_000),
    minted=Wad((100 * WAD - 1_000) * WAD // (WAD + 1)),
    fee_shares=Wad(0),
    burned=Wad(10 * WAD),
    payouts=((USDC, 10 * 10**6),),
)
"""What epoch 7 comes to: NAV_before is known to a wei a share, so deposits are credited with a thousand wei less."""


@pytest.fixture
def here(tmp_path: Path) -> SettlementWorld:
    found = SettlementWorld(tmp_path / "keeper.db")
    found.keep_post()
    return found


async def settle(here: SettlementWorld) -> Settlement:
    """Send, mine and read back."""
    assert (await here.settlements.look(FUND)).step is Step.SENT
    await here.lane.tick()
    return await here.settlements.look(FUND)


async def test_look__nothing_speaks_against_it__sends_the_posts_own_components_in_the_keepers_name(
    here: SettlementWorld,
) -> None:
    found = await here.settlements.look(FUND)
    assert found.step is Step.SENT
    (row,) = here.store.transactions(chain="local")
    assert row.id == found.transaction
    assert (row.intent.kind, row.intent.to) == (TransactionKind.SETTLE, VAULT)
    assert row.intent.data == f"settle 7 {COMPONENTS}".encode()
    assert row.intent.valid_until == SERVED.valuation_time + SERVED.max_age
    assert here.vault.asked == [(row.intent.data, here.lane.address)]
    assert found.examined is not None
    assert found.examined.expected == DID


async def test_look__confirmed__reads_back_that_the_vault_did_what_was_planned(here: SettlementWorld) -> None:
    here.vault.did = DID
    found = await settle(here)
    assert (found.step, found.settled, found.differs) == (Step.SETTLED, DID, ())
    assert [kind for kind, _ in here.events()] == [STARTED, ENDED]
    assert here.events()[-1][1] == "epoch 7 was settled as planned"


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("epoch", 8, "epoch: 7 planned, 8 settled"),
        ("minted", Wad(99 * WAD), "shares minted"),
        ("fee_shares", Wad(1), "fee shares: 0.000000000000000000 planned"),
        ("burned", Wad(9 * WAD), "shares burned"),
        ("deposited", Wad(1), "deposits"),
        ("price_per_share", Wad(WAD + 1), "share price"),
        ("valuation_time", Timestamp(1), "valuation time"),
        ("payouts", (), "payouts"),
    ],
)
async def test_look__vault_did_something_else__names_the_figure_and_warns(
    here: SettlementWorld, name: str, value: object, told: str
) -> None:
    here.vault.did = replace(DID, **{name: value})  # type: ignore[arg-type]
    found = await settle(here)
    assert found.step is Step.SETTLED
    assert len(found.differs) == 1
    assert told in found.differs[0]
    (event,) = here.store.events(fund=FUND, kind=ENDED)
    assert event.event.severity is Severity.WARNING
    assert event.event.advice


async def test_look__confirmed_and_not_settled__fails_and_is_not_repeated_on_the_same_post(
    here: SettlementWorld,
) -> None:
    found = await settle(here)
    assert (found.step, found.reason) == (Step.FAILED, "confirmed, and the epoch is not settled")
    again = await here.settlements.look(FUND)
    assert (again.step, again.reason) == (Step.WAITING, "failed_before")
    assert len(here.store.transactions(chain="local")) == 1
    (event,) = here.store.events(fund=FUND, kind=ENDED)
    assert event.event.severity is Severity.CRITICAL


async def test_look__another_post_after_a_failure__is_tried_anew(here: SettlementWorld) -> None:
    first = await settle(here)
    newer = replace(SERVED, valuation_time=Timestamp(SERVED.valuation_time + 50))
    here.keep_post(newer, "f2")
    here.vault.served = newer
    second = await here.settlements.look(FUND)
    assert second.step is Step.SENT
    assert second.transaction != first.transaction
    # It is the second one that is under way now: the end of the first says nothing of it.
    third = await here.settlements.look(FUND)
    assert (third.step, third.transaction, third.examined) == (Step.SENT, second.transaction, None)
    assert [kind for kind, _ in here.events()] == [STARTED, ENDED, STARTED]


async def test_look__started_again_while_it_is_under_way__follows_it_and_sends_no_second(here: SettlementWorld) -> None:
    first = await here.settlements.look(FUND)
    here.start()
    second = await here.settlements.look(FUND)
    assert (second.step, second.transaction) == (Step.SENT, first.transaction)
    here.vault.did = DID
    await here.lane.tick()
    here.start()
    third = await here.settlements.look(FUND)
    assert (third.step, third.transaction, third.differs) == (Step.SETTLED, first.transaction, ())
    assert len(here.store.transactions(chain="local")) == 1


async def test_look__killed_between_storing_and_signing__signs_the_stored_one(here: SettlementWorld) -> None:
    here.lane.dies_before_signing = True
    with pytest.raises(SystemExit):
        await here.settlements.look(FUND)
    (row,) = here.store.transactions(chain="local")
    assert (row.state, row.attempts) == (TransactionState.PREPARED, ())
    here.lane.dies_before_signing = False
    here.start()
    found = await here.settlements.look(FUND)
    assert (found.step, found.transaction) == (Step.SENT, row.id)
    assert len(here.store.find_transaction(row.id).attempts) == 1


@pytest.mark.parametrize("error", [ChainError("no node", advice="Wait."), CallReverted("refused", advice="Look.")])
async def test_look__transaction_that_cannot_be_sent__ends_as_failed_with_its_reason(
    here: SettlementWorld, error: ChainError | CallReverted, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(transaction: int) -> None:
        raise error

    monkeypatch.setattr(here.lane, "submit", fail)
    found = await here.settlements.look(FUND)
    assert (found.step, found.reason) == (Step.FAILED, f"{error.code}: {error.message}")
    assert here.events()[-1] == (ENDED, f"epoch 7 was not settled: {error.code}: {error.message}")


async def test_look__nothing_of_ours_is_served__waits_for_a_post_of_this_database(tmp_path: Path) -> None:
    found = await SettlementWorld(tmp_path / "keeper.db").settlements.look(FUND)
    assert (found.step, found.reason) == (Step.WAITING, "unknown_post")
    assert found.examined is not None
    assert (found.examined.data, found.examined.plan.settles) == (None, True)


@pytest.mark.parametrize(
    "posted", [replace(SERVED, nav=Wad(1_100 * WAD + 1)), replace(SERVED, price_per_share=Wad(WAD + 1))]
)
async def test_look__served_value_is_another_one_than_was_posted_then__is_not_settled_with_its_components(
    tmp_path: Path, posted: Post
) -> None:
    here = SettlementWorld(tmp_path / "keeper.db")
    here.keep_post(posted=posted)
    assert (await here.settlements.look(FUND)).reason == "unknown_post"


async def test_look__sender_without_the_role__is_told_before_anything_is_asked_of_the_vault(
    here: SettlementWorld,
) -> None:
    here.vault.may_settle = False
    found = await here.settlements.look(FUND)
    assert (found.step, found.reason) == (Step.WAITING, "not_keeper")
    assert here.vault.asked == []


async def test_look__vault_refuses_what_was_planned__sends_nothing(here: SettlementWorld) -> None:
    here.vault.refuses = "reverted: TooEarly(1,2)"
    found = await here.settlements.look(FUND)
    assert (found.step, found.reason) == (Step.WAITING, "vault_refuses")
    assert here.store.transactions(chain="local") == ()


async def test_look__reasons__are_events_once_an_epoch_whoever_starts_again(here: SettlementWorld) -> None:
    here.vault.state = state(deliveries=(), paused=True)
    for _ in range(3):
        await here.settlements.look(FUND)
        here.start()
    kinds = [kind for kind, _ in here.events()]
    assert kinds == [WAITING, WAITING]
    assert all(row.event.severity is Severity.WARNING for row in here.store.events(fund=FUND, kind=WAITING))
    here.vault.state = state(epoch=8, paused=True)
    await here.settlements.look(FUND)
    assert [kind for kind, _ in here.events()] == [WAITING] * 3


async def test_look__before_its_time__is_an_event_that_asks_for_nobody(here: SettlementWorld) -> None:
    here.vault.state = state(settleable_at=Timestamp(state().closes_at + 701))
    await here.settlements.look(FUND)
    (row,) = here.store.events(fund=FUND, kind=WAITING)
    assert (row.event.severity, row.event.data["reason"]) == (Severity.INFO, "too_early")


async def test_look__not_live__plans_and_leaves_nothing_behind(tmp_path: Path) -> None:
    here = SettlementWorld(tmp_path / "keeper.db", live=False)
    here.keep_post()
    found = await here.settlements.look(FUND)
    assert (found.step, found.reason) == (Step.WAITING, "dry_run")
    assert found.examined is not None
    assert (found.examined.refusals, found.examined.previewed) == ((), False)
    assert here.events() == []
    assert here.store.transactions(chain="local") == ()


async def test_look__lane_of_another_keeper__waits(here: SettlementWorld) -> None:
    assert here.store.claim_lane("local", here.lane.address, owner="b", lease=60) is not None
    found = await here.settlements.look(FUND)
    assert (found.step, found.reason) == (Step.WAITING, "another keeper has the lane")
    assert here.store.transactions(chain="local") == ()


async def test_look__safe_that_settles__is_proposed_the_call_and_nothing_is_sent(here: SettlementWorld) -> None:
    safe = Proposals()
    access = VaultAccess(FUND, CHAIN, here.vault, here.lane, safe)
    settlements = Settlements({FUND: access}, here.store, here.clock, live=True)
    found = await settlements.look(FUND)
    place = f"pending at nonce 7 of {SAFE}"
    assert (found.step, found.reason) == (Step.WAITING, f"proposed: {place}")
    (call,) = safe.taken
    assert (call.action, call.to, call.data) == ("settle", VAULT, f"settle 7 {COMPONENTS}".encode())
    assert (call.slot_time, call.valuation_time) == (SERVED.valuation_time, SERVED.valuation_time)
    assert call.valid_until == SERVED.valuation_time + SERVED.max_age
    assert call.sentences[0].startswith(f"{FUND}: settle epoch 7 at a price per share of 1.0")
    assert here.vault.asked == [(call.data, SAFE)]  # the vault was asked for the Safe, not for our key
    assert here.store.transactions(chain="local") == ()
    await settlements.look(FUND)
    (row,) = here.store.events(fund=FUND, kind=WAITING)
    assert (row.event.severity, row.event.data["reason"]) == (Severity.INFO, "proposed")
    assert place in row.event.message
