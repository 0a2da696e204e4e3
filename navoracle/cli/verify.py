"""`navoracle verify`: compute NAVs again from their evidence alone, and compare them bit for bit."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from navoracle.cli.exit_codes import ExitCode
from navoracle.cli.output import count, error_document, money, plain, present, table
from navoracle.cli.progress import tracking
from navoracle.cli.runtime import ConfigFile, DatabaseUrl, JsonFlag, database_if_any, database_of
from navoracle.domain.errors import UsageError, VerificationFailed
from navoracle.domain.units import wad_text
from navoracle.ports import Address
from navoracle.store_port import TransactionState

if TYPE_CHECKING:
    from navoracle.keeper.audit import Audit
    from navoracle.keeper.verify import VerifiedFund
    from navoracle.store_port import History

_ADVICE = "Keep the evidence and the database as they are, and find out who changed what."


@dataclass(frozen=True, slots=True)
class Checked:
    """One fund of one frame: what its evidence proves, or why it proves nothing.

    `anchor` is what its hash was compared with: "database", "hash" or "root"; None when nothing was there to compare
    with, so that the document is consistent in itself and no more. `reads` were compared with a node.
    """

    frame: str
    fund: str
    audited: Audit | None
    failure: VerificationFailed | None
    anchor: str | None = None
    reads: int | None = None


@dataclass(frozen=True, slots=True)
class Anchor:
    """What a lone document is held against: its hash, or a posted root with the proof that leads there."""

    hash: str | None
    root: str | None
    proof: tuple[str, ...]

    @property
    def is_given(self) -> bool:
        """Whether there is anything to compare with."""
        return self.hash is not None or self.root is not None


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("verify")(verify)


def verify(
    context: typer.Context,
    frame: Annotated[str | None, typer.Argument(metavar="FRAME", help="A frame's id; the newest without it.")] = None,
    fund: Annotated[str | None, typer.Option("--fund", metavar="FUND", help="This fund alone.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="Every frame of the database.")] = False,
    evidence: Annotated[
        Path | None, typer.Option("--evidence", metavar="FILE", help="An evidence document in a file.")
    ] = None,
    digest: Annotated[
        str | None, typer.Option("--hash", metavar="HASH", help="The evidence hash that the file must have.")
    ] = None,
    root: Annotated[
        str | None, typer.Option("--root", metavar="HASH", help="The posted root that must cover the file.")
    ] = None,
    proof: Annotated[
        list[str] | None, typer.Option("--proof", metavar="HASH", help="The way to the root, from the leaf up.")
    ] = None,
    rpc: Annotated[
        str | None, typer.Option("--rpc", metavar="URL", help="Also read the frame's block again from this node.")
    ] = None,
    multicall: Annotated[
        str | None, typer.Option("--multicall", metavar="ADDRESS", help="Multicall3 of that chain, where unusual.")
    ] = None,
    config: ConfigFile = None,
    database: DatabaseUrl = None,
    as_json: JsonFlag = False,
) -> int:
    """Compute NAVs again from their evidence alone, bit for bit, and check them against what was posted.

    A posted fund's Merkle proof is checked against the posted root. With --rpc the raw answers are compared with what
    a node says of the same block. A file is held against --hash, or --root and --proof, or else against the database.
    Ends with 3 at a difference, which is named.
    """
    from navoracle.composition.stores import open_existing_store

    if sum((frame is not None, everything, evidence is not None)) > 1:
        raise UsageError("FRAME, --all and --evidence exclude one another", advice="Say which one to verify.")
    if multicall is not None and rpc is None:
        raise UsageError("--multicall says where to read, and there is no node", advice="Add --rpc URL.")
    anchor = Anchor(
        None if digest is None else _hash("--hash", digest),
        None if root is None else _hash("--root", root),
        tuple(_hash("--proof", node) for node in proof or ()),
    )
    if anchor.is_given and evidence is None:
        raise UsageError("--hash and --root are for a document in a file", advice="Add --evidence FILE.")
    if anchor.proof and root is None:
        raise UsageError("--proof leads to a root, and there is none", advice="Add --root HASH.")
    if evidence is not None:
        url = None if anchor.is_given else database_if_any(context, config, database)
        checked = [_check_file(evidence, fund, anchor, url)]
    else:
        with open_existing_store(database_of(context, config, database)) as store:
            checked = _check_store(store, frame, fund, everything=everything, quiet=as_json)
    if rpc is not None:
        checked = asyncio.run(_reread(checked, rpc, _address(multicall), quiet=as_json))
    failed = [each for each in checked if each.failure is not None]
    document = _document(checked)
    if failed:
        first = failed[0].failure
        document |= error_document("verification_failed", "" if first is None else first.message, _ADVICE)
    present(document, lambda out: _show(out, checked), as_json=as_json)
    return ExitCode.GUARD if failed else ExitCode.OK


def _check_file(path: Path, fund: str | None, anchor: Anchor, url: str | None) -> Checked:
    from navoracle.composition.evidence_plans import plan_from_evidence
    from navoracle.keeper.audit import Audit
    from navoracle.keeper.verify import verify_document

    try:
        document = path.read_bytes()
    except OSError as error:
        raise UsageError(
            f"{path}: {error.strerror}", advice="Name a document that `navoracle evidence FRAME FUND` wrote."
        ) from error
    try:
        verified = verify_document(document, plan_from_evidence)
        held_against = _hold_against(verified, anchor, url)
    except VerificationFailed as error:
        return Checked(str(path), fund or "", None, error)
    if fund is not None and verified.fund != fund:
        raise UsageError(f"{path} is evidence of {verified.fund}, not of {fund}", advice="Leave --fund out.")
    return Checked(verified.frame, verified.fund, Audit(verified, ()), None, held_against)


def _hold_against(verified: VerifiedFund, anchor: Anchor, url: str | None) -> str | None:
    """Compare a lone document with what is known of it from elsewhere; returns with what."""
    from navoracle.composition.stores import open_existing_store
    from navoracle.keeper.verify import verify_proof

    if anchor.root is not None:
        verify_proof(verified, anchor.root, anchor.proof)
    if anchor.hash is not None and anchor.hash != verified.evidence_hash:
        raise _another(f"the document's hash is {verified.evidence_hash}, not {anchor.hash}")
    if anchor.is_given:
        return "root" if anchor.hash is None else "hash"
    if url is None:
        return None
    with open_existing_store(url) as store:
        rows = store.fund_frames(fund=verified.fund, frame=verified.frame)
    if not rows:
        raise _another(f"the database knows no frame {verified.frame} of {verified.fund}")
    if rows[0].evidence_hash != verified.evidence_hash:
        raise _another(f"the document's hash is {verified.evidence_hash}, recorded is {rows[0].evidence_hash}")
    return "database"


def _another(message: str) -> VerificationFailed:
    return VerificationFailed(message, advice="Use the document that was posted, or say --root and --proof.")


def _hash(flag: str, text: str) -> str:
    if re.fullmatch(r"0x[0-9a-fA-F]{64}", text) is None:
        raise UsageError(f"{flag} {text}: no hash", advice="Write 0x and 64 hexadecimal digits.")
    return text.lower()


def _check_store(
    store: History, frame: str | None, fund: str | None, *, everything: bool, quiet: bool
) -> list[Checked]:
    rows = store.fund_frames(fund=fund, frame=frame)
    if not rows:
        what = " ".join(part for part in (frame and f"frame {frame}", fund and f"of {fund}") if part) or "frame"
        raise UsageError(f"the database has no {what}", advice="See `navoracle history` for frames and funds.")
    if frame is None and not everything:
        rows = tuple(row for row in rows if row.frame == rows[0].frame)
    with tracking("verifying", total=len(rows), quiet=quiet) as tracker:
        return [_audited(store, row.frame, row.fund) for row in tracker.each(rows)]


def _audited(store: History, frame: str, fund: str) -> Checked:
    from navoracle.composition.evidence_plans import plan_from_evidence
    from navoracle.keeper.audit import audit

    try:
        return Checked(frame, fund, audit(store, frame, fund, plan_from_evidence), None, "database")
    except VerificationFailed as error:
        return Checked(frame, fund, None, error)


async def _reread(checked: Sequence[Checked], url: str, multicall: Address | None, *, quiet: bool) -> list[Checked]:
    from navoracle.composition.endpoints import chain_reader_at

    if all(each.audited is None for each in checked):
        return list(checked)
    stamps = {stamp.chain_id: stamp for each in checked if each.audited for stamp in each.audited.verified.stamps}
    if not stamps:
        raise UsageError("the frames read no chain, so there is nothing to read again", advice="Leave --rpc out.")
    reader = await chain_reader_at(url, list(stamps.values()), multicall=multicall)
    try:
        with tracking("reading again", total=len(checked), quiet=quiet) as tracker:
            return [await _reread_one(each, reader) for each in tracker.each(checked)]
    finally:
        await reader.close()


async def _reread_one(each: Checked, reader: Any) -> Checked:
    from navoracle.keeper.verify import verify_reads

    if each.audited is None or all(stamp.chain != reader.chain for stamp in each.audited.verified.stamps):
        return each
    try:
        return replace(each, reads=await verify_reads(each.audited.verified, reader, reader.chain))
    except VerificationFailed as error:
        return replace(each, failure=error)


def _address(text: str | None) -> Address | None:
    from navoracle.readers import check_address

    if text is None:
        return None
    try:
        return Address(check_address(text))
    except ValueError as error:
        raise UsageError(f"--multicall: {error}", advice="Correct the address.") from error


def _document(checked: Sequence[Checked]) -> dict[str, Any]:
    return {
        "verified": sum(each.failure is None for each in checked),
        "failed": [
            {"frame": each.frame, "fund": each.fund, "message": each.failure.message}
            for each in checked
            if each.failure is not None
        ],
        "frames": [_verified_document(each, each.audited) for each in _proven(checked) if each.audited is not None],
    }


def _proven(checked: Iterable[Checked]) -> list[Checked]:
    return [each for each in checked if each.failure is None]


def _verified_document(each: Checked, audited: Audit) -> dict[str, Any]:
    verified = audited.verified
    return {
        "frame": verified.frame,
        "fund": verified.fund,
        "fund_id": verified.fund_id,
        "publisher": verified.publisher,
        "status": verified.status.value,
        "reason": verified.reason,
        "nav": wad_text(verified.nav),
        "price_per_share": wad_text(verified.price_per_share),
        "now": verified.now,
        "evidence_hash": verified.evidence_hash,
        "code_version": verified.code_version,
        "held_against": each.anchor,
        "posts": [
            {
                "post": post.id,
                "state": post.state.value,
                "chain": post.batch.chain,
                "contract": post.batch.to,
                "evidence_root": post.batch.evidence_root,
                "transaction": post.transaction_hash,
                "block": post.block_number,
            }
            for post in audited.posts
        ],
        "reads_compared": each.reads,
    }


def _show(out: Console, checked: Sequence[Checked]) -> None:
    rows = table(
        "frame", "fund", "status", "NAV", "price per share", "evidence", "posted", right=("NAV", "price per share")
    )
    for each in _proven(checked):
        if each.audited is not None:
            verified = each.audited.verified
            rows.add_row(
                plain(verified.frame),
                plain(verified.fund),
                _status(verified),
                money(verified.nav),
                money(verified.price_per_share, 6),
                verified.evidence_hash[:18],
                _posted(each.audited),
            )
    if rows.row_count:
        out.print(rows)
    for each in checked:
        if each.failure is not None:
            out.print(f"[red]failed[/] {plain(each.failure.message)}")
        elif each.anchor is None:
            out.print(
                "[yellow]consistent in itself[/]: compare its hash with the posted one, or say --root and --proof"
            )
        if each.failure is None and each.reads is not None:
            out.print(f"{plain(each.frame)} {plain(each.fund)}: {count(each.reads, 'read')} agree with the node")
    good = len(_proven(checked))
    out.print(f"[bold]{count(good, 'NAV')} verified[/], {len(checked) - good} failed")


def _status(verified: VerifiedFund) -> str:
    return verified.status.value + (f" ({plain(verified.reason)})" if verified.reason else "")


def _posted(audited: Audit) -> str:
    if not any(post.state is TransactionState.CONFIRMED for post in audited.posts):
        return "-"
    return "root and proof hold" if audited.verified.publisher is None else f"by {plain(audited.verified.publisher)}"
