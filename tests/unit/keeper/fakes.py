"""Fakes of what the keeper writes to: a store, a registry and a signer that keep one common log of what was done."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from typing import Any, Final, cast

from navoracle.domain.breaker import Breaker
from navoracle.domain.cadence import Cadence
from navoracle.domain.errors import LeaseLost, NavoracleError, OutOfRange
from navoracle.domain.frame import BlockStamp, NavFrame
from navoracle.domain.prior import ConfirmedNav, FundPrior, PriorPrice, Sample
from navoracle.domain.risk.gates import PeakState
from navoracle.domain.units import Timestamp, Wad
from navoracle.keeper.evidence import canonical
from navoracle.keeper.publishing import Outbox
from navoracle.lane_port import LaneStatus
from navoracle.ports import Address, Read, ReadPoint, Request
from navoracle.publisher_port import Batch, FollowUp, FundPost, Preview, ReadBack, Receipt
from navoracle.store_port import (
    BreakerSubject,
    Claim,
    FundFrameRow,
    KeptPeaks,
    LaneLease,
    NewTransaction,
    PostFundRow,
    PostRow,
    SlotOutcome,
    Store,
    TransactionKind,
    TransactionRow,
    TransactionState,
    Urgency,
)
from navoracle.testing import FakeChain, FixedClock
from tests.unit.addresses import address

REGISTRY: Final = address(0xAA)
NAV_LIMIT: Final = 2**104


@dataclass
class Scripted:
    """A reader of prepared rounds: it asks them in order and returns what `finish` makes of all answers.

    With `forgives` it catches an error and goes on, noting its code where the answers would be.
    """

    id: str
    rounds: Sequence[tuple[Request, ...]] = ()
    chain: str | None = None
    finish: Callable[[list[Any]], Any] = list
    forgives: bool = False
    points: list[ReadPoint] = field(default_factory=list)

    def read(self, at: ReadPoint) -> Read[Any]:
        """Ask every round."""
        self.points.append(at)
        answers: list[Any] = []
        for requests in self.rounds:
            try:
                answers.append((yield requests))
            except NavoracleError as error:
                if not self.forgives:
                    raise
                answers.append(error.code)
        return self.finish(answers)

    def describe(self) -> Mapping[str, object]:
        """Its id alone."""
        return {"id": self.id}


class FakeStore:
    """What the keeper needs of a store, in memory. Every write is put in the log under its name."""

    def __init__(self, log: list[str]) -> None:
        self.log = log
        self.documents: dict[tuple[str, str], bytes] = {}
        self.slots: dict[tuple[str, Timestamp], SlotOutcome | None] = {}
        self.frames: list[NavFrame] = []
        self.samples: list[NavFrame] = []
        self.hashes: dict[str, Mapping[str, str]] = {}
        self.funds: dict[str, FundPrior] = {}
        self.prices: tuple[PriorPrice, ...] = ()
        self.known_samples: tuple[Sample, ...] = ()
        self.frames_of_posts: dict[tuple[str, Timestamp], str] = {}
        self.distributions: dict[tuple[str, Timestamp, Timestamp | None], Wad] = {}
        self.peaks: dict[str, KeptPeaks] = {}
        self.posts: list[dict[str, Any]] = []
        self.transactions: dict[int, TransactionRow] = {}
        self.renewals = 0
        self.breakers: dict[BreakerSubject, Breaker] = {}
        self.rebases: dict[str, str] = {}
        self.lost_after: int | None = None
        self.broken: NavoracleError | None = None

    @property
    def port(self) -> Store:
        """Itself, as the store that the keeper asks for."""
        return cast("Store", self)

    def _note(self, what: str) -> None:
        if self.broken is not None:
            raise self.broken
        self.log.append(what)

    def transaction(self) -> AbstractContextManager[None]:
        return nullcontext()

    def claim_slot(
        self, fund: str, slot_time: Timestamp, cadence: Cadence, *, owner: str, lease: int, at: Timestamp
    ) -> Claim | None:
        if (fund, slot_time) in self.slots:
            return None
        self._note(f"claim {fund}")
        self.slots[fund, slot_time] = None
        return Claim(fund, slot_time, cadence, owner, 1)

    def renew_claims(self, claims: Sequence[Claim], lease: int) -> None:
        self.renewals += 1
        if self.lost_after is not None and self.renewals > self.lost_after:
            raise LeaseLost("the lease ran out", advice="Another keeper has the slot.")

    def finish_slot(self, claim: Claim, outcome: SlotOutcome, at: Timestamp) -> None:
        self._note(f"finish {claim.fund} {outcome.state.value}")
        assert self.slots[claim.fund, claim.slot_time] is None
        self.slots[claim.fund, claim.slot_time] = outcome

    def record_frame(
        self,
        frame: NavFrame,
        *,
        hashes: Mapping[str, str],
        fee_bases: Mapping[str, str],
        peaks: Mapping[str, PeakState],
    ) -> None:
        self._note("record")
        assert set(hashes) == set(frame.evidence)
        self.frames.append(frame)
        self.hashes[frame.id] = hashes
        self.peaks |= {fund: KeptPeaks(state, frame.id) for fund, state in peaks.items()}

    def load_peaks(self, funds: Collection[str]) -> Mapping[str, KeptPeaks]:
        return {fund: kept for fund, kept in self.peaks.items() if fund in funds}

    def record_sample(self, frame: NavFrame) -> None:
        self._note("sample")
        self.samples.append(frame)

    def load_prior_prices(self) -> tuple[PriorPrice, ...]:
        return self.prices

    def load_samples(self, since: Timestamp) -> tuple[Sample, ...]:
        return tuple(sample for sample in self.known_samples if sample.time >= since)

    def load_fund(self, fund: str) -> FundPrior:
        return self.funds.get(fund, FundPrior())

    def fund_frames(
        self,
        fund: str | None = None,
        frame: str | None = None,
        since: Timestamp | None = None,
        limit: int | None = None,
    ) -> tuple[FundFrameRow, ...]:
        return ()

    def load_breakers(self) -> Mapping[BreakerSubject, Breaker]:
        return self.breakers

    def rebase_of(self, fund: str, at: Timestamp) -> str | None:
        return self.rebases.get(fund)

    def evidence(self, frame: str, fund: str) -> bytes:
        return self.documents[frame, fund]

    def frame_of_post(self, fund: str, valuation_time: Timestamp) -> str | None:
        return self.frames_of_posts.get((fund, valuation_time))

    def distributions_since(self, fund: str, at: Timestamp, until: Timestamp | None = None) -> Wad:
        return self.distributions.get((fund, at, until), Wad(0))

    def prepare_post(
        self,
        batch: Batch,
        frame_id: str,
        evidence: Mapping[str, str],
        proofs: Mapping[str, Sequence[str]],
        *,
        claims: Sequence[Claim],
        lane: LaneLease,
        urgency: Urgency,
        valid_until: Timestamp | None,
    ) -> PostRow:
        self._note("prepare_post")
        assert {claim.fund for claim in claims} == {post.fund for post in batch.posts}
        number = len(self.posts)
        funds = tuple(
            PostFundRow(post.fund, post.fund_id, post.nav, post.price_per_share, None, None, (), evidence[post.fund])
            for post in batch.posts
        )
        row = PostRow(
            id=number,
            frame=frame_id,
            batch=batch,
            transaction=number,
            state=TransactionState.PREPARED,
            created_at=Timestamp(0),
            finished_at=None,
            transaction_hash=None,
            block_number=None,
            error=None,
            attempts=(),
            funds=funds,
        )
        self.posts.append(
            {
                "batch": batch,
                "frame": frame_id,
                "evidence": evidence,
                "proofs": proofs,
                "urgency": urgency,
                "valid_until": valid_until,
                "row": row,
                "state": "prepared",
            }
        )
        intent = NewTransaction(f"post:{number}", TransactionKind.POST, batch.to, batch.data, urgency, valid_until)
        self.transactions[number] = TransactionRow(
            number, batch.chain, lane.sender, intent, TransactionState.PREPARED, None, (), None, None, None,
            Timestamp(0), None,
        )  # fmt: skip
        return row

    def find_post(self, post: int) -> PostRow:
        row: PostRow = self.posts[post]["row"]
        return row

    def find_transaction(self, transaction: int) -> TransactionRow:
        return self.transactions[transaction]

    def end_transaction(
        self, lane: LaneLease, transaction: int, state: TransactionState, at: Timestamp, error: str | None = None
    ) -> None:
        self._note(f"end_transaction {state.value}")
        self.transactions[transaction] = replace(self.transactions[transaction], state=state, error=error)

    def finish_post(self, lane: LaneLease, post: int, read_backs: Sequence[ReadBack], at: Timestamp) -> None:
        self._note("finish_post")
        self.posts[post].update(state="confirmed", read_backs=tuple(read_backs))


class FakePublisher:
    """A registry that takes what it is given, unless told otherwise."""

    def __init__(self, log: list[str], chain: str = "local") -> None:
        self.log = log
        self.chain = chain
        self.one_by_one = False
        self.needs: FollowUp | None = None
        self.served: dict[int, ConfirmedNav] = {}
        self.previews: dict[str, tuple[str, bool]] = {}
        self.outcomes: dict[str, str] = {}
        self.errors: dict[str, list[NavoracleError]] = {}

    def _fail(self, what: str) -> None:
        if self.errors.get(what):
            raise self.errors[what].pop(0)

    async def confirmed(self, fund_ids: Mapping[str, int]) -> Mapping[str, ConfirmedNav]:
        self._fail("confirmed")
        return {fund: self.served[number] for fund, number in fund_ids.items() if number in self.served}

    async def follow_up(self, batch: Batch) -> FollowUp | None:
        self._fail("follow_up")
        return self.needs

    def encode(self, posts: Sequence[FundPost], valuation_time: Timestamp, evidence_root: str) -> Batch:
        for post in posts:
            if not 0 <= post.nav < NAV_LIMIT:
                raise OutOfRange(f"fund {post.fund}: NAV {post.nav} does not fit 104 bits", advice="Check the scale.")
        data = canonical({"posts": posts, "time": valuation_time, "root": evidence_root})
        return Batch(self.chain, REGISTRY, data, valuation_time, evidence_root, tuple(posts))

    async def preview(self, batch: Batch) -> tuple[Preview, ...]:
        self.log.append("preview")
        self._fail("preview")
        found = []
        for post in batch.posts:
            reason, send = self.previews.get(post.fund, (None, True))
            found.append(Preview(post.fund, reason, send))
        return tuple(found)

    async def read_back(self, batch: Batch, receipt: Receipt) -> tuple[ReadBack, ...]:
        self.log.append("read_back")
        self._fail("read_back")
        return tuple(self._outcome(batch, post, receipt) for post in batch.posts)

    def _outcome(self, batch: Batch, post: FundPost, receipt: Receipt) -> ReadBack:
        reason = self.outcomes.get(post.fund)
        new = ConfirmedNav(
            post.nav, post.price_per_share, batch.valuation_time, reason is not None, receipt.block_number, None
        )
        if reason is None:
            self.served[post.fund_id] = new
        return ReadBack(post.fund, reason is None, reason, self.served.get(post.fund_id, new))


class FakeLane:
    """A lane whose transactions are confirmed after so many looks, unless told to fail. `sent` are the ones it sent."""

    def __init__(self, log: list[str], store: FakeStore, *, looks: int = 0, success: bool = True) -> None:
        self.log = log
        self.store = store
        self.looks = looks
        self.success = success
        self.taken = False
        self.errors: dict[str, list[NavoracleError]] = {}
        self.sent: list[int] = []

    @property
    def address(self) -> Address:
        return address(0xBB)

    @property
    def lease(self) -> LaneLease:
        return LaneLease("local", self.address, "keeper", 1)

    async def open(self) -> bool:
        return not self.taken

    async def add(self, intent: NewTransaction) -> int:
        raise AssertionError("an outbox stores its intents with the post")

    async def submit(self, transaction: int) -> None:
        self.log.append("submit")
        if self.errors.get("submit"):
            error = self.errors["submit"].pop(0)
            self._end(transaction, TransactionState.FAILED, f"{error.code}: {error.message}")
            raise error
        self.sent.append(transaction)
        row = self.store.transactions[transaction]
        self.store.transactions[transaction] = replace(row, state=TransactionState.SENT, nonce=len(self.sent) - 1)

    async def tick(self) -> None:
        self.log.append("tick")
        if self.errors.get("tick"):
            raise self.errors["tick"].pop(0)
        if self.looks > 0:
            self.looks -= 1
            return
        for transaction in self.sent:
            if self.store.transactions[transaction].state is TransactionState.SENT:
                if self.success:
                    self._end(transaction, TransactionState.CONFIRMED, None)
                else:
                    self._end(transaction, TransactionState.FAILED, "reverted in block 101")

    def _end(self, transaction: int, state: TransactionState, error: str | None) -> None:
        receipt = Receipt(f"0xhash{transaction}", error is None, 101, "0xblock", 33_000)
        row = self.store.transactions[transaction]
        self.store.transactions[transaction] = replace(
            row, state=state, error=error, receipt=receipt if state is TransactionState.CONFIRMED else None
        )

    async def status(self) -> LaneStatus:
        raise AssertionError("nobody asks for it here")

    async def close(self) -> None:
        self.log.append("close")


class MovingChain(FakeChain):
    """A chain whose newest block follows a clock: one block every 12 seconds, unless it is stopped."""

    def __init__(self, clock: FixedClock, stamp: BlockStamp) -> None:
        super().__init__(stamp)
        self.clock = clock
        self.first = stamp
        self.stopped = False
        self.error: NavoracleError | None = None
        self.reorganized = False

    async def stamp(self, number: int | None = None) -> BlockStamp:
        """The block of the clock's time."""
        if self.error is not None:
            raise self.error
        if not self.stopped:
            blocks = max(0, self.clock.time - self.first.timestamp) // 12
            self.block = replace(
                self.first,
                number=self.first.number + blocks,
                hash=f"0x{self.first.number + blocks:064x}",
                parent_hash=f"0x{self.first.number + blocks - 1:064x}",
                timestamp=Timestamp(self.first.timestamp + 12 * blocks),
            )
        return self.block

    async def is_canonical(self, stamp: BlockStamp) -> bool:
        """Always, unless reorganized."""
        return not self.reorganized


def outbox(
    chain: FakeChain,
    store: FakeStore,
    publisher: FakePublisher,
    lane: FakeLane | None,
    clock: FixedClock,
    *,
    live: bool = True,
    max_batch_gas: int = 12_000_000,
) -> Outbox:
    """An outbox between these."""
    return Outbox(
        chain=chain,
        publisher=publisher,
        lane=lane,
        store=store.port,
        clock=clock,
        live=live,
        max_batch_gas=max_batch_gas,
    )
