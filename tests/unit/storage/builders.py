"""Frames, posts and stores to test with: a fund of one stablecoin holding, priced at what a test says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory

from navoracle.domain.cadence import Cadence
from navoracle.domain.failures import Failure
from navoracle.domain.fees import FeeState, FeeTerms
from navoracle.domain.frame import BlockStamp, FundFrame, NavFrame, NavStatus
from navoracle.domain.nav import FundValuation, value_fund
from navoracle.domain.positions import Component, Holding, Position
from navoracle.domain.prices import PriceEstimate, PriceStatus, Quote
from navoracle.domain.prior import ConfirmedNav
from navoracle.domain.units import BPS, WAD, Bps, RawAmount, Timestamp, Wad
from navoracle.domain.valuation import PriceKey
from navoracle.domain.verdicts import Outcome, Verdict
from navoracle.ports import Address
from navoracle.publisher_port import Batch, FundPost, ReadBack, Receipt, SignedTransaction
from navoracle.storage import SqlStore, tables
from navoracle.storage.database import Database
from navoracle.store_port import (
    AlertRow,
    Attempt,
    Claim,
    LaneLease,
    NewTransaction,
    PostRow,
    Severity,
    TransactionKind,
    Urgency,
)
from tests.postgres import shared_server

MIGRATED = "migrated"
OWNER = "keeper 1"
OTHER = "keeper 2"
LEASE = 60
NOW = Timestamp(1_800_000_000)
REGISTRY = Address("0x1111111111111111111111111111111111111111")
KEEPER = Address("0x2222222222222222222222222222222222222222")
CHANGES = Verdict("change", Outcome.PASS, "0 bps")
STAMP = BlockStamp("main", 2**80, 17, "0x" + "ab" * 32, "0x" + "cd" * 32, NOW)
DAMAGED = Failure("USDC:b", "empty_result", "nothing there", "Check the address.")


def alert_row(
    key: str,
    message: str,
    *,
    severity: Severity = Severity.CRITICAL,
    advice: str = "Look.",
    first_at: Timestamp = NOW,
    last_at: Timestamp = NOW,
    count: int = 1,
    notified_at: Timestamp | None = None,
    resolved_at: Timestamp | None = None,
) -> AlertRow:
    """An alert that nobody takes care of; its rule and subject are the parts of its key."""
    rule, _, subject = key.partition(":")
    return AlertRow(
        key,
        rule,
        subject,
        severity,
        message,
        advice,
        first_at,
        last_at,
        count,
        notified_at,
        None,
        None,
        None,
        resolved_at,
    )


def url_of(path: Path) -> str:
    """The URL of a database file."""
    return f"sqlite:///{path}"


def empty_sqlite_store(path: Path) -> str:
    """The URL of a new file with the newest schema and no rows."""
    path.write_bytes(_migrated_file())
    return url_of(path)


@cache
def _migrated_file() -> bytes:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "navoracle.db"
        SqlStore.open(url_of(path)).close()
        return path.read_bytes()


def empty_postgres_store() -> str:
    """The URL of a database on PostgreSQL with the newest schema and no rows: the same one at every call."""
    server = shared_server()
    url = _migrated()
    server.execute(
        "SET session_replication_role = replica; "  # without the trigger that keeps events, and in any order
        + "; ".join(f"DELETE FROM {table.name}" for table in tables.metadata.sorted_tables),
        database=MIGRATED,
    )
    return url


@cache
def _migrated() -> str:
    server = shared_server()
    server.execute(f"CREATE DATABASE {MIGRATED} TEMPLATE template0")
    SqlStore.open(server.url(MIGRATED)).close()
    return server.url(MIGRATED)


def content_of(store: SqlStore) -> dict[str, list[tuple[object, ...]]]:
    """Every row of every table."""
    with database_of(store).read() as connection:
        return {
            table.name: sorted((tuple(row) for row in connection.execute(table.select())), key=repr)
            for table in tables.metadata.sorted_tables
        }


def database_of(store: SqlStore) -> Database:
    """The database behind a store."""
    return store._database


def price_of(asset: str, price: int, as_of: int = NOW, status: PriceStatus = PriceStatus.LIVE) -> PriceEstimate:
    """An estimate from the source "a", with "b" excluded as an outlier."""
    live = status is PriceStatus.LIVE
    return PriceEstimate(
        asset=asset,
        price=None if status is PriceStatus.UNAVAILABLE else Wad(price),
        confidence=Bps(9_000),
        status=status,
        reason=None if live else "no_quorum",
        spread_bps=3 if live else None,
        as_of=None if status is PriceStatus.UNAVAILABLE else Timestamp(as_of),
        used=(f"{asset}:a",) if live else (),
        excluded=((f"{asset}:b", "outlier"),),
        undecayed_price=Wad(price),
    )


def quotes_of(asset: str, price: int, observed_at: int = NOW) -> tuple[Quote, Quote]:
    """Two quotes of an asset: from "a", and one twice as high from "b"."""
    return (
        Quote(asset, f"{asset}:a", "first", Wad(price), Bps(BPS), Timestamp(observed_at), published_at=NOW),
        Quote(asset, f"{asset}:b", "second", Wad(2 * price), Bps(9_500), Timestamp(observed_at)),
    )


def valuation_of(amounts: Mapping[str, int], *, price: int = WAD, shares: int = WAD) -> FundValuation:
    """A valuation of USDC holdings (whole tokens, by position)."""
    holdings = [Holding(name, Component.CASH, "USDC", RawAmount(size, 0)) for name, size in amounts.items()]
    return valuation_at(price, shares, *holdings)


def valuation_at(price: int, shares: int, *positions: Position) -> FundValuation:
    """A valuation of positions in USDC at a price."""
    estimates: dict[PriceKey, PriceEstimate] = {("USDC", "asset"): price_of("USDC", price)}
    return value_fund(positions, estimates, shares=Wad(shares), fee_terms=FeeTerms(), fee_state=FeeState(), now=NOW)


def fund_frame(
    fund: str, valuation: FundValuation | None, status: NavStatus = NavStatus.LIVE, reason: str | None = None
) -> FundFrame:
    """What a frame found for a fund."""
    return FundFrame(fund, status, reason, valuation, (CHANGES,), (DAMAGED,), ("dust",))


def frame_of(
    frame_id: str,
    *parts: FundFrame,
    now: int = NOW,
    price: int = WAD,
    as_of: int | None = None,
    status: PriceStatus = PriceStatus.LIVE,
) -> NavFrame:
    """A frame that prices USDC on both sides and carries a document for each fund."""
    observed = now if as_of is None else as_of
    debt = price_of("USDC", price + 1, observed, status)
    return NavFrame(
        id=frame_id,
        slot_time=Timestamp(now),
        cadence=Cadence.HOURLY,
        clock=Timestamp(now + 2),
        now=Timestamp(now),
        stamps=(STAMP,),
        quotes=quotes_of("USDC", price, observed),
        estimates={("USDC", "debt"): debt, ("USDC", "asset"): price_of("USDC", price, observed, status)},
        failures=(DAMAGED,),
        funds=parts,
        evidence={part.fund: f"evidence of {part.fund} in {frame_id}".encode() for part in parts},
    )


def record(store: SqlStore, frame: NavFrame) -> NavFrame:
    """Record a frame under made-up hashes."""
    store.record_frame(frame, hashes={fund: hash_of(fund) for fund in frame.evidence})
    return frame


def hash_of(fund: str) -> str:
    """The made-up evidence hash of a fund."""
    return "0x" + fund.encode().hex().rjust(64, "0")


def post_of(fund: str, fund_id: int, nav: int = 10**24) -> FundPost:
    """One fund's part of a batch."""
    components = (Wad(nav), Wad(0), Wad(2**100), Wad(0), Wad(2**100))
    return FundPost(fund, fund_id, Wad(nav), Wad(WAD), Bps(9_000), False, components, Wad(nav - 1))


def batch_of(*posts: FundPost, at: int = NOW) -> Batch:
    """A batch for the registry."""
    return Batch("main", REGISTRY, b"\x01\x02\xff", Timestamp(at), "0x" + "ee" * 32, posts)


def claim(
    store: SqlStore,
    fund: str = "alpha",
    at: int = NOW,
    *,
    cadence: Cadence = Cadence.HOURLY,
    owner: str = OWNER,
    lease: int = LEASE,
) -> Claim:
    """A claimed slot."""
    claimed = store.claim_slot(fund, Timestamp(at), cadence, owner=owner, lease=lease, at=Timestamp(at))
    assert claimed is not None, f"slot {at} of {fund} is taken"
    return claimed


def lane_of(
    store: SqlStore, *, chain: str = "main", sender: Address = KEEPER, owner: str = OWNER, lease: int = LEASE
) -> LaneLease:
    """A claimed lane."""
    lane = store.claim_lane(chain, sender, owner=owner, lease=lease)
    assert lane is not None, f"the lane of {sender} is taken"
    return lane


def expire(store: SqlStore, leased: Claim | LaneLease) -> None:
    """Let a lease run out now."""
    if isinstance(leased, Claim):
        slots = tables.slots.c
        expired = tables.slots.update().where(slots.fund == leased.fund, slots.slot_time == leased.slot_time)
    else:
        lanes = tables.lanes.c
        expired = tables.lanes.update().where(lanes.chain == leased.chain, lanes.sender == leased.sender)
    with database_of(store).write() as connection:
        connection.execute(expired.values(lease_until=0))


def prepare(
    store: SqlStore,
    frame_id: str,
    batch: Batch,
    *,
    lane: LaneLease | None = None,
    claims: Sequence[Claim] | None = None,
    urgency: Urgency = Urgency.ROUTINE,
    valid_until: Timestamp | None = None,
) -> PostRow:
    """A prepared post with made-up hashes and proofs, in a lane and for slots that are claimed here if none are given.

    The slots are of the batch's valuation time, or of the first free second after it.
    """
    held = claims
    if held is None:
        taken = {(row.fund, row.slot_time) for row in store.slots()}
        free = next(at for at in count(batch.valuation_time) if not any((p.fund, at) in taken for p in batch.posts))
        held = [claim(store, post.fund, free) for post in batch.posts]
    return store.prepare_post(
        batch,
        frame_id,
        evidence={post.fund: hash_of(post.fund) for post in batch.posts},
        proofs={post.fund: ("0x" + "aa" * 32, "0x" + "bb" * 32) for post in batch.posts},
        claims=held,
        lane=lane_of(store) if lane is None else lane,
        urgency=urgency,
        valid_until=valid_until,
    )


def intent_of(key: str, kind: TransactionKind = TransactionKind.POST) -> NewTransaction:
    """An intent for the registry."""
    return NewTransaction(key, kind, REGISTRY, b"\x01\x02\xff", Urgency.EMERGENCY, Timestamp(NOW + 600))


def attempt_of(transaction: SignedTransaction, *, at: int = NOW, noop: bool = False) -> Attempt:
    """An attempt that was not sent yet."""
    return Attempt(transaction, 90_000, 30 * 10**9, 2 * 10**9, noop, Timestamp(at), None)


def signed(nonce: int = 0, form: int = 0) -> SignedTransaction:
    """A signed transaction; its hash follows from the nonce and from which form of it this is."""
    return SignedTransaction("0xf8" + "00" * 8, f"0x{form:032x}{nonce:032x}", nonce, KEEPER, REGISTRY)


def receipt_of(transaction: SignedTransaction, *, success: bool = True) -> Receipt:
    """The receipt of a transaction."""
    return Receipt(transaction.hash, success, 18, "0x" + "18" * 32, 33_000)


def read_back(fund: str, *, accepted: bool, held: bool = False, reason: str | None = None) -> ReadBack:
    """What the contract says of a fund."""
    return ReadBack(fund, accepted, reason, ConfirmedNav(Wad(10**24), Wad(WAD), NOW, held, 18, None))
