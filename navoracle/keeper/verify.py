"""Verification: compute a fund's NAV and verdicts again from its evidence alone, and compare them bit for bit.

The document is parsed, its plan rebuilt, its readers driven with the recorded raw answers, and the very functions that
made the frame run again. The result must be the same bytes. A document that says more than its readers asked for, or
less, is refused too.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import TypeAdapter

from navoracle.domain.errors import CallReverted, ChainError, EmptyResult, NavoracleError, VerificationFailed
from navoracle.domain.frame import EVIDENCE_FORMAT, BlockStamp, FundFrame, NavStatus, ReadRecord
from navoracle.domain.units import Timestamp, Wad
from navoracle.json_depth import require_shallow
from navoracle.keeper.collect import Collected, behind_gates, read_points, readers_of
from navoracle.keeper.evidence import evidence_hash, fund_document
from navoracle.keeper.frame import value_and_guard
from navoracle.keeper.merkle import leaf, proof_holds
from navoracle.keeper.plan import FramePlan
from navoracle.keeper.pricing import Prices, price
from navoracle.keeper.session import Asked, ReadSession
from navoracle.ports import (
    Address,
    Answer,
    Call,
    ChainReader,
    ChainRequest,
    Document,
    ExchangeCall,
    ExchangeMethod,
    HttpGet,
    NativeBalance,
    RecordedRow,
    Request,
)

PlanBuilder = Callable[[Mapping[str, Any]], FramePlan]
"""Rebuilds a fund's plan, readers and all, from a parsed evidence document."""

_STAMPS = TypeAdapter(tuple[BlockStamp, ...])
_METHOD: TypeAdapter[ExchangeMethod] = TypeAdapter(ExchangeMethod)
_READS = TypeAdapter(tuple[ReadRecord, ...])
_KEEP = "Keep the document and the database as they are, and find out who changed what."


@dataclass(frozen=True, slots=True)
class VerifiedFund:
    """What a document proves: the fund, its status and its numbers (Wad; None when it was not valued).

    `publisher` is what it is posted by; None for a registry, in whose posts the root of the evidence stands.
    """

    frame: str
    fund: str
    fund_id: int
    publisher: str | None
    status: NavStatus
    reason: str | None
    nav: Wad | None
    price_per_share: Wad | None
    now: Timestamp
    evidence_hash: str
    code_version: str
    found: FundFrame
    stamps: tuple[BlockStamp, ...]
    reads: tuple[ReadRecord, ...]


@dataclass(frozen=True, slots=True)
class Recomputed:
    """A fund's frame as its evidence gives it again: what was asked, read, priced and found, and its new document."""

    frame: str
    plan: FramePlan
    reads: tuple[ReadRecord, ...]
    collected: Collected
    prices: Prices
    found: FundFrame
    document: bytes
    code_version: str


def verify_document(document: bytes, rebuild: PlanBuilder) -> VerifiedFund:
    """Compute the document's result again and compare.

    Raises:
        VerificationFailed: the document is not canonical, lacks an answer, has one too many, or its result differs.
    """
    again = recompute(document, rebuild)
    found = again.found
    if again.document != document:
        raise VerificationFailed(
            f"frame {again.frame}, fund {found.fund}: {_difference(document, again.document)}", advice=_KEEP
        )
    valuation = found.valuation
    return VerifiedFund(
        frame=again.frame,
        fund=found.fund,
        fund_id=again.plan.funds[0].fund_id,
        publisher=again.plan.funds[0].publisher,
        status=found.status,
        reason=found.reason,
        nav=None if valuation is None else valuation.after.nav,
        price_per_share=None if valuation is None else valuation.price_per_share,
        now=again.collected.now,
        evidence_hash="0x" + evidence_hash(document).hex(),
        code_version=again.code_version,
        found=found,
        stamps=again.collected.stamps,
        reads=again.reads,
    )


def recompute(document: bytes, rebuild: PlanBuilder) -> Recomputed:
    """Compute the document's result again from its plan, prior and raw answers; nothing is compared yet.

    Raises:
        VerificationFailed: the document cannot be read, or lacks an answer that its readers ask for.
    """
    parsed = _parse(document)
    try:
        plan = rebuild(parsed)
        stamps = _STAMPS.validate_python(parsed["stamps"])
        reads = _READS.validate_python(parsed["reads"])
        clock, now = Timestamp(int(parsed["clock"])), Timestamp(int(parsed["now"]))
        return _recompute(str(parsed["frame"]), plan, stamps, reads, clock, now, str(parsed["code_version"]))
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        raise VerificationFailed(f"the evidence cannot be read: {error}", advice=_KEEP) from error
    except NavoracleError as error:
        if isinstance(error, VerificationFailed):
            raise
        raise VerificationFailed(f"the evidence cannot be computed again: {error.message}", advice=_KEEP) from error


def verify_proof(verified: VerifiedFund, root: str, proof: Sequence[str]) -> None:
    """Check that the posted root covers the document. Raises VerificationFailed when it does not."""
    node = leaf(verified.fund_id, bytes.fromhex(verified.evidence_hash[2:]))
    if not proof_holds(bytes.fromhex(root[2:]), node, [bytes.fromhex(sibling[2:]) for sibling in proof]):
        raise VerificationFailed(
            f"frame {verified.frame}, fund {verified.fund}: the posted root {root} does not cover this evidence",
            advice=_KEEP,
        )


async def verify_reads(verified: VerifiedFund, chain: ChainReader, name: str) -> int:
    """Read the chain again at the frame's block and compare raw bytes; returns how many answers were compared.

    An answer that the node failed to give at the time says nothing of the chain and is left out.

    Raises:
        VerificationFailed: an answer differs, or the block is no longer part of the chain.
        ChainError: the node cannot answer for that block.
    """
    stamp = next((stamp for stamp in verified.stamps if stamp.chain == name), None)
    if stamp is None:
        raise ChainError(f"the frame read no chain named {name}", advice="Name one of the chains in its stamps.")
    if not await chain.is_canonical(stamp):
        raise VerificationFailed(f"block {stamp.number} ({stamp.hash}) is not part of the chain", advice=_KEEP)
    records = [record for record in verified.reads if record.chain == name and _is_of_chain(record)]
    requests: list[ChainRequest] = []
    for record in records:
        request = request_of(record)
        if not isinstance(request, Call | NativeBalance):
            raise VerificationFailed(f"a {record.kind} is recorded as read from chain {name}", advice=_KEEP)
        requests.append(request)
    for record, answer in zip(records, await chain.read(requests, stamp), strict=True):
        if answer_of(record) != answer:
            raise VerificationFailed(
                f"{record.kind} {dict(record.request)} answered 0x{answer.data.hex()}, recorded is {record.data}",
                advice=_KEEP,
            )
    return len(records)


def _is_of_chain(record: ReadRecord) -> bool:
    return record.ok or record.request["failure"] in (EmptyResult.code, CallReverted.code)


def request_of(record: ReadRecord) -> Request:
    """The request that a record is of. Raises VerificationFailed for an unknown kind."""
    fields = record.request
    if record.kind == "call":
        sender = fields.get("sender")
        return Call(
            Address(fields["target"]),
            bytes.fromhex(fields["data"][2:]),
            direct=fields.get("direct") == "true",
            sender=None if sender is None else Address(sender),
        )
    if record.kind == "native_balance":
        return NativeBalance(Address(fields["account"]))
    if record.kind == "recorded_row":
        return RecordedRow(fields["series"])
    if record.kind == "document":
        return Document(fields["path"])
    if record.kind == "http_get":
        return HttpGet(fields["url"], fields.get("credential"))
    if record.kind == "exchange":
        method = _METHOD.validate_python(fields["method"])
        return ExchangeCall(fields["exchange"], method, fields["argument"], int(fields["look"]))
    raise VerificationFailed(f"unknown kind of read {record.kind!r}", advice="Use the navoracle version that wrote it.")


def answer_of(record: ReadRecord) -> Answer:
    """The answer that a record holds."""
    return Answer(bytes.fromhex(record.data[2:]), None if record.ok else record.request["failure"])


def _parse(document: bytes) -> dict[str, Any]:
    try:
        require_shallow(document)
        parsed = json.loads(document)
    except (ValueError, RecursionError) as error:
        raise VerificationFailed(f"the evidence is not JSON: {error}", advice=_KEEP) from error
    if not isinstance(parsed, dict) or not isinstance(parsed.get("format"), str):
        raise VerificationFailed("the document is no evidence: it names no format", advice=_KEEP)
    if (found := parsed["format"]) != str(EVIDENCE_FORMAT):
        raise VerificationFailed(
            f"the evidence is of format {found}, and this navoracle verifies format {EVIDENCE_FORMAT} alone",
            advice="Verify it with the navoracle version that wrote it; nothing says that it is wrong.",
        )
    return parsed


def _recompute(
    frame_id: str,
    plan: FramePlan,
    stamps: tuple[BlockStamp, ...],
    reads: tuple[ReadRecord, ...],
    clock: Timestamp,
    now: Timestamp,
    code_version: str,
) -> Recomputed:
    recorded: dict[Asked, Answer] = {(record.chain, request_of(record)): answer_of(record) for record in reads}
    session = ReadSession(readers_of(plan), read_points(stamps, now))
    while pending := session.pending():
        missing = [asked for asked in pending if asked not in recorded]
        if missing:
            raise VerificationFailed(f"the evidence lacks the answer to {missing[0]}", advice=_KEEP)
        session.supply({asked: recorded[asked] for asked in pending})
    collected = Collected(behind_gates(plan, session.readings()), stamps, clock, now, ())
    prices = price(plan, collected.readings, now)
    (found,) = value_and_guard(plan, collected, prices)
    again = fund_document(frame_id, plan, collected, prices, found, code_version=code_version)
    return Recomputed(frame_id, plan, reads, collected, prices, found, again, code_version)


def _difference(document: bytes, again: bytes) -> str:
    """Name the first place where two documents differ."""
    old, new = json.loads(document), json.loads(again)
    path: list[str] = []
    while isinstance(old, dict) and isinstance(new, dict):
        step = next((key for key in sorted({*old, *new}) if old.get(key) != new.get(key)), None)
        if step is None:
            break
        path.append(step)
        old, new = old.get(step), new.get(step)
    if not path:
        return "the bytes are not in canonical form"
    return f"{'.'.join(path)} is recorded as {_short(old)} and computed as {_short(new)}"


def _short(value: object) -> str:
    text = json.dumps(value)
    return text if len(text) <= 120 else text[:117] + "..."
