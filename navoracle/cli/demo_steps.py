"""What a demo that is served says to whoever wants to take part: commands that work as they stand."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from navoracle.cli.timelines import program

if TYPE_CHECKING:
    from navoracle.demo.handout import Handout


def show_steps(out: Console, handout: Handout, database: str) -> None:
    """The way of a newcomer: describe a fund, check it, value it, keep it; ask the demo's keeper; verify."""
    called = program()
    feeds = (
        "--feed USDC:chainlink=$FEED_USDC_CHAINLINK@86400 --feed USDC:redstone=$FEED_USDC_REDSTONE@43200 "
        "--feed USDC:chronicle=$FEED_USDC_CHRONICLE@43200"
    )
    roles = "--poster $DEMO_KEEPER --risk $DEMO_RISK --guardian $DEMO_GUARDIAN --manager $DEMO_MANAGER"
    out.print("The story is over; the chain goes on in real time, and its keeper with it. In another terminal:")
    _lines(
        out,
        [
            f"source {_short(handout.environment)}",
            f"{called} init $USDC_VAULT --rpc $RPC_URL {feeds} --key-file $DEMO_KEYS/keeper.key",
            f"{called} check",
            f"{called} nav",
            f"{called} run                         # a rehearsal; Ctrl-C ends it",
        ],
    )
    out.print("To post it too, with a registry of its own:")
    _lines(
        out,
        [
            f"{called} deploy {roles} --key-file $DEMO_KEYS/risk.key --live",
            "# put the address that it prints into navoracle.yaml, as `registry:`",
            f"{called} run --live                  # goes on; the rest in another terminal, after `source`",
            "# within a minute of the deployment the registry takes no post yet; the keeper then asks again by itself",
            f"{called} emergency update vusdc --reason 'a post' --key-file $DEMO_KEYS/manager.key --to-database --live",
            f"{called} verify --rpc $RPC_URL",
        ],
    )
    own = f"--config $DEMO_CONFIG --database {_absolute(database)}"
    asked = f"--reason 'tried by hand' --to-database --live {own}"
    keys = "--key-file $DEMO_KEYS"
    out.print("To ask the demo's own keeper for a post, to stop a fund, and to let it go again:")
    _lines(
        out,
        [
            f"{called} emergency emergency_update stable {keys}/guardian.key {asked}",
            f"{called} emergency hold multi {keys}/guardian.key {asked}",
            f"{called} emergency release multi --send {keys}/risk.key --live {own}",
            f"{called} emergency reset_breaker multi {keys}/risk.key {asked}",
            f"{called} verify --rpc $RPC_URL {own}",
        ],
    )
    show_desk(out, handout)


def show_desk(out: Console, handout: Handout) -> None:
    """How a request is signed that the page Guardian prepared."""
    out.print("To sign a request that the page Guardian prepared (it gives a file, and takes what this prints):")
    signed = "emergency --request request.json --key-file $DEMO_KEYS/guardian.key --json"
    _lines(out, [f"source {_short(handout.environment)}", f"{program()} {signed}"])


def _lines(out: Console, lines: Sequence[str]) -> None:
    for line in lines:
        out.print(f"  {line}", markup=False, highlight=False, soft_wrap=True)


def _short(file: Path) -> str:
    """A file as it is named from here."""
    return os.path.relpath(file) if file.is_relative_to(Path.cwd()) else str(file)


def _absolute(database: str) -> str:
    """A database as it is named from anywhere."""
    kind, _, file = database.partition(":///")
    return f"sqlite:///{Path(file).absolute()}" if kind == "sqlite" else database
