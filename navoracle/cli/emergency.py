"""`navoracle emergency`: ask the keeper with a signed request, or decide on the registry with a key of one's own.

A request is signed here (key file, keystore) or by a wallet (`--unsigned` prints what it signs, `--request` and
`--signature` take its answer). Without `--live` it is only shown.
"""

from __future__ import annotations

import asyncio
import json
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer
from rich.console import Console

from navoracle.cli.emergency_arguments import asked_request, named_call, signed_request, signing_key
from navoracle.cli.exit_codes import ExitCode
from navoracle.cli.output import moment, money, plain, present
from navoracle.cli.runtime import ConfigFile, DatabaseUrl, JsonFlag, Loaded, Runtime, load, runtime_of
from navoracle.domain.errors import UsageError
from navoracle.domain.units import wad_text
from navoracle.registry_port import OwnCall
from navoracle.requests.actions import Action

if TYPE_CHECKING:
    from navoracle.composition.registry_decisions import RegistryCall
    from navoracle.config.models import Config
    from navoracle.config.signers import SignerSection
    from navoracle.keeper.proposals import Proposal
    from navoracle.requests.document import ActionRequest, SignedRequest

_ACTIONS: Final = " ".join(action.value for action in Action)
_OWN_CALLS: Final = " ".join(call.value for call in OwnCall)
_VALID_FOR: Final = 900


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("emergency")(emergency)


def emergency(
    context: typer.Context,
    action: Annotated[
        str | None, typer.Argument(metavar="ACTION", help=f"{_ACTIONS}; with --send: {_OWN_CALLS}")
    ] = None,
    fund: Annotated[str | None, typer.Argument(metavar="FUND", help="The fund's name.")] = None,
    reason: Annotated[str | None, typer.Option(metavar="TEXT", help="Why, for those who read the log.")] = None,
    slot: Annotated[int | None, typer.Option(min=0, help="The time it speaks of, Unix seconds; else now.")] = None,
    valid_for: Annotated[int, typer.Option(min=1, help="Seconds until it can no longer be taken.")] = _VALID_FOR,
    nonce: Annotated[int | None, typer.Option(min=0, help="The signer's number for it; else a random one.")] = None,
    key_file: Annotated[Path | None, typer.Option(metavar="FILE", help="Sign with this key (mode 600).")] = None,
    keystore: Annotated[Path | None, typer.Option(metavar="FILE", help="Sign with this encrypted keystore.")] = None,
    passphrase_file: Annotated[Path | None, typer.Option(metavar="FILE", help="The keystore's passphrase.")] = None,
    passphrase_variable: Annotated[
        str | None, typer.Option(metavar="NAME", help="The environment variable with the passphrase.")
    ] = None,
    unsigned: Annotated[bool, typer.Option("--unsigned", help="Print what a wallet signs, and end.")] = False,
    request: Annotated[
        Path | None, typer.Option("--request", metavar="FILE", help="A request that --unsigned printed with --json.")
    ] = None,
    signature: Annotated[str | None, typer.Option(metavar="HEX", help="A wallet's signature of --request.")] = None,
    signer: Annotated[str | None, typer.Option(metavar="ADDRESS", help="Whose signature it is.")] = None,
    to_folder: Annotated[Path | None, typer.Option(metavar="FOLDER", help="Submit to this drop folder.")] = None,
    url: Annotated[str | None, typer.Option(metavar="URL", help="Submit to the keeper's HTTP API.")] = None,
    token_file: Annotated[Path | None, typer.Option(metavar="FILE", help="The token for --url (mode 600).")] = None,
    to_database: Annotated[bool, typer.Option("--to-database", help="Submit into the keeper's database.")] = False,
    send: Annotated[bool, typer.Option("--send", help="Send the registry's call with one's own key.")] = False,
    live: Annotated[bool, typer.Option("--live", help="Submit or send; only shown without it.")] = False,
    config: ConfigFile = None,
    database: DatabaseUrl = None,
    as_json: JsonFlag = False,
) -> int:
    """Ask the keeper for an update, a stop or a reset with a signed request; or decide on the registry with --send.

    A request only queues: what it leads to passes the same guards as everything else.
    """
    from navoracle.cli.request_delivery import into_database, into_folder, over_http, token_from

    runtime = runtime_of(context)

    @cache
    def loaded() -> Loaded:
        """Read only where it is needed: a request that a file holds is signed without any configuration."""
        return load(context, config, database)

    key = signing_key(key_file, keystore, passphrase_file, passphrase_variable)
    ways = [way for way, named in (("--to-folder", to_folder), ("--url", url), ("--to-database", to_database)) if named]
    if send:
        if ways or unsigned or request is not None or signature is not None:
            raise UsageError("--send takes no request", advice="Leave out what makes, signs or submits one.")
        call = named_call(action, fund)
        return asyncio.run(_send(loaded(), runtime, call, fund or "", key, live=live, as_json=as_json))
    if len(ways) > 1 or (live and not ways):
        raise UsageError(
            f"it goes one way, and {len(ways)} are named", advice="Name one of --to-folder, --url and --to-database."
        )
    asked = asked_request(loaded, runtime, action, fund, reason, slot, valid_for, nonce, request)
    warnings = [] if request is not None else _warnings(loaded().config, asked)
    if unsigned:
        typed = asked.typed_data()
        document: dict[str, Any] = {
            "request": asked.fields(),
            "digest": asked.id,
            "typed_data": typed,
            "warnings": warnings,
        }
        present(
            document, lambda out: out.print(json.dumps(document["typed_data"], indent=2), markup=False), as_json=as_json
        )
        return ExitCode.OK
    signed = asyncio.run(signed_request(asked, key, signature, signer))
    where = None
    if live and to_folder is not None:
        where = into_folder(signed, to_folder)
    elif live and url is not None:
        where = asyncio.run(over_http(signed, url, token_from(token_file)))
    elif live:
        where = asyncio.run(into_database(signed, loaded(), runtime))
    document = _document(signed, where, live=live) | {"warnings": warnings}
    present(document, lambda out: _show(out, signed, where, warnings), as_json=as_json)
    return ExitCode.OK


def _warnings(config: Config, asked: ActionRequest) -> list[str]:
    """What the request will not do, as far as the configuration says so."""
    from navoracle.composition.registry_decisions import registry_of
    from navoracle.composition.requests import hold_obstacle
    from navoracle.keeper.emergency_path import hold_by_hand

    chain, _, _ = registry_of(config, asked.fund)
    why = hold_obstacle(config, chain) if asked.action is Action.HOLD else None
    if why is None:
        return []
    return [f"the registry will not be told of the hold: {why}. {hold_by_hand(asked.fund)}"]


async def _send(
    loaded: Loaded,
    runtime: Runtime,
    wanted: OwnCall,
    fund: str,
    key: SignerSection | None,
    *,
    live: bool,
    as_json: bool,
) -> int:
    from navoracle.composition.registry_decisions import own_call, send_call
    from navoracle.composition.stores import open_existing_store, store_exists

    if live and key is None:
        raise UsageError("--send --live needs a key", advice="Add --key-file or --keystore: the key with the role.")
    database = loaded.database.get_secret_value()
    if wanted in (OwnCall.ACCEPT, OwnCall.DISCARD) and store_exists(database):
        with open_existing_store(database) as store:
            call = await own_call(loaded.config, fund, wanted, store, chains=runtime.chains)
    else:
        call = await own_call(loaded.config, fund, wanted, None, chains=runtime.chains)
    sender, receipt = None, None
    if live and key is not None:
        sender, receipt = await send_call(loaded.config, call, key, chains=runtime.chains)
    document: dict[str, Any] = {
        "action": wanted.value,
        "fund": fund,
        "chain": call.chain,
        "chain_id": call.chain_id,
        "to": call.to,
        "data": "0x" + call.data.hex(),
        "proposal": None if call.proposal is None else proposal_document(call.proposal),
        "live": live,
        "sender": sender,
        "transaction": None if receipt is None else receipt.hash,
        "block": None if receipt is None else receipt.block_number,
    }
    present(document, lambda out: _show_call(out, wanted, call, document), as_json=as_json)
    return ExitCode.OK


def proposal_document(proposal: Proposal) -> dict[str, Any]:
    """What speaks for and against a decision."""
    return {
        "decision": proposal.decision.value,
        "fund": proposal.fund,
        "fund_id": proposal.fund_id,
        "served": wad_text(proposal.served),
        "served_time": proposal.served_time,
        "proposed": wad_text(proposal.proposed),
        "proposed_time": proposal.proposed_time,
        "change_bps": proposal.change_bps,
        "held_for": proposal.held_for,
        "since": proposal.since,
        "header": proposal.header,
        "record": None if proposal.record is None else "0x" + proposal.record.hex(),
        "post": proposal.post,
        "frame": proposal.frame,
        "status": None if proposal.status is None else proposal.status.value,
        "evidence_hash": proposal.evidence_hash,
        "evidence_root": proposal.evidence_root,
        "proof": list(proposal.proof),
    }


def _document(signed: SignedRequest, where: str | None, *, live: bool) -> dict[str, Any]:
    return {
        "request": signed.request.fields(),
        "digest": signed.request.id,
        "signer": signed.signer,
        "signature": "0x" + signed.signature.hex(),
        "document": signed.document().decode(),
        "live": live,
        "submitted_to": where,
    }


def _show(out: Console, signed: SignedRequest, where: str | None, warnings: list[str]) -> None:
    asked = signed.request
    out.print(f"[bold]{asked.action.value}[/] of {plain(asked.fund)}: {plain(asked.reason)}")
    out.print(f"good until {moment(asked.deadline)}, nonce {asked.nonce}, signed by {signed.signer}")
    for warning in warnings:
        out.print(f"[yellow]warning[/]   {plain(warning)}")
    out.print(f"request   {asked.id}")
    out.print(signed.document().decode(), markup=False, soft_wrap=True)
    if where is None:
        out.print("[yellow]dry run: nothing was submitted[/]; add --live and one of --to-folder, --url, --to-database")
    else:
        out.print(f"[green]submitted[/] to {plain(where)}")


def _show_call(out: Console, wanted: OwnCall, call: RegistryCall, document: dict[str, Any]) -> None:
    out.print(f"[bold]{wanted.value}[/] on {plain(call.chain)} (chain id {call.chain_id})")
    if call.proposal is not None:
        part = call.proposal
        out.print(f"held for  {plain(part.held_for)}, since {moment(part.since)}")
        out.print(f"served    {money(part.served, 6)} a share, valued at {moment(part.served_time)}")
        if part.proposed is not None:
            step = part.change_bps or 0
            out.print(
                f"held      {money(part.proposed, 6)} a share, valued at {moment(part.proposed_time)}: {step:+d} bps"
            )
            status = None if part.status is None else part.status.value
            out.print(f"found by  frame {plain(part.frame)}: {plain(status)}; `navoracle verify` recomputes it")
    out.print(f"to        {call.to}")
    out.print(f"data      0x{call.data.hex()}", soft_wrap=True)
    if document["transaction"] is None:
        out.print(
            "[yellow]dry run: nothing was signed or sent[/]; --live with --key-file sends it, or a wallet of yours"
        )
    else:
        out.print(f"[green]mined[/] in block {document['block']}: {document['transaction']} of {document['sender']}")
