"""The way of transactions as the keeper sees it: one lane for each chain and sender, which alone uses its nonces."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from navoracle.domain.units import Timestamp
from navoracle.ports import Address
from navoracle.store_port.records import Severity
from navoracle.store_port.transactions import LaneLease, NewTransaction


@dataclass(frozen=True, slots=True)
class LaneEvent:
    """Something about a lane that an operator may have to know; no part of it is secret.

    `kind`: sent, bumped, republished, mined, confirmed, reorganized, replaced, failed, expired, fee_cap, fee_budget,
    gap_filled, key_used_elsewhere, low_funds, no_funds, deep_reorganization, wrong_signature, send_failed.
    """

    kind: str
    chain: str
    sender: Address
    severity: Severity
    message: str
    advice: str = ""
    transaction: int | None = None
    hash: str | None = None


@dataclass(frozen=True, slots=True)
class LaneStatus:
    """A lane now: wei, seconds; `runway` is how long the balance lasts at the recent pace, None when nothing was spent.

    `next_nonce` is the one that the next transaction gets; `pending` how many have not ended.
    """

    chain: str
    sender: Address
    balance: int
    runway: int | None
    pending: int
    next_nonce: int
    spent_today: int
    budget_per_day: int | None


class Lane(Protocol):
    """One sender on one chain. Only the owner of its lease signs or sends."""

    @property
    def address(self) -> Address:
        """The sender."""

    @property
    def lease(self) -> LaneLease:
        """The lease under which it writes. Raises LeaseLost while it has none."""

    async def open(self) -> bool:
        """Claim the lane, or renew the claim; False while another keeper has it."""

    async def add(self, intent: NewTransaction) -> int:
        """Store an intent; its number. Raises LeaseLost."""

    async def submit(self, transaction: int) -> None:
        """Simulate, price, sign, save and broadcast a prepared transaction. Does not wait for a block.

        A failed broadcast is ambiguous and no error: `tick` looks it up.

        Raises:
            CallReverted: the contract would refuse it; nothing was signed and the transaction ended FAILED.
            ChainError: it could not be priced or signed (fee above the ceiling, no node); nothing was broadcast and it
                ended FAILED.
            LeaseLost: another keeper has the lane.
        """

    async def tick(self) -> None:
        """One look at everything that is open: receipts, reorganizations, bumps, expiries, gaps; then act on it.

        A node that fails leaves everything as it is for the next look. Raises LeaseLost, StoreError.
        """

    async def status(self) -> LaneStatus:
        """Balance, runway and nonces. Raises ChainError."""

    async def close(self) -> None:
        """Give the lease up."""


@dataclass(frozen=True, slots=True)
class ProposedCall:
    """A call that others are to make.

    Attributes:
        action: "post" or "settle".
        funds: whose slot it ends, with the sentences that its signers are told.
        slot_time: what it is for; the same action of the same fund for the same time is proposed once.
        valid_until: from then on it must not be made (Unix seconds, as all times here).
    """

    action: str
    to: Address
    data: bytes
    funds: tuple[str, ...]
    sentences: tuple[str, ...]
    slot_time: Timestamp
    valuation_time: Timestamp
    valid_until: Timestamp


class Proposer(Protocol):
    """Somebody else who sends: a call is proposed, and its owners execute it."""

    @property
    def address(self) -> Address:
        """Whose call it will be."""

    async def propose(self, call: ProposedCall) -> str:
        """Propose a call, unless the same one waits already; says in a few words where it is.

        Raises:
            GuardRefused: it would fail as things are, or its valuation is too old.
            ChainError: the chain cannot be read. NavoracleError: it could not be signed or handed over.
        """
