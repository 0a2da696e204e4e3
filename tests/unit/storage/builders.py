"""Frames, posts and stores to test with: a fund of one stablecoin holding, priced at what a test says."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from navoracle.domain.cadence import Cadence
from navoracle.domain.fees import FeeState, FeeTerms
from navoracle.domain.frame import BlockStamp, ConfirmedNav, Failure, FundFrame, NavFrame, NavStatus
from navoracle.domain.nav import FundValuation, value_fund
from navoracle.domain.positions import Component, Holding, Position
from navoracle.domain.prices import PriceEstimate, PriceStatus, Quote
from navoracle.domain.units import BPS, WAD, Bps, RawAmount, Timestamp, Wad
from navoracle.domain.valuation import PriceKey
from navoracle.domain.verdicts import Outcome, Verdict
from navoracle.ports import Address, Batch, FundPost, ReadBack, Receipt, SignedTransaction
from navoracle.storage import SqlStore
from navoracle.storage.database import Database

NOW = Timestamp(1_800_000_000)
REGISTRY = Address("0x1111111111111111111111111111111111111111")
KEEPER = Address("0x2222222222222222222222222222222222222222")
CHANGES = Verdict("change", Outcome.PASS, "0 bps")
STAMP = BlockStamp("main", 2**80, 17, "0x" + "ab" * 32, "0x" + "cd" * 32, NOW)
DAMAGED = Failure("USDC:b", "empty_result", "nothing there", "Check the address.")


def url_of(path: Path) -> str:
    """The URL of a database file."""
    return f"sqlite:///{path}"


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


def prepare(store: SqlStore, frame_id: str, batch: Batch) -> int:
    """Prepare a post with made-up hashes and proofs."""
    return store.prepare_post(
        batch,
        frame_id,
        evidence={post.fund: hash_of(post.fund) for post in batch.posts},
        proofs={post.fund: ("0x" + "aa" * 32, "0x" + "bb" * 32) for post in batch.posts},
    )


def signed(nonce: int = 0) -> SignedTransaction:
    """A signed transaction; its hash follows from the nonce."""
    return SignedTransaction("0xf8" + "00" * 8, f"0x{nonce:064x}", nonce, KEEPER, REGISTRY)


def receipt_of(transaction: SignedTransaction, *, success: bool = True) -> Receipt:
    """The receipt of a transaction."""
    return Receipt(transaction.hash, success, 18, "0x" + "18" * 32, 33_000)


def read_back(fund: str, *, accepted: bool, held: bool = False, reason: str | None = None) -> ReadBack:
    """What the contract says of a fund."""
    return ReadBack(fund, accepted, reason, ConfirmedNav(Wad(10**24), Wad(WAD), NOW, held, 18, None))
