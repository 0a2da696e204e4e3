"""What the risk monitor adds to a frame: the same 1,000 funds with and without it, in turn, in one run.

    python -m bench.risk [--json] [--runs N]

Each fund has ten positions, two loans, an account at an exchange, a delta and three limits. Figures are processor time
of the frame alone, the fastest run of each stage: another program on the machine only ever adds. Which kind of frame
comes first changes from turn to turn, and what existed before a run is kept out of garbage collection.
"""

from __future__ import annotations

import asyncio
import sys
from argparse import ArgumentParser
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

from bench.clients import chain_reader
from bench.deployed import CHAIN, FUNDS, NODE_ARGUMENTS, POSITIONS, Deployed, deploy
from bench.frame import CountedChain, check, plan_of, prior_of, run, subject_of
from bench.on_node import main_on_node
from navoracle.composition.resolving import resolve
from navoracle.domain.frame import NavFrame
from navoracle.domain.prior import Prior
from navoracle.domain.risk.levels import Ceiling, Floor
from navoracle.domain.risk.policy import (
    DeltaLimits,
    FundingTerms,
    FundLimits,
    LendingLimits,
    MarginLimits,
    PositionTerms,
    RiskMode,
    RiskPolicy,
)
from navoracle.domain.units import to_wad
from navoracle.keeper.plan import FundPlan, RiskPlan
from navoracle.keeper.planner import Subject
from navoracle.positions import DeclaredMargin
from navoracle.recorded.reader import RecordedReader

RUNS: Final = 5
LOANS: Final = 2
LIMIT: Final = 0.20
"""What risk may add to the processor time of a frame."""

_BEFORE_EVIDENCE: Final = ("collect", "price", "value", "guard")


async def measure(world: Deployed, *, runs: int = RUNS) -> dict[str, Any]:
    """Frames without and with risk, one after the other.

    Raises:
        RuntimeError: a fund is not valued, or a risk of it is not known.
    """
    async with chain_reader(world.url) as chain:
        at = await chain.stamp()
        plain = await resolve(subject_of(world), {CHAIN: chain}, RecordedReader({}), at.timestamp)
        watched = with_risk(plain)
        first = await run(plan_of(plain, Prior(), at.timestamp), CountedChain(chain), at.timestamp)
        prior = prior_of(first.frame)
        plans = [plan_of(subject, prior, at.timestamp) for subject in (plain, watched)]
        took: list[dict[str, list[float]]] = [{}, {}]
        for turn in range(runs + 1):
            for place in (0, 1) if turn % 2 else (1, 0):
                stages = await run(plans[place], CountedChain(chain), at.timestamp)
                check(world, stages.frame)
                _check_risk(stages.frame, watched=bool(place))
                for name, each in stages.took.items() if turn else ():
                    took[place].setdefault(name, []).append(each.cpu)
    without, within = ({name: min(runs) for name, runs in each.items()} for each in took)
    return {
        "funds": FUNDS,
        "positions": FUNDS * POSITIONS,
        "loans": FUNDS * LOANS,
        "runs": runs,
        "cpu_seconds_without_risk": without,
        "cpu_seconds_with_risk": within,
        "added_to_the_frame": sum(within.values()) / sum(without.values()) - 1,
        "added_before_evidence": sum(within[name] for name in _BEFORE_EVIDENCE)
        / sum(without[name] for name in _BEFORE_EVIDENCE)
        - 1,
        "limit": LIMIT,
    }


def with_risk(subject: Subject) -> Subject:
    """The same funds, each with its monitor."""
    return replace(subject, funds={name: replace(fund, risk=risk_of(fund)) for name, fund in subject.funds.items()})


def risk_of(fund: FundPlan) -> RiskPlan:
    """Two loans of four positions each, a hedged account, a delta in the fund's first asset, and every limit."""
    ids = [reader.id for reader in fund.positions]
    symbols = [asset for reader in fund.positions for asset, _ in reader.assets]
    unit, venue = symbols[0], f"{fund.fund}.risk.venue"
    parts = (ids[:4], ids[4:8])
    return RiskPlan(
        policy=RiskPolicy(
            mode=RiskMode.USDT_MARKET_NEUTRAL,
            lending=tuple(_loan(f"{fund.fund}.risk.loan{number}", part) for number, part in enumerate(parts)),
            margin=(
                MarginLimits(
                    watch=venue,
                    venue="VENUE",
                    ratio=Floor(to_wad("0.20"), to_wad("0.12")),
                    initial_margin=to_wad("0.15"),
                    maintenance_margin=to_wad("0.10"),
                    funding=FundingTerms(to_wad("0.0001"), 28_800),
                ),
            ),
            delta=DeltaLimits(unit, tuple(dict.fromkeys(symbols[:3])), to_wad("0"), to_wad("0.05"), to_wad("0.6")),
            limits=FundLimits(to_wad("3"), to_wad("2"), None, to_wad("0.2"), to_wad("0.8")),
            stress=(),
        ),
        margin=(
            DeclaredMargin.model_validate(
                {
                    "kind": "declared_margin",
                    "id": venue,
                    "venue": "venue",
                    "asset": symbols[1],
                    "balance": "1000",
                    "contracts": [{"symbol": "PERP", "asset": unit, "size": "-10"}],
                }
            ),
        ),
    )


def _loan(watch: str, positions: Sequence[str]) -> LendingLimits:
    return LendingLimits(
        watch=watch,
        label="LOAN",
        target_ltv=to_wad("0.6"),
        ltv=Ceiling(to_wad("0.7"), to_wad("0.8")),
        health_factor=Floor(to_wad("1.2"), to_wad("1.05")),
        terms=PositionTerms(tuple(positions), to_wad("0.8"), to_wad("0.83"), to_wad("0.05"), to_wad("0.5")),
    )


def _check_risk(frame: NavFrame, *, watched: bool) -> None:
    for fund in frame.funds:
        if not watched:
            if fund.risk is not None:
                raise RuntimeError(f"{fund.fund} has a risk report without a monitor")
        elif fund.risk is None or fund.risk.failures or len(fund.risk.lending) != LOANS or fund.risk.delta is None:
            raise RuntimeError(f"a risk of {fund.fund} is not known: its time would mean nothing")


def table(result: dict[str, Any]) -> str:
    """The figures in lines."""
    lines = [f"A frame of {result['funds']:,} funds, {result['positions']:,} positions, {result['loans']:,} loans"]
    lines.append(f"  {'CPU seconds':<20}{'without risk':>14}{'with risk':>12}")
    with_it = result["cpu_seconds_with_risk"]
    lines += [
        f"  {name:<20}{seconds:>14.3f}{with_it[name]:>12.3f}"
        for name, seconds in result["cpu_seconds_without_risk"].items()
    ]
    lines.append(f"  risk adds {result['added_to_the_frame']:.1%} to the frame (limit {result['limit']:.0%})")
    lines.append(f"  risk adds {result['added_before_evidence']:.1%} to what comes before the evidence is written")
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the bench; 5 when no node can be had."""
    parser = ArgumentParser(prog="python -m bench.risk", description="What the risk monitor adds to a frame.")
    parser.add_argument("--runs", type=int, default=RUNS, help="frames of each kind, of which the fastest counts")
    return main_on_node(
        parser,
        arguments,
        node_arguments=NODE_ARGUMENTS,
        measure=lambda url, options: asyncio.run(measure(deploy(url), runs=options.runs)),
        table=table,
    )


if __name__ == "__main__":
    sys.exit(main())
