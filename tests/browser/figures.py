"""What pages, state files and the chain say of one fund, side by side."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any, Final

from playwright.sync_api import Locator, Page

from navoracle.dashboard import formats
from navoracle.state_files.reader import read_set
from tests.demo_process import Node

READ: Final = "read(uint256)"
READ_RETURNS: Final = "uint256,uint256,uint256,uint256,uint256"
"""NAV, price per share, valuation time, confidence in percent, status bits."""

HELD: Final = 2
"""The bit of the status that says so."""

SCALE: Final = 18


def fact(page: Page, name: str) -> str:
    """What stands beside a name in a list of figures."""
    return figure(page, name).inner_text()


def exact_fact(page: Page, name: str) -> str | None:
    """The same, not rounded: what its title says."""
    return figure(page, name).locator("span").get_attribute("title")


def figure(page: Page, name: str) -> Locator:
    """Where a figure stands."""
    named = page.locator("dt", has_text=re.compile(f"^{re.escape(name)}$"))
    return named.first.locator("xpath=following::dd[1]")


def rows(page: Page, caption: str) -> list[list[str]]:
    """The cells of a table, row by row."""
    table = page.get_by_role("table", name=caption)
    found: list[list[str]] = table.evaluate(
        "(table) => [...table.querySelectorAll('tbody tr')].map((row) => [...row.cells].map((cell) => cell.innerText))"
    )
    return found


def differing(
    page: Page, state: Path, fund: str, served: tuple[Any, ...], slices: Callable[[int], dict[str, int]] | None = None
) -> list[str]:
    """Where card and donut differ from the files and the registry, which the next slot may change meanwhile.

    Args:
        served: what the registry answers.
        slices: the worth (Wad) of every slice at a block's time, by what the chain says.
    """
    files = read_set(state, fund)
    known, nav = files["nav_state.json"], files["nav.json"]
    computed = wad(known["nav"])
    shown = {row[0]: row[1] for row in rows(page, "Assets under management, by slice") if len(row) > 1}
    pairs = {
        "nav": (page.locator("#nav").get_attribute("title"), known["nav"]),
        "per share": (exact_fact(page, "Per share"), known["price_per_share"]),
        "nav on chain": (exact_fact(page, "On chain"), formats.of_wad(str(served[0]))),
        "per share on chain": (exact_fact(page, "Chain per share"), formats.of_wad(str(served[1]))),
        "held": (fact(page, "On chain").endswith("(held)"), bool(served[4] & HELD)),
        "difference": (fact(page, "Difference"), formats.wei(formats.of_wad(str(computed - served[0])))),
        "donut": (
            shown,
            {formats.word(each["label"]): f"{formats.amount(each['usd'])} USD" for each in nav["aum"]["slices"]},
        ),
    }
    if slices is not None:
        of_chain = {
            label: f"{formats.amount(formats.of_wad(str(worth)))} USD"
            for label, worth in slices(known["updated_at"]).items()
        }
        pairs["donut and chain"] = (shown, of_chain)
    return [f"{name}: shown {left}, else {right}" for name, (left, right) in pairs.items() if left != right]


def wad(text: str) -> int:
    """Decimal text as an integer of scale 1e18."""
    whole, _, rest = text.partition(".")
    return int(f"{whole}{rest.ljust(SCALE, '0')}")


def worth(node: Node, amount: int, decimals: int, feeds: list[str], block: str) -> int:
    """An amount of a token at the median of feeds (Wad), rounded down."""
    prices = []
    for feed in feeds:
        answer = node.call(feed, "latestRoundData()", "uint80,int256,uint256,uint256,uint80", block=block)[1]
        (places,) = node.call(feed, "decimals()", "uint8", block=block)
        prices.append(answer * 10 ** (SCALE - places))
    return int(amount * median(prices) // 10**decimals)
