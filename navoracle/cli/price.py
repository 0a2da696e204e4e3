"""`navoracle price`: what an asset is worth now, or was at a block, and how that came about."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from navoracle.cli.blocks import AtBlock, blocks_of
from navoracle.cli.documents import estimate_document, failure_documents, stamp_document
from navoracle.cli.exit_codes import ExitCode
from navoracle.cli.explained import line_document, show_line
from navoracle.cli.output import error_document, moment, money, percent, plain, present
from navoracle.cli.runtime import ConfigFile, DatabaseUrl, JsonFlag, Loaded, Runtime, load, runtime_of
from navoracle.domain.errors import UsageError
from navoracle.ports import Scrutiny

if TYPE_CHECKING:
    from navoracle.domain.failures import Failure
    from navoracle.domain.frame import BlockStamp
    from navoracle.domain.prices import PriceEstimate, Quote
    from navoracle.keeper.explain import Line


@dataclass(frozen=True, slots=True)
class Priced:
    """An asset's estimate on one side, what it rests on, and its tree."""

    estimate: PriceEstimate
    side: str
    quotes: tuple[Quote, ...]
    stamps: tuple[BlockStamp, ...]
    failures: tuple[Failure, ...]
    now: int
    explained: Line


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("price")(price)


def price(
    context: typer.Context,
    asset: Annotated[str, typer.Argument(metavar="ASSET", help="An asset of the configuration.")],
    side: Annotated[str, typer.Option("--side", metavar="asset|debt", help="What the price would value.")] = "asset",
    explain: Annotated[bool, typer.Option("--explain", help="Print the tree down to the raw bytes.")] = False,
    at: AtBlock = None,
    config: ConfigFile = None,
    database: DatabaseUrl = None,
    as_json: JsonFlag = False,
) -> int:
    """Price one asset: votes, exclusions and their reasons, confidence, the protocol's rate.

    Records nothing. Falls back on the database's last valid price, as a frame would; a past block has none. Ends with 3
    when there is no price.
    """
    if side not in ("asset", "debt"):
        raise UsageError(f"--side {side!r} is neither asset nor debt", advice="Use --side asset or --side debt.")
    loaded = load(context, config, database)
    if asset not in loaded.config.assets:
        raise UsageError(
            f"there is no asset {asset}", advice=f"Name one of: {', '.join(loaded.config.assets) or 'none'}."
        )
    blocks = blocks_of(loaded.config, at)
    found = asyncio.run(_price(loaded, asset, side, blocks, runtime_of(context)))
    document = _document(found, explain=explain)
    if found.estimate.price is None:
        message = f"{asset} has no price on the {side} side: {found.estimate.reason}"
        document |= error_document("guard_refused", message, "Look at its sources: add --explain.")
    unit = loaded.config.unit_of_account
    present(document, lambda out: _show(out, found, unit, explain=explain), as_json=as_json)
    return ExitCode.OK if found.estimate.price is not None else ExitCode.GUARD


async def _price(loaded: Loaded, asset: str, side: str, blocks: Mapping[str, int], runtime: Runtime) -> Priced:
    from navoracle.composition.stores import rehearsal_store
    from navoracle.composition.system import open_system
    from navoracle.keeper.collect import collect
    from navoracle.keeper.explain import Explainer
    from navoracle.keeper.pinned import ports_at
    from navoracle.keeper.pricing import price as estimate_prices

    with rehearsal_store(loaded.database.get_secret_value()) as store:
        system = await open_system(
            loaded.config,
            clock=runtime.clock,
            store=None if blocks else store,
            chains=runtime.chains,
            documents=loaded.path.parent,
        )
        try:
            plan = system.planner.sample(runtime.clock.now()).for_assets((asset,))
            ports = await ports_at(plan, system.ports, blocks) if blocks else system.ports
            collected = await collect(plan, ports.chains, ports.off_chain, ports.clock, Scrutiny.ONE)
        finally:
            await system.close()
    prices = estimate_prices(plan, collected.readings, collected.now)
    return Priced(
        estimate=prices.estimates[asset, "debt" if side == "debt" else "asset"],
        side=side,
        quotes=prices.quotes,
        stamps=collected.stamps,
        failures=(*collected.chain_failures, *collected.readings.failures.values()),
        now=collected.now,
        explained=Explainer(plan, collected.readings, prices, collected.now).price(asset, side),
    )


def _document(found: Priced, *, explain: bool) -> dict[str, Any]:
    document = {
        "now": found.now,
        "stamps": [stamp_document(stamp) for stamp in found.stamps],
        **estimate_document(found.estimate, found.side, found.quotes),
        "failures": failure_documents(found.failures),
    }
    return document | ({"explained": line_document(found.explained)} if explain else {})


def _show(out: Console, found: Priced, unit: str, *, explain: bool) -> None:
    estimate = found.estimate
    blocks = ", ".join(f"{stamp.chain} block {stamp.number}" for stamp in found.stamps) or "no chain"
    out.print(f"{plain(estimate.asset)} at {moment(found.now)}, {plain(blocks)}")
    if explain:
        show_line(out, found.explained)
        return
    reason = f" ({estimate.reason})" if estimate.reason else ""
    out.print(
        f"{money(estimate.price, 6)} {plain(unit)}  {estimate.status.value}{plain(reason)}, "
        f"confidence {percent(estimate.confidence)}"
    )
    for vote in estimate.votes:
        out.print(f"  vote of {plain(vote.group)}: {money(vote.price, 6)}, confidence {percent(vote.confidence)}")
    for source, why in estimate.excluded:
        out.print(f"  excluded: {plain(source)} ({why})")
    for failure in found.failures:
        out.print(f"  failed: {plain(failure.reader)}: {plain(failure.message)}")
        out.print(f"    advice: {plain(failure.advice)}")
