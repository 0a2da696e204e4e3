"""The whole check: chains, readers, prices, funds, registries, publishers, in one reading of the world."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from navoracle.checks.assets import check_assets, check_off_chain_times
from navoracle.checks.chains import check_block_ages, check_nodes, intervals_of, lags_of
from navoracle.checks.findings import Finding, error, in_order
from navoracle.checks.funds import check_cash, check_claimed, check_funds
from navoracle.checks.places import places_of
from navoracle.checks.publishers import check_publishers
from navoracle.checks.readers import Code, check_codes, check_readings, codes_of
from navoracle.checks.registries import check_registries
from navoracle.checks.state_files import check_state_files
from navoracle.composition.plans import subject_of
from navoracle.composition.reach import Reach, reach
from navoracle.composition.resolving import resolve_each
from navoracle.composition.system import ChainAccess
from navoracle.config.models import Config
from navoracle.config.overrides import with_overrides
from navoracle.domain.cadence import Cadence
from navoracle.domain.errors import NavoracleError
from navoracle.domain.frame import BlockStamp
from navoracle.domain.units import Timestamp
from navoracle.keeper.collect import collect, readers_of
from navoracle.keeper.frame import value_and_guard
from navoracle.keeper.planner import Planner
from navoracle.keeper.pricing import price
from navoracle.ports import Clock


@dataclass(frozen=True, slots=True)
class Checked:
    """What a check found, how much it looked at, and the code of every contract that readers call."""

    findings: tuple[Finding, ...]
    readers: int
    stamps: tuple[BlockStamp, ...]
    codes: tuple[Code, ...]


async def check(
    config: Config,
    *,
    clock: Clock,
    chains: Mapping[str, ChainAccess] | None = None,
    documents: Path | None = None,
    known_codes: Mapping[tuple[int, str], str] | None = None,
) -> Checked:
    """Hold a configuration against the world; nothing is recorded or sent.

    Args:
        chains: how chains are reached, instead of by the configuration.
        documents: the folder of attestations.
        known_codes: fingerprints of an earlier check, by chain id and address.

    Raises:
        ConfigurationError, UsageError: a recorded series, an exchange or the overrides file of the configuration cannot
            be opened, or the overrides are not valid.
    """
    config = with_overrides(config, clock.now()).config
    reached = reach(config, clock=clock, chains=chains, documents=documents)
    try:
        stamps, findings = await _stamps(reached)
        findings += [error(f"chains.{name}.signer", told.message, told.advice) for name, told in reached.unsigned]
        findings += check_nodes(config, reached.chains)
        findings += check_cash(config)
        findings += check_state_files(config, clock.now())
        lags = lags_of(stamps, clock.now())
        findings += check_block_ages(config, lags)
        intervals = await intervals_of(stamps, reached.chains)
        # Just before the next block the newest one is an interval older than it may be now.
        findings += check_off_chain_times(config, {name: lag + intervals[name] for name, lag in lags.items()})
        alive = {stamp.chain: reached.chains[stamp.chain] for stamp in stamps}
        findings += await check_registries(config, alive, lags)
        readers = 0
        codes: tuple[Code, ...] = ()
        if config.home_chain is None or config.home_chain in alive:
            readers, codes, more = await _check_readers(config, reached, alive, clock, known_codes or {})
            findings += more
    finally:
        await reached.close()
    return Checked(in_order(findings), readers, stamps, codes)


async def _stamps(reached: Reach) -> tuple[tuple[BlockStamp, ...], list[Finding]]:
    stamps: list[BlockStamp] = []
    findings: list[Finding] = []
    for name, access in reached.chains.items():
        try:
            stamps.append(await access.reader.stamp())
        except NavoracleError as failure:
            nodes = access.reader.pool.nodes()
            # A lone node that cannot be read is told at its own place.
            if len(nodes) > 1 or nodes[0].is_alive:
                findings.append(error(f"chains.{name}", failure.message, failure.advice))
    return tuple(stamps), findings


async def _check_readers(
    config: Config,
    reached: Reach,
    alive: Mapping[str, ChainAccess],
    clock: Clock,
    known_codes: Mapping[tuple[int, str], str],
) -> tuple[int, tuple[Code, ...], list[Finding]]:
    """Resolve and read every reader, price every asset on both sides, value every fund."""
    chains = {name: access.reader for name, access in alive.items()}
    places = places_of(config)
    now: Timestamp = clock.now()
    subject, resolution = await resolve_each(subject_of(config), chains, reached.off_chain, now)
    plan = await Planner(subject, None, {}, now=now).slot(
        list(subject.funds), now, Cadence.HOURLY, publish=False, now=now
    )
    collected = await collect(plan, chains, reached.off_chain, clock)
    readings = collected.readings
    ids = {stamp.chain: stamp.chain_id for stamp in collected.stamps}
    asked = (*resolution.asked.items(), *readings.asked.items())
    codes, without_code = await codes_of(readers_of(plan), asked, alive, ids, places)
    findings = [*without_code.values(), *check_codes(codes, known_codes)]
    findings += check_readings(resolution, readings, places, without_code, [gate.id for gate in subject.gates])
    every = replace(plan, stop_after="price")
    findings += check_assets(config, price(every, readings, collected.now), collected.now, places)
    prices = price(plan, readings, collected.now)
    found = value_and_guard(plan, collected, prices)
    findings += check_funds(found)
    findings += await check_publishers(config, alive, clock, plan.funds, found, prices.estimates, collected.now)
    findings += check_claimed(config, subject.funds.values())
    return len(readers_of(plan)), codes, findings
