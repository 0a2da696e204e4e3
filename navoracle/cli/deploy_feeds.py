"""`navoracle deploy-feeds`: feeds through which other protocols read a registry's funds. A dry run without `--live`."""

from __future__ import annotations

import asyncio
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from navoracle.cli.deploy import required_address
from navoracle.cli.exit_codes import ExitCode
from navoracle.cli.output import plain, present, table
from navoracle.cli.runtime import ConfigFile, Funds, JsonFlag, Loaded, Runtime, load, runtime_of
from navoracle.domain.errors import UsageError

if TYPE_CHECKING:
    from navoracle.composition.feeds import DeployedFeeds, FeedsPlan
    from navoracle.ports import Address


class Flavour(StrEnum):
    """What a feed's `latestRoundData` does when a value should not be relied on: revert, or answer it with its time."""

    STRICT = "strict"
    LAST_GOOD = "last-good"


class Scale(StrEnum):
    """Decimals of `latestRoundData`."""

    WAD = "18"
    CHAINLINK = "8"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("deploy-feeds")(deploy)


def deploy(
    context: typer.Context,
    funds: Funds = None,
    live: Annotated[bool, typer.Option("--live", help="Sign and send; only the plan is shown without it.")] = False,
    chain: Annotated[str | None, typer.Option(metavar="NAME", help="A chain of the configuration.")] = None,
    key_file: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Any key that can pay: feeds have no owner. Read only by --live."),
    ] = None,
    factory: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help="The registry's feed factory; one is deployed without it.")
    ] = None,
    flavour: Annotated[
        list[Flavour] | None,
        typer.Option(
            help="strict reverts when held, paused, estimated, stale or closed; repeat for both.", show_default="strict"
        ),
    ] = None,
    decimals: Annotated[Scale, typer.Option(help="Of latestRoundData.")] = Scale.WAD,
    config: ConfigFile = None,
    as_json: JsonFlag = False,
) -> int:
    """Deploy feeds of a chain's funds for readers of Chainlink, Balancer, Morpho and ERC-7726; a dry run by default.

    A feed that is there already is shown and left alone.
    """
    from navoracle.composition.deployment import deployment_chain

    loaded = load(context, config)
    target = deployment_chain(loaded.config, chain)
    if live and key_file is None:
        raise UsageError("--live needs a key that pays", advice="Add --key-file FILE; any key will do.")
    given = None if factory is None else required_address("--factory", factory)
    flavours = [each is Flavour.STRICT for each in dict.fromkeys(flavour or [Flavour.STRICT])]
    plan, deployed = asyncio.run(
        _deploy(
            loaded, target, funds or [], flavours, int(decimals), given, key_file if live else None, runtime_of(context)
        )
    )
    present(_document(plan, deployed), lambda out: _show(out, plan, deployed), as_json=as_json)
    return ExitCode.OK


async def _deploy(
    loaded: Loaded,
    chain: str,
    funds: list[str],
    flavours: list[bool],
    decimals: int,
    factory: Address | None,
    key_file: Path | None,
    runtime: Runtime,
) -> tuple[FeedsPlan, DeployedFeeds | None]:
    from navoracle.composition.feeds import deploy_feeds, plan_feeds

    plan = await plan_feeds(
        loaded.config, chain, funds, flavours=flavours, decimals=decimals, factory=factory, chains=runtime.chains
    )
    if key_file is None:
        return plan, None
    deployed = await deploy_feeds(loaded.config, plan, key_file, chains=runtime.chains)
    return deployed.plan, deployed


def _document(plan: FeedsPlan, deployed: DeployedFeeds | None) -> dict[str, Any]:
    return {
        "live": deployed is not None,
        "chain": plan.chain,
        "chain_id": plan.chain_id,
        "registry": plan.registry,
        "factory": plan.factory,
        "deployer": None if deployed is None else deployed.deployer,
        "feeds": [
            {
                "fund": feed.fund,
                "id": feed.kind.fund_id,
                "flavour": _flavour(feed.kind.strict),
                "decimals": feed.kind.decimals,
                "feed": None if feed.place is None else feed.place.address,
                "created": feed.place is not None and feed.place.created,
            }
            for feed in plan.feeds
        ],
        "transactions": [] if deployed is None else list(deployed.transactions),
    }


def _show(out: Console, plan: FeedsPlan, deployed: DeployedFeeds | None) -> None:
    mode = "" if deployed is not None else "  [yellow]dry run: nothing was signed or sent[/]"
    out.print(f"[bold]Feeds[/] of {plan.registry} on {plain(plan.chain)} (chain id {plan.chain_id}){mode}")
    out.print(f"factory   {plan.factory or 'none yet: --live deploys one'}")
    rows = table("fund", "id", "flavour", "decimals", "feed", "")
    for feed in plan.feeds:
        place = feed.place
        rows.add_row(
            plain(feed.fund),
            str(feed.kind.fund_id),
            _flavour(feed.kind.strict),
            str(feed.kind.decimals),
            "known once there is a factory" if place is None else place.address,
            "there" if place is not None and place.created else "missing",
        )
    out.print(rows)
    if deployed is not None:
        out.print(
            f"created by {deployed.deployer} in {len(deployed.transactions)} transactions, the factory's not counted"
        )


def _flavour(strict: bool) -> str:
    return (Flavour.STRICT if strict else Flavour.LAST_GOOD).value
