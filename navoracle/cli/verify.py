"""`navoracle verify`: compute NAVs again from their evidence alone, and compare them bit for bit."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from navoracle.cli.documents import wad
from navoracle.cli.exit_codes import ExitCode
from navoracle.cli.output import count, error_document, money, plain, present, table
from navoracle.cli.runtime import ConfigFile, DatabaseUrl, JsonFlag, database_of
from navoracle.composition import chain_reader_at, open_existing_store, plan_from_evidence
from navoracle.domain.errors import UsageError, VerificationFailed
from navoracle.keeper.audit import Audit, audit
from navoracle.keeper.verify import VerifiedFund, verify_document, verify_reads
from navoracle.ports import Address
from navoracle.readers import check_address
from navoracle.store_port import History, PostState

_ADVICE = "Keep the evidence and the database as they are, and find out who changed what."


@dataclass(frozen=True, slots=True)
class Checked:
    """One fund of one frame: what its evidence proves, or why it proves nothing. `reads` were compared with a node."""

    frame: str
    fund: str
    audited: Audit | None
    failure: VerificationFailed | None
    reads: int | None = None


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("verify")(verify)


def verify(
    context: typer.Context,
    frame: Annotated[str | None, typer.Argument(metavar="[FRAME]", help="A frame's id; the newest without it.")] = None,
    fund: Annotated[str | None, typer.Option("--fund", metavar="FUND", help="This fund alone.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="Every frame of the database.")] = False,
    evidence: Annotated[
        Path | None, typer.Option("--evidence", metavar="FILE", help="An evidence document; no database is used.")
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
    a node says of the same block. Ends with 3 at a difference, which is named.
    """
    if sum((frame is not None, everything, evidence is not None)) > 1:
        raise UsageError("FRAME, --all and --evidence exclude one another", advice="Say which one to verify.")
    if multicall is not None and rpc is None:
        raise UsageError("--multicall says where to read, and there is no node", advice="Add --rpc URL.")
    if evidence is not None:
        checked = _check_file(evidence, fund)
    else:
        with open_existing_store(database_of(context, config, database)) as store:
            checked = _check_store(store, frame, fund, everything=everything)
    if rpc is not None:
        checked = asyncio.run(_reread(checked, rpc, _address(multicall)))
    failed = [each for each in checked if each.failure is not None]
    document = _document(checked)
    if failed:
        first = failed[0].failure
        document |= error_document("verification_failed", "" if first is None else first.message, _ADVICE)
    present(document, lambda out: _show(out, checked), as_json=as_json)
    return ExitCode.GUARD if failed else ExitCode.OK


def _check_file(path: Path, fund: str | None) -> list[Checked]:
    try:
        document = path.read_bytes()
    except OSError as error:
        raise UsageError(
            f"{path}: {error.strerror}", advice="Name a document that `navoracle evidence FRAME FUND` wrote."
        ) from error
    made = _checked(str(path), fund or "", lambda: Audit(verify_document(document, plan_from_evidence), ()))
    if made.audited is None:
        return [made]
    verified = made.audited.verified
    if fund is not None and verified.fund != fund:
        raise UsageError(f"{path} is evidence of {verified.fund}, not of {fund}", advice="Leave --fund out.")
    return [Checked(verified.frame, verified.fund, made.audited, None)]


def _check_store(store: History, frame: str | None, fund: str | None, *, everything: bool) -> list[Checked]:
    rows = store.fund_frames(fund=fund, frame=frame)
    if not rows:
        what = " ".join(part for part in (frame and f"frame {frame}", fund and f"of {fund}") if part) or "frame"
        raise UsageError(f"the database has no {what}", advice="See `navoracle history` for frames and funds.")
    if frame is None and not everything:
        rows = tuple(row for row in rows if row.frame == rows[0].frame)
    return [_audited(store, row.frame, row.fund) for row in rows]


def _audited(store: History, frame: str, fund: str) -> Checked:
    return _checked(frame, fund, lambda: audit(store, frame, fund, plan_from_evidence))


def _checked(frame: str, fund: str, check: Callable[[], Audit]) -> Checked:
    try:
        return Checked(frame, fund, check(), None)
    except VerificationFailed as error:
        return Checked(frame, fund, None, error)


async def _reread(checked: Sequence[Checked], url: str, multicall: Address | None) -> list[Checked]:
    stamps = {stamp.chain_id: stamp for each in checked if each.audited for stamp in each.audited.verified.stamps}
    if not stamps:
        raise UsageError("the frames read no chain, so there is nothing to read again", advice="Leave --rpc out.")
    reader = await chain_reader_at(url, list(stamps.values()), multicall=multicall)
    try:
        return [await _reread_one(each, reader) for each in checked]
    finally:
        await reader.close()


async def _reread_one(each: Checked, reader: Any) -> Checked:
    if each.audited is None or all(stamp.chain != reader.chain for stamp in each.audited.verified.stamps):
        return each
    try:
        return Checked(
            each.frame, each.fund, each.audited, None, await verify_reads(each.audited.verified, reader, reader.chain)
        )
    except VerificationFailed as error:
        return Checked(each.frame, each.fund, each.audited, error)


def _address(text: str | None) -> Address | None:
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
        "status": verified.status.value,
        "reason": verified.reason,
        "nav": wad(verified.nav),
        "price_per_share": wad(verified.price_per_share),
        "now": verified.now,
        "evidence_hash": verified.evidence_hash,
        "code_version": verified.code_version,
        "posts": [
            {
                "post": post.id,
                "state": post.state.value,
                "chain": post.batch.chain,
                "registry": post.batch.to,
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
        elif each.reads is not None:
            out.print(f"{plain(each.frame)} {plain(each.fund)}: {count(each.reads, 'read')} agree with the node")
    good = len(_proven(checked))
    out.print(f"[bold]{count(good, 'NAV')} verified[/], {len(checked) - good} failed")


def _status(verified: VerifiedFund) -> str:
    return verified.status.value + (f" ({plain(verified.reason)})" if verified.reason else "")


def _posted(audited: Audit) -> str:
    roots = [post for post in audited.posts if post.state is PostState.CONFIRMED]
    return "root and proof hold" if roots else "-"
