"""`navoracle safe`: what a proposal to a Safe would do, for the owner who is asked to sign it."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer
from rich.console import Console

from navoracle.cli.exit_codes import ExitCode
from navoracle.cli.output import error_document, moment, plain, present, table
from navoracle.cli.runtime import JsonFlag, runtime_of
from navoracle.domain.errors import UsageError, VerificationFailed
from navoracle.ports import Address

if TYPE_CHECKING:
    from navoracle.safe import Check, DecodedCall, Examination

_ADVICE: Final = "Do not sign or execute it. Ask the keeper's operator where the checks cannot be explained."


def register(app: typer.Typer) -> None:
    """Add the commands."""
    safe = typer.Typer(name="safe", help="Proposals to a Safe.", no_args_is_help=True)
    safe.command("show")(show)
    app.add_typer(safe)


def show(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A proposal that a keeper wrote.")],
    rpc: Annotated[
        str | None, typer.Option("--rpc", metavar="URL", help="Also hold it against its Safe, at this node.")
    ] = None,
    multicall: Annotated[
        str | None, typer.Option("--multicall", metavar="ADDRESS", help="Multicall3, where it is elsewhere.")
    ] = None,
    as_json: JsonFlag = False,
) -> int:
    """Show what a proposal would do, compute its hash again, check who signed it and whether it is still good.

    It needs no configuration. Without --rpc nothing is said about the Safe as it is now.
    """
    from navoracle.composition.safe import examine_proposal
    from navoracle.safe import parse_proposal

    if multicall is not None and rpc is None:
        raise UsageError("--multicall says where to read, and there is no node", advice="Add --rpc URL.")
    signed = parse_proposal(_read(file), str(file))
    clock = runtime_of(context).clock
    found = asyncio.run(
        examine_proposal(signed, str(file), clock, rpc=rpc, multicall=None if multicall is None else _at(multicall))
    )
    document = _document(found)
    if not found.good:
        wrong = "; ".join(check.detail for check in found.checks if not check.good)
        document |= error_document(VerificationFailed.code, wrong, _ADVICE)
    present(document, lambda out: _show(out, found), as_json=as_json)
    return ExitCode.OK if found.good else ExitCode.GUARD


def _read(file: Path) -> bytes:
    from navoracle.safe.document import LARGEST_DOCUMENT

    try:
        with file.open("rb") as opened:
            return opened.read(LARGEST_DOCUMENT + 1)
    except OSError as error:
        raise UsageError(f"{file}: {error.strerror}", advice="Name a proposal's file.") from error


def _at(text: str) -> Address:
    from navoracle.readers import check_address

    try:
        return Address(check_address(text))
    except ValueError as error:
        raise UsageError(f"--multicall: {error}", advice="Name the chain's Multicall3.") from error


def _document(found: Examination) -> dict[str, Any]:
    state = found.state
    return {
        "good": found.good,
        "checks": [{"check": each.name, "good": each.good, "detail": each.detail} for each in found.checks],
        "proposal": found.signed.proposal.fields(),
        "safe_now": None
        if state is None
        else {
            "block": state.block.number,
            "version": state.version,
            "nonce": state.nonce,
            "threshold": state.threshold,
            "owners": list(state.owners),
        },
    }


def _show(out: Console, found: Examination) -> None:
    proposal, said = found.signed.proposal, found.signed.transaction
    out.print(f"[bold]Safe[/] {said.safe} on chain {said.chain_id}, transaction {said.nonce}")
    out.print(f"safeTxHash    {said.id}")
    out.print(f"domain hash   0x{said.domain_hash.hex()}")
    out.print(f"message hash  0x{said.message_hash.hex()}")
    for number, call in enumerate(proposal.calls, 1):
        _show_call(out, number, call.decoded())
    purpose = proposal.purpose
    out.print(
        f"[bold]For[/] {plain(purpose.action)} of {plain(', '.join(purpose.funds))}, slot {moment(purpose.slot)}; "
        f"valued {moment(purpose.valuation_time)}, good until {moment(purpose.valid_until)}"
    )
    out.print(f"{proposal.proposer} says of it:")
    for sentence in purpose.sentences:
        out.print(f"  {plain(sentence)}")
    rows = table("check", "result", "")
    for check in found.checks:
        rows.add_row(check.name, _result(check), plain(check.detail))
    out.print(rows)
    if found.state is None:
        out.print("[yellow]Not held against the Safe itself[/]: add --rpc URL.")
    out.print("[green]Nothing speaks against it.[/]" if found.good else f"[red]Do not sign it.[/] {plain(_ADVICE)}")


def _show_call(out: Console, number: int, call: DecodedCall) -> None:
    out.print(f"[bold]Call {number}[/] {call.to}: {plain(call.signature)}")
    for argument in call.arguments:
        out.print(f"  {plain(argument)}", soft_wrap=True)


def _result(check: Check) -> str:
    return "[green]good[/]" if check.good else "[red]BAD[/]"
