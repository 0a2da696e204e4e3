"""`navoracle settle`: what the funds' vaults would settle now, with which figures, and why not; `--live` settles."""

from __future__ import annotations

import asyncio
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer
from rich.console import Console

from navoracle.cli.exit_codes import ExitCode
from navoracle.cli.output import error_document, moment, money, plain, present, table
from navoracle.cli.posting import ERRORS
from navoracle.cli.runtime import ConfigFile, DatabaseUrl, Funds, JsonFlag, Loaded, Runtime, chosen, load, runtime_of
from navoracle.domain.errors import UsageError
from navoracle.keeper.settlement_look import Settlement, Step

if TYPE_CHECKING:
    from navoracle.composition.system import System
    from navoracle.config.models import Config
    from navoracle.keeper.settlements import Settlements
    from navoracle.store_port import Store

PATIENCE: Final = 120.0
LOOK_AGAIN: Final = 2.0
"""Seconds to wait for a settlement to be confirmed, and between two looks."""

_ON_ITS_WAY: Final = "The transaction is on its way: do not repeat it. `navoracle run` or `settle --live` sees it on."


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("settle")(settle)


def settle(
    context: typer.Context,
    funds: Funds = None,
    live: Annotated[
        bool, typer.Option("--live/--dry-run", help="Sign and send; or only say what would settle.")
    ] = False,
    config: ConfigFile = None,
    database: DatabaseUrl = None,
    as_json: JsonFlag = False,
) -> int:
    """Say what the vaults of funds would settle now, with which figures, and why not; with --live, settle.

    A vault settles on the post that the registry serves: post first. A dry run opens no key file, so the vault itself
    is asked only in a live run.
    """
    from navoracle.cli.settlement_documents import settlement_document

    loaded = load(context, config, database)
    names = with_vaults(loaded.config, funds)
    found = asyncio.run(_settle(loaded, names, runtime_of(context), live=live))
    code = exit_code(found, live=live)
    document: dict[str, Any] = {"live": live, "funds": [settlement_document(each) for each in found]}
    if code is not ExitCode.OK:
        failed = [each for each in found if not succeeded(each, live=live)]
        message = "; ".join(f"{each.fund}: {each.reason or each.step.value}" for each in failed)
        document |= error_document(ERRORS[code], message, advice(failed[0]))
    present(document, lambda out: _show(out, found, live=live), as_json=as_json)
    return code


def with_vaults(config: Config, funds: list[str] | None) -> tuple[str, ...]:
    """The named funds, or all that have a vault.

    Raises:
        UsageError: a named fund, or every fund, has no vault of its own.
    """
    names = chosen(config, funds)
    found = tuple(name for name in names if config.funds[name].vault is not None)
    without = [name for name in names if name not in found] if funds else []
    if without or not found:
        raise UsageError(
            f"{', '.join(without or names)}: no vault of its own is configured",
            advice="Add `funds.FUND.vault: {chain, contract}`; see docs/vaults.md.",
        )
    return found


async def _settle(loaded: Loaded, funds: tuple[str, ...], runtime: Runtime, *, live: bool) -> list[Settlement]:
    from navoracle.composition.system import open_system
    from navoracle.keeper.settlements import Settlements

    with _store(loaded, live=live) as store:
        system = await open_system(
            loaded.config,
            clock=runtime.clock,
            store=store,
            live=live,
            chains=runtime.chains,
            documents=loaded.path.parent,
        )
        try:
            settlements = Settlements(system.vaults, store, runtime.clock, live=live)
            return [await _to_its_end(system, settlements, fund, live=live) for fund in funds]
        finally:
            await system.close()


async def _to_its_end(system: System, settlements: Settlements, fund: str, *, live: bool) -> Settlement:
    """Look until nothing is under way any more, or the patience is at its end."""
    first = found = await settlements.look(fund)
    lane = settlements.vaults[fund].lane
    waited = 0.0
    while live and lane is not None and found.step is Step.SENT and waited < PATIENCE:
        await system.clock.sleep(LOOK_AGAIN)
        waited += LOOK_AGAIN
        if await lane.open():
            await lane.tick()
        found = await settlements.look(fund)
    # The plan is that of the first look: after the settlement there is another epoch.
    return found if found is first else replace(found, examined=first.examined)


def succeeded(found: Settlement, *, live: bool) -> bool:
    """Whether it was settled, or would have been in a dry run."""
    if live:
        return found.step is Step.SETTLED and not found.differs
    return found.examined is not None and not found.examined.refusals


def exit_code(found: list[Settlement], *, live: bool) -> ExitCode:
    """0 all settled, 6 some; else 5 when a transaction failed or is on its way, 3 when something speaks against it."""
    done = [succeeded(each, live=live) for each in found]
    if all(done):
        return ExitCode.OK
    if any(done):
        return ExitCode.PARTLY
    return ExitCode.GUARD if all(each.step is Step.WAITING for each in found) else ExitCode.CHAIN


def advice(found: Settlement) -> str:
    """What an operator can do about a fund that was not settled."""
    if found.step is Step.SENT:
        return _ON_ITS_WAY
    if found.step is Step.SETTLED:
        return "The vault or its post changed between plan and block; compare the two before the next settlement."
    if found.examined is not None and found.examined.refusals:
        return found.examined.refusals[0].advice
    return "Look the transaction up in an explorer; the next post is tried anew."


def _store(loaded: Loaded, *, live: bool) -> AbstractContextManager[Store]:
    from navoracle.composition.stores import open_store, rehearsal_store

    url = loaded.database.get_secret_value()
    return open_store(url) if live else rehearsal_store(url)


def _show(out: Console, found: list[Settlement], *, live: bool) -> None:
    if not live:
        out.print("[yellow]dry run: nothing was signed or sent[/]")
    rows = table("fund", "epoch", "result", "price per share", "to mint", "to burn", "fee shares", "post of")
    for each in found:
        examined = each.examined
        style = "green" if succeeded(each, live=live) else "red"
        result = "would settle" if not live and succeeded(each, live=live) else (each.reason or each.step.value)
        expected = None if examined is None else examined.expected
        rows.add_row(
            plain(each.fund),
            plain(None if expected is None else expected.epoch),
            f"[{style}]{plain(result)}[/]",
            money(None if expected is None else expected.price_per_share, 6),
            money(None if expected is None else expected.minted, 6),
            money(None if expected is None else expected.burned, 6),
            money(None if expected is None else expected.fee_shares, 6),
            moment(None if expected is None else expected.valuation_time),
        )
    out.print(rows)
    for each in found:
        for refusal in () if each.examined is None else each.examined.refusals:
            out.print(f"{plain(each.fund)}: {plain(refusal.detail)}. {plain(refusal.advice)}")
        for difference in each.differs:
            out.print(f"{plain(each.fund)}: [red]{plain(difference)}[/]")
