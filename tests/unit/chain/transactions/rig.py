"""A lane over simulated nodes and a real store, with the clock in a test's hands."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from navoracle.chain.signers import EphemeralSigner, Signer
from navoracle.chain.transactions import LanePolicy, Relay, TransactionLane
from navoracle.domain.units import Timestamp
from navoracle.lane_port import LaneEvent
from navoracle.ports import Address
from navoracle.storage import SqlStore
from navoracle.store_port import (
    NewTransaction,
    Severity,
    TransactionKind,
    TransactionRow,
    TransactionState,
    Urgency,
)
from tests.unit.chain.transactions.mempool import (
    CHAIN_ID,
    GWEI,
    MempoolChain,
    MempoolNode,
    Sent,
    SetClock,
    pool_of,
)

SIGNER = EphemeralSigner(bytes(31) + b"\x07")
TARGET = Address("0x00000000000000000000000000000000000000A1")

MEMORY = Path("/dev/shm")
"""A disk that need not be waited for, where there is one: a store is opened for every test."""

POLICY = LanePolicy(
    routine_max_fee=200 * GWEI,
    emergency_max_fee=500 * GWEI,
    resubmit_after=48,
    republish_after=30,
    post_confirmations=2,
    missing_looks=3,
    missing_after=60,
    gap_looks=2,
    gap_after=10,
    private_patience=60,
)


class Rig:
    """One chain, its nodes, one store, and the lane that is alive just now."""

    def __init__(
        self, store: SqlStore, *, nodes: int = 2, policy: LanePolicy = POLICY, signer: Signer = SIGNER
    ) -> None:
        self.chain = MempoolChain()
        self.nodes = [self.chain.node(f"node{index}") for index in range(nodes)]
        self.clock = SetClock()
        self.store = store
        self.policy = policy
        self.signer = signer
        self.relay: Relay | None = None
        self.events: list[LaneEvent] = []
        self._keys = count(1)
        self.lane = self._made()

    async def open(self) -> None:
        """A new process: a new lane on the same store."""
        self.lane = self._made()
        assert await self.lane.open()

    def _made(self) -> TransactionLane:
        return TransactionLane(
            pool=pool_of(*self.nodes, clock=self.clock),
            signer=self.signer,
            store=self.store,
            clock=self.clock,
            chain="main",
            chain_id=CHAIN_ID,
            policy=self.policy,
            owner="keeper",
            on_event=self.events.append,
            relay=self.relay,
        )

    async def with_policy(self, **changes: Any) -> None:
        """A new process with another policy."""
        self.policy = replace(self.policy, **changes)
        await self.open()

    async def add(self, data: bytes | None = None, **intent: Any) -> int:
        """Store an intent."""
        number = next(self._keys)
        key = intent.pop("key", f"post-{number}")
        kind = intent.pop("kind", TransactionKind.POST)
        body = data if data is not None else number.to_bytes(4, "big")
        return await self.lane.add(NewTransaction(key, kind, TARGET, body, **intent))

    async def post(self, data: bytes | None = None, **intent: Any) -> int:
        """Store an intent and submit it."""
        number = await self.add(data, **intent)
        await self.lane.submit(number)
        return number

    async def tick(self, after: int = 0) -> None:
        """Let time pass, then look."""
        self.clock.reading += after
        await self.lane.tick()

    async def mine(self, blocks: int = 1) -> None:
        """Mine, then look."""
        self.chain.mine(blocks)
        await self.tick(12 * blocks)

    def row(self, number: int) -> TransactionRow:
        return self.store.find_transaction(number)

    def state(self, number: int) -> TransactionState:
        return self.row(number).state

    def told(self, kind: str) -> list[LaneEvent]:
        """The events of a kind, oldest first."""
        return [event for event in self.events if event.kind == kind]

    def waiting(self, node: int = 0) -> list[Sent]:
        """What is in a node's mempool, by nonce."""
        return [sent for _, sent in sorted(self.nodes[node].pool.items())]

    def advice_is_given(self) -> bool:
        """Whether every event that asks for an operator says what to do."""
        return all(event.advice for event in self.events if event.severity is not Severity.INFO)


@contextmanager
def rig(**settings: Any) -> Iterator[Rig]:
    """A rig on a database of its own."""
    with TemporaryDirectory(prefix="navoracle-lane-", dir=MEMORY if MEMORY.is_dir() else None) as folder:
        path = Path(folder) / "lane.db"
        path.write_bytes(_empty_database())
        with SqlStore.open(f"sqlite:///{path}") as store:
            yield Rig(store, **settings)


@cache
def _empty_database() -> bytes:
    """A database with the newest schema: copying it is faster than migrating."""
    with TemporaryDirectory(prefix="navoracle-lane-") as folder:
        path = Path(folder) / "empty.db"
        SqlStore.open(f"sqlite:///{path}").close()
        return path.read_bytes()


__all__ = [
    "GWEI",
    "POLICY",
    "SIGNER",
    "TARGET",
    "MempoolChain",
    "MempoolNode",
    "Rig",
    "Timestamp",
    "Urgency",
    "rig",
]
