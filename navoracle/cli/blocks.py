"""Where in time a command looks: `--at BLOCK`, on the home chain or on a chain that is named."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from navoracle.domain.errors import UsageError

if TYPE_CHECKING:
    from navoracle.config.models import Config

AtBlock = Annotated[
    list[str] | None,
    typer.Option("--at", metavar="[CHAIN=]BLOCK", help="Value a past block; the home chain's, or repeat it per chain."),
]


def blocks_of(config: Config, texts: list[str] | None) -> dict[str, int]:
    """Parse the option: block numbers by chain.

    Raises:
        UsageError: not a number, a chain that is not configured or named twice, or no chain and no home chain.
    """
    blocks: dict[str, int] = {}
    for text in texts or ():
        name, _, number = text.rpartition("=")
        chain = name or config.home_chain
        if chain is None:
            raise UsageError(f"--at {text} names no chain", advice="Write --at CHAIN=BLOCK, or set home_chain.")
        if chain not in config.chains:
            known = ", ".join(config.chains) or "none"
            raise UsageError(f"--at {text}: chain {chain} is not configured", advice=f"Configured are: {known}.")
        if not number.isdecimal():
            raise UsageError(f"--at {text}: {number!r} is not a block number", advice="Write digits: --at 19000000.")
        if chain in blocks:
            raise UsageError(f"--at names two blocks of {chain}", advice="Name one block per chain.")
        blocks[chain] = int(number)
    return blocks
