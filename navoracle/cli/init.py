"""`navoracle init`: a first configuration for a vault, a registry or a contract of another system, by its address."""

from __future__ import annotations

import asyncio
import os
import re
import sys
from collections.abc import Collection, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer
from rich.console import Console

from navoracle.cli.exit_codes import ExitCode
from navoracle.cli.output import console, plain, present
from navoracle.cli.prompts import Prompts
from navoracle.cli.runtime import JsonFlag, Runtime, runtime_of
from navoracle.cli.timelines import program
from navoracle.config.environment import DEFAULT_CONFIG, RPC
from navoracle.domain.errors import UsageError
from navoracle.ports import Address

if TYPE_CHECKING:
    from navoracle.composition.discovered import Discovery, NamedFeed, Questions
    from navoracle.composition.draft_writing import Wishes
    from navoracle.config.draft import Draft

_FEED: Final = re.compile(r"([A-Za-z0-9_-]+):([A-Za-z0-9_-]+)=(0x[0-9a-fA-F]{40})(?:@([1-9][0-9]*))?")
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("init")(init)


def init(
    context: typer.Context,
    address: Annotated[
        str | None, typer.Argument(metavar="ADDRESS", help="A vault, a share token, a registry, or who takes a NAV.")
    ] = None,
    rpc: Annotated[
        list[str] | None, typer.Option("--rpc", metavar="URL", help=f"A node of its chain; repeat it. Else {RPC}.")
    ] = None,
    out: Annotated[Path, typer.Option("--out", "-o", metavar="FILE", help="The file to write.")] = DEFAULT_CONFIG,
    force: Annotated[bool, typer.Option("--force", help="Write over a file that is there.")] = False,
    fund: Annotated[str | None, typer.Option("--fund", metavar="NAME", help="The fund's name.")] = None,
    fund_id: Annotated[
        list[int] | None,
        typer.Option("--fund-id", min=0, max=65_535, help="The fund's number; of a registry, repeat it."),
    ] = None,
    registry: Annotated[
        str | None, typer.Option("--registry", metavar="ADDRESS", help="The NavRegistry that it is posted to.")
    ] = None,
    holder: Annotated[
        list[str] | None, typer.Option("--holder", metavar="ADDRESS", help="An account of the fund; repeat it.")
    ] = None,
    token: Annotated[
        list[str] | None, typer.Option("--token", metavar="ADDRESS", help="What the holders hold; repeat it.")
    ] = None,
    feed: Annotated[
        list[str] | None,
        typer.Option(
            "--feed", metavar="ASSET:GROUP=ADDRESS[@SECONDS]", help="A price feed and its heartbeat; repeat it."
        ),
    ] = None,
    unit: Annotated[str | None, typer.Option("--unit", metavar="NAME", help="The unit of account; else USD.")] = None,
    chain: Annotated[
        str | None, typer.Option("--chain", metavar="NAME", help="What to call the chain; else by its id.")
    ] = None,
    key_file: Annotated[
        str | None, typer.Option("--key-file", metavar="FILE", help="Where the poster's key will be; not opened.")
    ] = None,
    multicall: Annotated[
        str | None, typer.Option("--multicall", metavar="ADDRESS", help="Its Multicall3, where unusual.")
    ] = None,
    as_json: JsonFlag = False,
) -> int:
    """Write a first configuration: look at a contract, find its asset, roles and holdings, leave the rest to be named.

    Knows FundVault, NavRegistry and its funds, ERC-4626, share tokens, and contracts of Veda, Lagoon, Mellow and
    Midas. What no contract says stays a ${NAME} of the environment, and so do secrets; `navoracle check` names each.
    On a terminal it asks for what is missing. Nothing is sent.
    """
    from navoracle.composition.discovered import Questions
    from navoracle.composition.draft_writing import Wishes
    from navoracle.config.draft import render
    from navoracle.config.files import write_configuration
    from navoracle.telemetry.logs import configure_logs

    configure_logs("console", "error")
    if out.exists() and not force:
        raise UsageError(f"{out} is there already", advice="Write another file with --out FILE, or add --force.")
    ask = Prompts(enabled=not as_json and sys.stdin.isatty() and sys.stderr.isatty())
    rpcs = tuple(rpc or ()) or tuple(filter(None, [os.environ.get(RPC)]))
    if not rpcs:
        rpcs = (ask.required("--rpc", "the URL of a node of its chain"),)
    subject = address or ask.required(
        "ADDRESS", "the address of a vault, its share token, its registry, or the contract that takes its NAV"
    )
    if bool(holder) != bool(token):
        missing, given = ("--token", "--holder") if holder else ("--holder", "--token")
        raise UsageError(f"{missing} is missing: {given} goes with it", advice="Say both: who holds, and what.")
    questions = Questions(
        rpcs=rpcs,
        address=_address("ADDRESS", subject),
        chain=None if chain is None else _name("--chain", chain),
        multicall=None if multicall is None else _address("--multicall", multicall),
        fund_ids=tuple(fund_id or ()),
        registry=None if registry is None else _address("--registry", registry),
        holders=tuple(_address("--holder", each) for each in holder or ()),
        tokens=tuple(_address("--token", each) for each in token or ()),
        feeds=_feeds(feed or ()),
    )
    wishes = Wishes(
        unit=None if unit is None else _name("--unit", unit),
        fund=None if fund is None else _name("--fund", fund),
        fund_id=fund_id[0] if fund_id else None,
        key_file=key_file,
    )
    discovery, draft = asyncio.run(_draft(questions, wishes, runtime_of(context)))
    if len(draft.funds) > 1 and fund is not None:
        raise UsageError(
            f"--fund names one fund, and the registry has {len(draft.funds)}", advice="Choose one with --fund-id."
        )
    if ask.enabled:
        _tell(console(error=True), discovery)
        answered = _ask_for_feeds(ask, draft)
        if answered:
            questions = replace(questions, feeds=(*questions.feeds, *answered))
            discovery, draft = asyncio.run(_draft(questions, wishes, runtime_of(context)))
    schema = write_configuration(out, lambda name: render(draft, name), force=force)
    unset = _unset(draft, rpcs)
    document = _document(discovery, draft, out, schema, unset)
    present(document, lambda shown: _show(shown, discovery, draft, out, unset, told=ask.enabled), as_json=as_json)
    return ExitCode.OK


async def _draft(questions: Questions, wishes: Wishes, runtime: Runtime) -> tuple[Discovery, Draft]:
    from navoracle.composition.discovery import discover
    from navoracle.composition.drafting import draft_of

    discovery = await discover(questions, clock=runtime.clock, chains=runtime.chains)
    return discovery, draft_of(discovery, wishes)


def _ask_for_feeds(ask: Prompts, draft: Draft) -> list[NamedFeed]:
    """Ask for every feed that the draft leaves to be named; an empty answer leaves it so."""
    found: list[NamedFeed] = []
    for asset, sources in draft.assets.items():
        for source in sources:
            if not source.feed.startswith("${"):
                continue
            text = ask.optional(
                f"feed of {asset} in {draft.unit}, {source.group}'s: ADDRESS@HEARTBEAT in seconds (empty: later)"
            )
            if text:
                found += _feeds([f"{asset}:{source.group}={text}"])
    return found


def _unset(draft: Draft, rpcs: Sequence[str]) -> set[str]:
    """The names of the variables that the environment does not hold; a node's is to be the one that was named."""
    nodes = dict(zip(draft.rpcs, rpcs, strict=True))
    names = {variable.name for variable in draft.variables}
    return {name for name in names if not (held := os.environ.get(name)) or held != nodes.get(name, held)}


def _address(flag: str, text: str) -> Address:
    """An address as somebody gives it; without a checksum where all its letters are small. Raises UsageError."""
    from navoracle.readers import check_address

    try:
        return Address(check_address(_checksummed(text)))
    except ValueError as error:
        raise UsageError(f"{flag}: {error}", advice="Correct the address.") from error


def _checksummed(text: str) -> str:
    from eth_utils.address import to_checksum_address

    if re.fullmatch(r"0x[0-9a-f]{40}", text) is None:
        return text
    return str(to_checksum_address(text))


def _name(flag: str, text: str) -> str:
    if _NAME.fullmatch(text) is None:
        raise UsageError(f"{flag} {text!r} is no name", advice="Use letters, digits, - and _, at most 64.")
    return text


def _feeds(texts: Sequence[str]) -> tuple[NamedFeed, ...]:
    from navoracle.composition.discovered import NamedFeed

    feeds: list[NamedFeed] = []
    for text in texts:
        match = _FEED.fullmatch(text)
        if match is None:
            raise UsageError(
                f"--feed {text!r} is not ASSET:GROUP=ADDRESS[@SECONDS]",
                advice="For example: --feed USDC:chainlink=0x...@86400",
            )
        asset, group, feed, heartbeat = match.groups()
        named = NamedFeed(
            _name("--feed", asset),
            _name("--feed", group),
            _address(f"--feed {asset}:{group}", feed),
            None if heartbeat is None else int(heartbeat),
        )
        if any((named.asset, named.group) == (other.asset, other.group) for other in feeds):
            raise UsageError(
                f"--feed {asset}:{group} is given twice",
                advice="A group has one vote: give another feed another group.",
            )
        feeds.append(named)
    return tuple(feeds)


def _document(discovery: Discovery, draft: Draft, out: Path, schema: Path, unset: Collection[str]) -> dict[str, Any]:
    found = discovery.found
    return {
        "file": str(out),
        "schema": str(schema),
        "chain": discovery.chain,
        "chain_id": discovery.chain_id,
        "block": discovery.stamp.number,
        "kind": found.kind,
        "contract": found.contract,
        "roles": {role.name: role.account for role in found.roles},
        "notes": list(found.notes),
        "registry": draft.registry,
        "funds": [
            {
                "fund": each.name,
                "id": each.id,
                "supply": each.supply,
                "publisher": each.publisher,
                "vault": each.vault,
                "positions": [dict(item.settings) for item in each.positions],
            }
            for each in draft.funds
        ],
        "assets": list(draft.assets),
        "variables": [
            {"name": each.name, "meaning": each.meaning, "secret": each.secret, "set": each.name not in unset}
            for each in draft.variables
        ],
    }


def _tell(out: Console, discovery: Discovery) -> None:
    """What was found."""
    from navoracle.composition.drafting import KIND_NAMES

    found = discovery.found
    out.print(
        f"[bold]{plain(KIND_NAMES[found.kind])}[/] {found.contract} on {plain(discovery.chain)} "
        f"(chain id {discovery.chain_id}), block {discovery.stamp.number}"
    )
    for token, what in ((found.shares, "shares"), (found.base, "asset")):
        if token is not None:
            out.print(f"  {what}: {plain(token.symbol)}, {token.decimals} decimals, {token.address or 'the own coin'}")
    for role in found.roles:
        out.print(f"  {plain(role.name)}: {role.account}")
    for number, vault in ((fund.number, fund.vault) for fund, _ in discovery.funds):
        out.print(f"  fund {number}: {vault or 'no vault'}")
    for note in found.notes:
        out.print(f"  [yellow]note[/] {plain(note)}")


def _show(out: Console, discovery: Discovery, draft: Draft, file: Path, unset: Collection[str], *, told: bool) -> None:
    if not told:
        _tell(out, discovery)
    out.print(f"wrote [bold]{plain(file)}[/], and its schema for editors beside it")
    missing = [variable for variable in draft.variables if variable.name in unset]
    if missing:
        out.print("\nset in the environment, or replace in the file what is no secret:")
        width = max(len(variable.name) for variable in missing)
        for variable in missing:
            out.print(f"  export {variable.name}=...{' ' * (width - len(variable.name))}  {plain(variable.meaning)}")
    option = "" if file == DEFAULT_CONFIG else f" --config {file}"
    out.print("\nthen:")
    out.print(f"  {plain(program())} check{plain(option)}    what is wrong, and the remedy")
    out.print(f"  {plain(program())} nav{plain(option)}      what the funds are worth now")
