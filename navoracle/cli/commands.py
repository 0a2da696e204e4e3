"""The commands by name. A command's module is loaded when the command is called, so that help does not wait for it."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any, Final, NamedTuple

import typer
from typer.core import TyperGroup

from navoracle.cli.examples import add_examples


class Command(NamedTuple):
    """A command, or a group of commands.

    Attributes:
        module: the module of this package whose `register(app)` adds it.
        summary: what the list of commands says of it: the first paragraph of its own help.
    """

    module: str
    summary: str


COMMANDS: Final[Mapping[str, Command]] = {
    "demo": Command(
        "demo",
        "Watch a keeper value three funds and post them to a real contract on an embedded chain, in accelerated time.",
    ),
    "init": Command(
        "init",
        "Write a first configuration: look at a contract, find its asset, roles and holdings, leave the rest "
        "to be named.",
    ),
    "check": Command(
        "check",
        "Test a whole configuration against the chains: endpoints, contracts, feeds, prices, roles. Nothing is sent.",
    ),
    "nav": Command(
        "nav",
        "Value funds now, or at a past block, or in a recorded world: components, price per share, verdicts, prices.",
    ),
    "price": Command("price", "Price one asset: votes, exclusions and their reasons, confidence, the protocol's rate."),
    "post": Command(
        "post",
        "Work off one slot of each fund now: value, guard, preview at the contract and, with --live, record and post.",
    ),
    "settle": Command(
        "settle",
        "Say what the vaults of funds would settle now, with which figures, and why not; with --live, settle.",
    ),
    "run": Command(
        "service",
        "Run the keeper until it is stopped (SIGINT, SIGTERM): sampler, slots, transactions, requests, "
        "health and alerts.",
    ),
    "dashboard": Command(
        "dashboard",
        "Serve the dashboard over a database and state files until it is stopped; it notes who takes care of an alert.",
    ),
    "emergency": Command(
        "emergency",
        "Ask the keeper for an update, a stop or a reset with a signed request; or decide on the registry with --send.",
    ),
    "status": Command(
        "status",
        "Show each fund's newest slot, the newest NAV that was confirmed and its age, its risk alerts and its gate.",
    ),
    "history": Command(
        "status",
        "List slots, newest first: how each ended and why, what was found, and where it was posted.",
    ),
    "risk": Command("risk", "Show a fund's risks now, and what a fall would do to it."),
    "verify": Command(
        "verify",
        "Compute NAVs again from their evidence alone, bit for bit, and check them against what was posted.",
    ),
    "safe": Command("safe", "Proposals to a Safe."),
    "evidence": Command(
        "evidence",
        "Print a fund's evidence document exactly as it was hashed, or write it to a file with --out.",
    ),
    "export": Command(
        "export",
        "Write events, slots, posts or frames, oldest first: integers of 18 decimals, Unix seconds, nothing rounded.",
    ),
    "events": Command("events", "Verify and export the event log."),
    "state": Command("state", "Show a fund's state files, or their schemas."),
    "alerts": Command("alerts", "See, acknowledge and test alerts."),
    "record": Command(
        "record",
        "Value funds now and write down every raw answer, with the configuration (without its secrets) and the prior.",
    ),
    "replay": Command(
        "replay",
        "Run the keeper over recorded prices: sampler, cadence, guards, posting, evidence. Or run recorded "
        "worlds again.",
    ),
    "drill": Command(
        "drill",
        "Play the faults of a keeper's life against this configuration, on a local node, in simulated time.",
    ),
    "deploy": Command(
        "deploy",
        "Deploy a NavRegistry for the funds of a chain, with its roles and bounds; a dry run by default.",
    ),
    "deploy-feeds": Command(
        "deploy_feeds",
        "Deploy feeds of a chain's funds for readers of Chainlink, Balancer, Morpho and ERC-7726; a dry run "
        "by default.",
    ),
    "overrides": Command("overrides", "Show, set and clear limits that are overridden while the keeper runs."),
    "config": Command("config", "Show the configuration, or its schema."),
    "db": Command("database", "See and change a database's schema."),
}
"""In the order of the help."""


class CommandTable(TyperGroup):
    """Lists commands by their summaries, and loads the one that is called or completed."""

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        """The command that is called, loaded. Raises a usage error for one that there is not."""
        name, listed, rest = super().resolve_command(ctx, args)
        return name, None if name is None or listed is None else loaded(name), rest


def add_commands(app: typer.Typer) -> None:
    """List every command; an app of the class `CommandTable` loads it when it is called."""
    for name, command in COMMANDS.items():
        app.command(name, help=command.summary)(_listed)


def app_of(module: str) -> typer.Typer:
    """The commands of one module, each with its example."""
    app = typer.Typer()
    import_module(f"navoracle.cli.{module}").register(app)
    add_examples(app)
    return app


def loaded(name: str) -> Any:
    """The command of a name, with all that it takes."""
    return typer.main.get_group(app_of(COMMANDS[name].module)).commands[name]


def _listed() -> None:
    """Stands for a command that is not loaded: it has a name and a summary, and is never called."""
