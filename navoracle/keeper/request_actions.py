"""What follows from a signed request that was verified and taken: a slot, a stop, a reset. Never a post by itself."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Final, Protocol

from navoracle.domain.breaker import Role
from navoracle.domain.cadence import HOUR
from navoracle.domain.errors import NavoracleError, StoreError
from navoracle.domain.units import Timestamp
from navoracle.keeper.breakers import BreakerChange, Breakers
from navoracle.keeper.observer import Observer
from navoracle.ports import Clock
from navoracle.store_port import BreakerSubject, RequestRow, RequestState, SlotOutcome, SlotState, Store

AskEmergency = Callable[[str, str, str], None]
"""Ask for an EMERGENCY slot: fund, cause, reason."""

SLOT_ACTIONS: Final = {"update": "manager", "emergency_update": "guardian", "post_trade": "risk_engine"}
"""Actions that ask for a slot, and nothing but that, with the cause they are counted under."""

OWN_KEY_ACTIONS: Final = frozenset({"accept", "release", "discard"})
"""What only the RISK key itself can do on the chain; the request says that it was asked for."""


class HoldsFunds(Protocol):
    """Whoever can hold a fund on its registry."""

    async def hold(self, fund: str, reason: str) -> str:
        """Hold it, and say what was done. Raises ChainError, LeaseLost, ConfigurationError."""


class RequestActions:
    """Acts on queued requests, once each, and records what became of them."""

    def __init__(self, store: Store, breakers: Breakers, holds: HoldsFunds, observer: Observer, clock: Clock) -> None:
        self._store = store
        self._breakers = breakers
        self._holds = holds
        self._observer = observer
        self._clock = clock
        self._waiting: dict[str, RequestRow] = {}
        self._acting = asyncio.Lock()

    async def act(self, ask_emergency: AskEmergency) -> None:
        """Do what the queued requests ask for. Raises StoreError; any other failure is the result of its request."""
        async with self._acting:
            for row in self._store.queued_requests():
                if row.record.id not in self._waiting:
                    await self._act_on(row, ask_emergency)

    async def _act_on(self, row: RequestRow, ask_emergency: AskEmergency) -> None:
        try:
            result = await self._do(row, ask_emergency)
        except StoreError:
            raise
        except NavoracleError as error:
            self._finish(row, RequestState.REFUSED, f"{error.code}: {error.message}")
            return
        if result is not None:
            self._finish(row, *result)

    def slot_ended(self, fund: str, outcome: SlotOutcome) -> None:
        """A slot of the fund ended: the requests that waited for one have their result."""
        if outcome.state is SlotState.CLAIMED:
            return
        said = outcome.state.value if outcome.reason is None else f"{outcome.state.value} ({outcome.reason})"
        for row in [row for row in self._waiting.values() if row.record.fund == fund]:
            del self._waiting[row.record.id]
            self._finish(row, RequestState.DONE, f"slot {said}")

    async def _do(self, row: RequestRow, ask_emergency: AskEmergency) -> tuple[RequestState, str] | None:
        """Act on one request; None while its slot is waited for."""
        asked, now = row.record, self._clock.now()
        subject = BreakerSubject("fund", asked.fund)
        why = f"{asked.role} {asked.signer}: {asked.reason}"
        if asked.action in SLOT_ACTIONS:
            self._waiting[asked.id] = row
            ask_emergency(asked.fund, SLOT_ACTIONS[asked.action], why)
            return None
        if asked.action == "hold":
            role = Role.RISK if asked.role == "risk" else Role.GUARDIAN
            self._tell(self._breakers.open(subject, why, now, role))
            return await self._hold_on_chain(asked.fund, why)
        if asked.action == "reset_breaker":
            self._tell(self._breakers.reset(subject, now, Role.RISK))
            ask_emergency(asked.fund, "risk", why)
            return RequestState.DONE, "the breaker is closed, and a slot was asked for"
        if asked.action == "rebase":
            self._store.grant_rebase(asked.fund, asked.id, Timestamp(max(asked.deadline, now + HOUR)), now)
            ask_emergency(asked.fund, "risk", why)
            return RequestState.DONE, "the next post is compared with nothing"
        if asked.action in OWN_KEY_ACTIONS:
            return RequestState.DONE, "noted: the RISK key sends this itself"
        return RequestState.DONE, f"nothing follows from {asked.action}"

    async def _hold_on_chain(self, fund: str, why: str) -> tuple[RequestState, str]:
        """Hold a fund whose breaker is open already on its registry too, or say that the chain was not told."""
        try:
            return RequestState.DONE, await self._holds.hold(fund, why)
        except StoreError:
            raise
        except NavoracleError as error:
            return RequestState.PARTLY_DONE, (
                "the breaker is open, and this keeper posts nothing of the fund; its registry was not told, and "
                f"serves the last NAV: {error.message} ({error.code}). {error.advice}"
            )

    def _tell(self, change: BreakerChange | None) -> None:
        if change is not None:
            self._observer.breaker_changed(*change)

    def _finish(self, row: RequestRow, state: RequestState, result: str) -> None:
        now = self._clock.now()
        self._store.finish_request(row.record.id, state, result, now)
        self._observer.request_ended(replace(row, state=state, finished_at=now, result=result))
