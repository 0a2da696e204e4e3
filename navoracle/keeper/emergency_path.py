"""The emergency path: a fund whose liabilities exceed its assets is held on chain, by the guardian's own hot key.

The poster's key never holds anything: whoever stole it must not be able to freeze funds, and a poster that can hold is
one role too many. Where no guardian's key is configured nothing is sent, and people are told what to do. Everything
here may be done again: a fund that its guardian holds is left alone, so is one whose hold is under way, and the same
frame makes the same transaction.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from navoracle.domain.breaker import Breaker
from navoracle.domain.breaker_watch import INSOLVENT
from navoracle.domain.errors import CallReverted, ChainError, ConfigurationError, LeaseLost, NavoracleError
from navoracle.domain.frame import FundFrame, NavFrame, NavStatus
from navoracle.domain.units import Timestamp, format_wad
from navoracle.keeper.plan import FundPlan
from navoracle.lane_port import Lane
from navoracle.ports import Address, Clock
from navoracle.registry_port import RegistryCalls, RegistryInspector
from navoracle.store_port import (
    BreakerSubject,
    Event,
    NewTransaction,
    Severity,
    Store,
    TransactionKind,
    TransactionState,
    Urgency,
)

EVENT: Final = "insolvent"
_BY_HAND: Final = "Hold the fund with `navoracle emergency` or the guardian's own wallet, and tell its manager."
_HELD: Final = "Look into the fund; the RISK role releases the hold and resets the breaker when it is solvent again."


@dataclass(frozen=True, slots=True)
class Guardian:
    """The guardian's hot key on one chain, the registry that it may hold funds on, and who posts there."""

    lane: Lane
    registry: Address
    inspector: RegistryInspector
    poster: Address | None


@dataclass(frozen=True, slots=True)
class HoldDecision:
    """What is done about an insolvent fund: `transaction` is sent, or nothing is, and `why_not` says why."""

    fund: str
    transaction: NewTransaction | None
    why_not: str | None = None


@dataclass(frozen=True, slots=True)
class HoldOutcome:
    """What became of it: the transaction's number where one was made, and what people are told.

    `holds` is whether the fund is held, or a transaction that holds it is under way.
    """

    fund: str
    transaction: int | None
    holds: bool
    message: str
    advice: str


def no_key(chain: str) -> str:
    """Why the keeper cannot hold a fund of a chain, where that is so."""
    return f"no guardian's key is configured for {chain}"


def hold_by_hand(fund: str) -> str:
    """What people do where the keeper cannot hold a fund."""
    return f"Hold it with the guardian's own key: `navoracle emergency hold {fund} --send --key-file FILE --live`."


def hold_key(chain: str, registry: Address, fund: str, mark: str = "") -> str:
    """The idempotency key of a hold; without a mark what all keys of the fund begin with."""
    return f"hold:{chain}:{registry}:{fund}:{mark}"


def hold_transaction(
    fund: str, fund_id: int, mark: str, *, chain: str, registry: Address, calls: RegistryCalls
) -> NewTransaction:
    """The intent to hold a fund. `mark` (a frame's id, or a time) makes it the same however often it is made."""
    return NewTransaction(
        key=hold_key(chain, registry, fund, mark),
        kind=TransactionKind.HOLD,
        to=registry,
        data=calls.hold([fund_id]),
        urgency=Urgency.EMERGENCY,
    )


def decide(
    frame: NavFrame,
    found: FundFrame,
    plan: FundPlan,
    *,
    guardian: Guardian | None,
    held: bool | None,
    under_way: bool,
    calls: RegistryCalls,
) -> HoldDecision | None:
    """What is to be done about one fund of a frame; None for a fund that is not insolvent. Pure.

    Args:
        guardian: the key that may hold it; None where none is configured for its chain.
        held: whether a guardian holds it on its registry already; None where nobody could say.
        under_way: whether a transaction that holds it has not ended yet.
    """
    if found.status is not NavStatus.INSOLVENT:
        return None
    if plan.chain is None:
        return HoldDecision(found.fund, None, "it is posted nowhere")
    if held:
        return HoldDecision(found.fund, None, "a guardian holds it")
    if under_way:
        return HoldDecision(found.fund, None, "a hold is under way")
    if guardian is None:
        return HoldDecision(found.fund, None, no_key(plan.chain))
    if guardian.lane.address == guardian.poster:
        return HoldDecision(found.fund, None, "the guardian's key is the poster's own")
    intent = hold_transaction(
        found.fund, plan.fund_id, frame.id, chain=plan.chain, registry=guardian.registry, calls=calls
    )
    return HoldDecision(found.fund, intent)


class GuardianHolds:
    """Holds funds with the guardians' hot keys.

    Args:
        funds: by name.
        guardians: by chain.
    """

    def __init__(
        self,
        funds: Mapping[str, FundPlan],
        guardians: Mapping[str, Guardian],
        calls: RegistryCalls,
        store: Store,
        clock: Clock,
    ) -> None:
        self.funds = funds
        self.guardians = guardians
        self.calls = calls
        self._store = store
        self._clock = clock

    async def hold(self, fund: str, reason: str) -> str:
        """Hold a fund because somebody who may has asked for it; says what was done.

        Raises:
            ConfigurationError: no guardian's key is configured for its chain, or it is the poster's.
            ChainError, CallReverted: it could not be sent. LeaseLost: another keeper has the key's lane.
        """
        plan = self.funds[fund]
        guardian = None if plan.chain is None else self.guardians.get(plan.chain)
        if plan.chain is None or guardian is None:
            raise ConfigurationError(
                f"fund {fund} cannot be held on chain: {no_key(plan.chain or 'it')}",
                advice=f"{hold_by_hand(fund)} With `chains.{plan.chain or 'CHAIN'}.guardian` the keeper does it.",
            )
        if guardian.lane.address == guardian.poster:
            raise ConfigurationError(
                f"fund {fund} is not held: the guardian's key is the poster's own",
                advice=f"The poster's key must not freeze funds: give the guardian its own. {hold_by_hand(fund)}",
            )
        if await self.is_held(fund, plan, guardian):
            return "a guardian holds it already"
        if self.under_way(fund, plan.chain, guardian):
            return "a hold is under way"
        mark = f"asked at {self._clock.now()}"
        intent = hold_transaction(
            fund, plan.fund_id, mark, chain=plan.chain, registry=guardian.registry, calls=self.calls
        )
        return f"hold sent as transaction {await self.send(guardian, intent)} ({reason})"

    async def is_held(self, fund: str, plan: FundPlan, guardian: Guardian) -> bool | None:
        """Whether a guardian holds it on its registry; None where it cannot be read."""
        try:
            state = await guardian.inspector.inspect({fund: plan.fund_id}, None)
        except ChainError:
            return None
        return fund in state.holds and state.holds[fund].by_guardian

    def under_way(self, fund: str, chain: str, guardian: Guardian) -> bool:
        """Whether a transaction that holds it has not ended. Raises StoreError."""
        start = hold_key(chain, guardian.registry, fund)
        return any(
            row.intent.key.startswith(start) for row in self._store.open_transactions(chain, guardian.lane.address)
        )

    async def send(self, guardian: Guardian, intent: NewTransaction) -> int:
        """Store an intent and send it, unless it was before; its number.

        Raises:
            LeaseLost: another keeper has the key's lane. ChainError, CallReverted: it could not be sent.
        """
        if not await guardian.lane.open():
            raise LeaseLost(
                f"another keeper has the lane of the guardian {guardian.lane.address}",
                advice="That keeper holds the fund; check its log.",
            )
        number = await guardian.lane.add(intent)
        row = self._store.find_transaction(number)
        if row.state is TransactionState.PREPARED and not row.attempts:
            await guardian.lane.submit(number)
        return number


class InsolvencyPath:
    """What follows from insolvent funds of a frame. Their breakers are `Breakers`' business."""

    def __init__(self, holds: GuardianHolds, store: Store) -> None:
        self._holds = holds
        self._store = store

    async def after_frame(self, frame: NavFrame) -> tuple[HoldOutcome, ...]:
        """Hold every insolvent fund of the frame that is not held yet, and leave an event of what was done.

        Called before the frame moves the breakers: a fund whose breaker is open for insolvency was told of before.

        Raises:
            StoreError: the database cannot be read or written.
        """
        insolvent = [found for found in frame.funds if found.status is NavStatus.INSOLVENT]
        if not insolvent:
            return ()
        breakers = self._store.load_breakers()
        outcomes = []
        for found in insolvent:
            outcome = await self._hold(frame, found)
            breaker = breakers.get(BreakerSubject("fund", found.fund), Breaker())
            if outcome.transaction is not None or not outcome.holds or INSOLVENT not in breaker.reasons:
                self._store.append_event(_event(frame, found, outcome))
            outcomes.append(outcome)
        return tuple(outcomes)

    async def _hold(self, frame: NavFrame, found: FundFrame) -> HoldOutcome:
        plan = self._holds.funds[found.fund]
        guardian = None if plan.chain is None else self._holds.guardians.get(plan.chain)
        held, under_way = None, False
        if guardian is not None and plan.chain is not None:
            held = await self._holds.is_held(found.fund, plan, guardian)
            under_way = self._holds.under_way(found.fund, plan.chain, guardian)
        decision = decide(
            frame, found, plan, guardian=guardian, held=held, under_way=under_way, calls=self._holds.calls
        )
        if decision is None or decision.transaction is None or guardian is None:
            why = "" if decision is None else str(decision.why_not)
            holds = bool(held) or under_way
            return HoldOutcome(found.fund, None, holds, why, _HELD if holds else _BY_HAND)
        try:
            number = await self._holds.send(guardian, decision.transaction)
        except (ChainError, CallReverted, LeaseLost) as error:
            advice = f"{error.advice} {_BY_HAND}"
            return HoldOutcome(found.fund, None, holds=False, message=_failed(error), advice=advice)
        return HoldOutcome(found.fund, number, holds=True, message=f"held by transaction {number}", advice=_HELD)


def _failed(error: NavoracleError) -> str:
    return f"the hold could not be sent: {error.code}: {error.message}"


def _event(frame: NavFrame, found: FundFrame, outcome: HoldOutcome) -> Event:
    nav = None if found.valuation is None else min(found.valuation.before.nav, found.valuation.after.nav)
    owed = "" if nav is None else f" of {format_wad(nav)}"
    return Event(
        at=Timestamp(frame.clock),
        kind=EVENT,
        fund=found.fund,
        severity=Severity.CRITICAL,
        message=f"fund {found.fund} is insolvent: a NAV{owed}; nothing is posted; {outcome.message}",
        advice=outcome.advice,
        data={
            "frame": frame.id,
            "transaction": outcome.transaction,
            "holds": outcome.holds,
            "nav": None if nav is None else str(nav),
        },
    )
