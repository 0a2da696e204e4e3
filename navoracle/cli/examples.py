"""An example for the help of every command; each is a command line that parses."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

import typer
from typer.models import CommandInfo

EXAMPLES: Final[Mapping[str, str]] = {
    "demo": "--hours 6",
    "init": "0xVAULT --rpc https://... --feed USDC:chainlink=0xFEED@86400",
    "check": "--strict",
    "nav": "stable --explain",
    "price": "USDC --explain",
    "post": "stable --live",
    "settle": "stable --live",
    "run": "--live",
    "dashboard": "--database sqlite:///navoracle.db --state-files state",
    "emergency": "hold stable --reason 'feed under attack' --key-file guardian.key --live",
    "status": "--json",
    "history": "stable --limit 24",
    "risk show": "neutral",
    "risk simulate": "neutral --drop 0.1",
    "risk stress": "neutral",
    "verify": "--all",
    "safe show": "proposals/stable.json --rpc https://...",
    "evidence": "FRAME stable --out stable.json",
    "events verify": "",
    "events export": "--csv events.csv --component guards",
    "export": "slots --csv --out slots.csv",
    "state show": "stable nav",
    "state schema": "nav",
    "alerts list": "--all",
    "alerts ack": "nav_stale:stable",
    "alerts test": "",
    "record": "stable --out case.json",
    "replay": "--prices USDC:kraken=kraken.csv --prices USDC:binance=binance.csv",
    "drill": "--row 31",
    "deploy": "--poster 0xPOSTER --risk 0xRISK --guardian 0xGUARDIAN",
    "deploy-feeds": "stable",
    "overrides show": "",
    "overrides set": "funds.stable.gate.max_drawdown 0.2 --hours 24 --reason 'known loss'",
    "overrides clear": "funds.stable.gate.max_drawdown --reason 'loss is booked'",
    "config show": "--json",
    "config schema": "",
    "db status": "",
    "db migrate": "",
}
"""The arguments of an example, by the command's name below `navoracle`."""


def add_examples(app: typer.Typer) -> None:
    """Put each command's example under its help."""
    for name, command in commands_of(app):
        if name in EXAMPLES:
            command.epilog = f"Example: {example(name)}"


def example(name: str) -> str:
    """A command's example as it is typed."""
    return f"navoracle {name} {EXAMPLES[name]}".rstrip()


def commands_of(app: typer.Typer, above: str = "") -> Iterator[tuple[str, CommandInfo]]:
    """Every command with its name below the app's own."""
    for command in app.registered_commands:
        yield f"{above}{command.name}", command
    for group in app.registered_groups:
        inner = group.typer_instance
        if inner is not None:
            # A group is named where it is added, or where it is made.
            name = group.name if isinstance(group.name, str) else inner.info.name
            yield from commands_of(inner, f"{above}{name} ")
