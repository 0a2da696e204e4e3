"""What one part of a configuration says of another."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from navoracle.config.gates import gate_problems
from navoracle.config.risk_references import risk_problems
from navoracle.config.services import service_problems
from navoracle.config.state_files import venue_problems
from navoracle.config.vaults import vault_problems
from navoracle.positions import RecordedLending

if TYPE_CHECKING:
    from navoracle.config.models import Config


def reference_problems(config: Config) -> list[str]:
    """What refers to something that is not there, one sentence each."""
    problems: list[str] = []
    known = {config.unit_of_account, *config.assets}
    if config.home_chain is not None and config.home_chain not in config.chains:
        problems.append(f"home_chain: {config.home_chain} is not among chains")
    for symbol, asset in config.assets.items():
        readers = [*asset.sources, *([asset.derived] if asset.derived else [])]
        readers += [asset.native.rate] if asset.native else []
        needs = [source.quoted_in for source in asset.sources if source.quoted_in is not None]
        needs += [rate.base for rate in (asset.derived, asset.native and asset.native.rate) if rate]
        problems += [f"assets.{symbol}: {need} is not among assets" for need in needs if need not in known]
        problems += _unknown_chains(f"assets.{symbol}", [reader.chain for reader in readers], config)
        problems += [
            f"assets.{symbol}: series {source.series} is not among recorded"
            for source in asset.sources
            if source.kind == "recorded" and source.series not in config.recorded
        ]
    problems += service_problems(config)
    problems += venue_problems(config)
    if config.reporting is not None and config.reporting.asset not in config.assets:
        problems.append(f"reporting.asset: {config.reporting.asset} is not among assets; add it there, with sources")
    problems += _repeated_ids(config)
    problems += _publisher_problems(config, known)
    ids: dict[tuple[str | None, int], str] = {}
    for name, fund in config.funds.items():
        other = ids.setdefault((fund.publisher or fund.chain, fund.id), name)
        if other != name:
            problems.append(f"funds.{name}.id: {fund.id} is also the id of {other}")
        chains = [fund.chain, fund.supply.chain, *(position.chain for position in fund.positions)]
        problems += vault_problems(name, fund, config)
        problems += _unknown_chains(f"funds.{name}", chains, config)
        problems += risk_problems(name, fund, config)
        publisher = None if fund.publisher is None else config.publishers.get(fund.publisher)
        problems += gate_problems(name, fund, known, settles=publisher is not None and publisher.settles)
        problems += [
            f"funds.{name}: series {balance.index} is not among recorded"
            for position in fund.positions
            if isinstance(position, RecordedLending)
            for balance in (*position.supplies, *position.debts)
            if balance.index not in config.recorded
        ]
        needs = [asset for position in fund.positions for asset, _ in position.assets]
        problems += [f"funds.{name}: {need} is not among assets" for need in needs if need not in known]
    return problems


def _publisher_problems(config: Config, known: Collection[str]) -> list[str]:
    problems: list[str] = []
    for name, publisher in config.publishers.items():
        place = f"publishers.{name}"
        problems += _unknown_chains(place, [publisher.chain], config)
        problems += [
            f"{place}: {need} is not among assets; add it there, with sources"
            for need in publisher.priced_in
            if need not in known
        ]
        if name in config.chains:
            problems.append(f"{place}: a chain has that name too; give the publisher another one")
    posted: dict[str, str] = {}
    for name, fund in config.funds.items():
        if fund.publisher is None:
            continue
        place = f"funds.{name}.publisher"
        if fund.publisher not in config.publishers:
            problems.append(f"{place}: {fund.publisher} is not among publishers; add it there, or correct the name")
        if fund.chain is not None:
            problems.append(f"{place}: the fund also has a chain; it is posted one way only: remove one of the two")
        other = posted.setdefault(fund.publisher, name)
        if other != name:
            problems.append(
                f"{place}: {fund.publisher} takes the NAV of {other}; it knows one fund only: add another publisher"
            )
    return problems


def _repeated_ids(config: Config) -> list[str]:
    sections: list[tuple[str, list[str]]] = [
        (f"assets.{symbol}.sources", [source.id for source in asset.sources]) for symbol, asset in config.assets.items()
    ]
    sections += [
        (f"funds.{name}.positions", [position.id for position in fund.positions]) for name, fund in config.funds.items()
    ]
    return [
        f"{place}: two of them are named {name}; give each an `id` of its own"
        for place, names in sections
        for name in sorted({name for name in names if names.count(name) > 1})
    ]


def _unknown_chains(place: str, chains: list[str | None], config: Config) -> list[str]:
    return [f"{place}: chain {chain} is not among chains" for chain in chains if chain and chain not in config.chains]
