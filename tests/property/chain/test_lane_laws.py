"""Whatever happens to nodes, blocks and processes: no intent lands twice, no nonce stays open, no hash is lost."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Coroutine
from dataclasses import replace
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from navoracle.chain.rpc import NoAnswer, NodeRefused
from navoracle.domain.errors import CallReverted, ChainError
from navoracle.domain.units import Timestamp
from navoracle.store_port import TransactionState, Urgency
from tests.unit.chain.transactions.mempool import Fault, Request
from tests.unit.chain.transactions.rig import GWEI, POLICY, Rig, rig

NODES = 2
KEYS = 5
CONFIRMATIONS = 2

QUICK = replace(
    POLICY, post_confirmations=CONFIRMATIONS, resubmit_after=40, republish_after=20, missing_after=30, gap_after=5
)


class Killed(BaseException):
    """The process ends here."""


def down(_sound: Request, _method: str, _params: Any) -> Any:
    raise NoAnswer("node: no answer", advice="Check it.")


def busy(_sound: Request, method: str, _params: Any) -> Any:
    raise NodeRefused("node", method, -32005, "too many requests")


def deaf(sound: Request, method: str, params: Any) -> Any:
    """It acts on what it is sent, and its answer is lost."""
    found = sound(method, params)
    if method == "eth_sendRawTransaction":
        raise NoAnswer("node: the answer was lost", advice="Check it.")
    return found


def forgetful(sound: Request, method: str, params: Any) -> Any:
    """It says that it takes what it is sent, and does not."""
    if method == "eth_sendRawTransaction":
        raise NoAnswer("node: the request was lost", advice="Check it.")
    return sound(method, params)


def blind(sound: Request, method: str, params: Any) -> Any:
    """It knows no receipts."""
    return None if method == "eth_getTransactionReceipt" else sound(method, params)


def stale(sound: Request, method: str, params: Any) -> Any:
    """It counts one transaction too few."""
    found = sound(method, params)
    return hex(max(0, int(found, 16) - 1)) if method == "eth_getTransactionCount" else found


def fatal(sound: Request, method: str, params: Any) -> Any:
    """The process is killed once the node has the bytes."""
    found = sound(method, params)
    if method == "eth_sendRawTransaction":
        raise Killed
    return found


def fatal_before(sound: Request, method: str, params: Any) -> Any:
    """The process is killed before the node has the bytes."""
    if method == "eth_sendRawTransaction":
        raise Killed
    return sound(method, params)


FAULTS: dict[str, Fault | None] = {
    "sound": None,
    "down": down,
    "busy": busy,
    "deaf": deaf,
    "forgetful": forgetful,
    "blind": blind,
    "stale": stale,
}


class LaneMachine(RuleBasedStateMachine):
    """Processes that come and go over one store, one chain and two nodes."""

    here: Rig

    @initialize()
    def start(self) -> None:
        self._loop = asyncio.Runner()
        self._rig = rig(nodes=NODES, policy=QUICK)
        self.here = self._rig.__enter__()
        self._do(self.here.open)

    def teardown(self) -> None:
        if not hasattr(self, "here"):
            return
        try:
            self._everything_ends()
        finally:
            self._rig.__exit__(None, None, None)
            self._loop.close()

    def _do(self, step: Callable[[], Coroutine[Any, Any, Any]]) -> None:
        """Take a step; a process that is killed in it is started anew."""
        try:
            self._loop.run(step())
        except (ChainError, CallReverted):
            pass
        except Killed:
            for node in self.here.nodes:
                node.fault = None
            self._loop.run(self.here.open())

    # ---- what happens

    @rule(
        key=st.integers(1, KEYS),
        urgent=st.booleans(),
        lasts=st.sampled_from([None, 30, 200]),
    )
    def submit(self, key: int, urgent: bool, lasts: int | None) -> None:
        async def step() -> None:
            number = await self.here.add(
                bytes([key]) * 4,
                key=f"slot-{key}",
                urgency=Urgency.EMERGENCY if urgent else Urgency.ROUTINE,
                valid_until=None if lasts is None else Timestamp(self.here.clock.reading + lasts),
            )
            await self.here.lane.submit(number)

        self._do(step)

    @rule(keys=st.sets(st.integers(1, KEYS), min_size=2, max_size=3))
    def submit_together(self, keys: set[int]) -> None:
        async def step() -> None:
            numbers = [await self.here.add(bytes([key]) * 4, key=f"slot-{key}") for key in sorted(keys)]
            await asyncio.gather(
                *(self.here.lane.submit(number) for number in numbers), self.here.lane.tick(), return_exceptions=True
            )

        self._do(step)

    @rule(seconds=st.sampled_from([1, 12, 25, 45, 100]))
    def tick(self, seconds: int) -> None:
        self._do(lambda: self.here.tick(seconds))

    @rule(blocks=st.integers(1, 3))
    def mine(self, blocks: int) -> None:
        self.here.chain.mine(blocks)

    @rule(depth=st.integers(1, CONFIRMATIONS), keep=st.booleans(), blocks=st.integers(0, 3))
    def reorganize(self, depth: int, keep: bool, blocks: int) -> None:
        # What counts as final stays: one reorganization after another may not add up to a deep one.
        ended = [
            row.receipt.block_number for row in self.here.store.transactions("main") if row.finished_at and row.receipt
        ]
        depth = min(depth, self.here.chain.head.number - max(ended, default=0))
        if depth > 0:
            self.here.chain.reorganize(depth, keep=keep)
        self.here.chain.mine(blocks)

    @rule(node=st.integers(0, NODES - 1))
    def drop(self, node: int) -> None:
        self.here.nodes[node].pool.clear()

    @rule(node=st.integers(0, NODES - 1), fault=st.sampled_from(sorted(FAULTS)))
    def fault(self, node: int, fault: str) -> None:
        self.here.nodes[node].fault = FAULTS[fault]

    @rule(node=st.integers(0, NODES - 1), lag=st.integers(0, 2))
    def lag(self, node: int, lag: int) -> None:
        self.here.nodes[node].lag = lag

    @rule(gwei=st.sampled_from([5, 10, 60, 150, 300]))
    def fees_move(self, gwei: int) -> None:
        self.here.chain.base_fee = gwei * GWEI

    @rule(after=st.booleans(), key=st.integers(1, KEYS), seconds=st.sampled_from([1, 45, 100]))
    def killed_while_broadcasting(self, after: bool, key: int, seconds: int) -> None:
        """In a first broadcast if the key is new, in that of a dearer or freeing form if one is due."""
        for node in self.here.nodes:
            node.fault = fatal if after else fatal_before
        self.submit(key, False, 200)
        for node in self.here.nodes:
            node.fault = fatal if after else fatal_before
        self._do(lambda: self.here.tick(seconds))
        for node in self.here.nodes:
            node.fault = None

    @rule()
    def restart(self) -> None:
        self._do(self.here.open)

    # ---- what holds

    @precondition(lambda self: hasattr(self, "here"))
    @invariant()
    def nothing_is_lost_or_doubled(self) -> None:
        rows = self.here.store.transactions("main")
        stored = {attempt.signed.raw: (row, attempt) for row in rows for attempt in row.attempts}
        received = {raw for node in self.here.nodes for raw in node.received}
        assert received <= set(stored), "a broadcast form is not in the store"
        mined = [stored[mined.sent.raw] for _, mined in self.here.chain.mined()]
        landed = Counter(row.intent.key for row, attempt in mined if not attempt.noop)
        assert all(times == 1 for times in landed.values()), f"an intent landed twice: {landed}"
        nonces = Counter(row.nonce for row in rows if row.nonce is not None)
        assert all(times == 1 for times in nonces.values()), f"a nonce was given twice: {nonces}"
        for row in rows:
            assert len({attempt.signed.nonce for attempt in row.attempts}) <= 1

    def _everything_ends(self) -> None:
        here = self.here
        for node in here.nodes:
            node.fault, node.lag = None, 0
        here.chain.base_fee = 10 * GWEI
        for _ in range(30):
            here.chain.mine()
            self._do(lambda: here.tick(45))
            if not any(row.attempts for row in here.store.open_transactions("main", here.lane.address)):
                break
        self.nothing_is_lost_or_doubled()
        rows = here.store.transactions("main")
        assert all(row.state.is_end for row in rows if row.attempts), [row for row in rows if not row.state.is_end]
        used = {row.nonce for row in rows if row.nonce is not None}
        assert used == set(range(here.chain.count(here.lane.address)))
        on_chain = {mined.sent.hash: mined for _, mined in here.chain.mined()}
        for row in rows:
            forms = [attempt for attempt in row.attempts if attempt.signed.hash in on_chain]
            assert len(forms) == bool(row.attempts)
            if not forms:
                assert row.state in (TransactionState.FAILED, TransactionState.PREPARED)
                continue
            assert row.receipt is not None
            assert row.receipt.hash == forms[0].signed.hash
            assert row.state is (TransactionState.REPLACED if forms[0].noop else TransactionState.CONFIRMED)
        assert not here.told("key_used_elsewhere")
        assert not here.told("deep_reorganization")
        assert here.advice_is_given()


TestLaneMachine = LaneMachine.TestCase
TestLaneMachine.settings = settings(max_examples=25, stateful_step_count=25)
