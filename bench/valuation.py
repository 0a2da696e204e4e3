"""How much a valuation costs beyond its arithmetic.

`python -m bench.valuation` values 1,000 funds of 10 positions, each position with its full frozen record, and compares
the time with a bare loop of `a * p // WAD` over the same numbers, both in this run, in turn, by their fastest round.
"""

from __future__ import annotations

import argparse
import json
import random
import sys

from bench.measuring import fastest
from navoracle.domain.fees import FeeState, FeeTerms
from navoracle.domain.nav import value_fund
from navoracle.domain.positions import Component, Holding, Position
from navoracle.domain.prices import PriceEstimate, PriceStatus
from navoracle.domain.units import WAD, Bps, RawAmount, Timestamp, Wad
from navoracle.domain.valuation import PriceKey

FUNDS = 1_000
POSITIONS = 10
ASSETS = 40
NOW = Timestamp(1_700_000_000)
TERMS = FeeTerms(Wad(WAD // 50), Wad(WAD // 5), Wad(WAD // 1_000))
STATE = FeeState(Wad(WAD), Timestamp(NOW - 86_400))


def make_funds(seed: int = 1) -> tuple[list[tuple[Position, ...]], dict[PriceKey, PriceEstimate]]:
    """Funds of cash, collateral and debt in tokens of 6, 8 and 18 decimals, and the prices of their assets."""
    dice = random.Random(seed)
    estimates: dict[PriceKey, PriceEstimate] = {}
    for index in range(ASSETS):
        price = Wad(dice.randrange(WAD // 100, 50_000 * WAD))
        for side in ("asset", "debt"):
            estimates[f"A{index}", side] = PriceEstimate(
                f"A{index}", price, Bps(9_500), PriceStatus.LIVE, None, 10, NOW, ("a", "b"), ()
            )
    components = [Component.CASH, *[Component.COLLATERAL] * 7, Component.REWARDS, Component.DEBT]
    funds: list[tuple[Position, ...]] = []
    for fund in range(FUNDS):
        positions: list[Position] = []
        for index, component in enumerate(components):
            decimals = dice.choice((6, 8, 18))
            amount = RawAmount(dice.randrange(10**decimals, 10 ** (decimals + 6)), decimals)
            positions.append(Holding(f"{fund}.{index}", component, f"A{dice.randrange(ASSETS)}", amount))
        funds.append(tuple(positions))
    return funds, estimates


def measure(rounds: int = 7) -> dict[str, float | int]:
    """Seconds of the fastest round of each, and their ratio."""
    funds, estimates = make_funds()
    pairs = []
    for positions in funds:
        for position in positions:
            price = estimates[position.asset, "asset"].price
            if isinstance(position, Holding) and price is not None:
                pairs.append((position.amount.value, price))

    def bare() -> int:
        total = 0
        for amount, price in pairs:
            total += amount * price // WAD
        return total

    def valued() -> int:
        total = 0
        for positions in funds:
            found = value_fund(positions, estimates, shares=Wad(10**24), fee_terms=TERMS, fee_state=STATE, now=NOW)
            total += len(found.positions)
        return total

    bare_seconds, valuation_seconds = fastest(bare, valued, rounds=rounds)
    return {
        "funds": FUNDS,
        "positions": len(pairs),
        "valuation_seconds": valuation_seconds,
        "bare_loop_seconds": bare_seconds,
        "positions_per_second": round(len(pairs) / valuation_seconds),
        "ratio": round(valuation_seconds / bare_seconds, 2),
    }


def main() -> None:
    """Print the figures, as one JSON document with `--json`."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    figures = measure()
    if parser.parse_args().json:
        json.dump(figures, sys.stdout)
        sys.stdout.write("\n")
    else:
        sys.stdout.write(
            f"{figures['positions']} positions of {figures['funds']} funds: "
            f"{figures['positions_per_second']:,} a second, "
            f"{figures['ratio']} times a bare multiply-and-add loop\n"
        )


if __name__ == "__main__":
    main()
