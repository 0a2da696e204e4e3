"""Where in the configuration a reader stands."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from navoracle.config.models import Config


def places_of(config: Config) -> Mapping[str, str]:
    """The path of every reader, by its id."""
    return dict(_places(config))


def _places(config: Config) -> Iterator[tuple[str, str]]:
    for name in config.chains:
        yield f"{name}.sequencer", f"chains.{name}.sequencer"
    for symbol, asset in config.assets.items():
        section = f"assets.{symbol}"
        for index, source in enumerate(asset.sources):
            yield source.id, f"{section}.sources[{index}]"
        if asset.derived is not None:
            yield asset.derived.id, f"{section}.derived"
        if asset.native is not None:
            yield asset.native.rate.id, f"{section}.native.rate"
    for name, fund in config.funds.items():
        for index, position in enumerate(fund.positions):
            yield position.id, f"funds.{name}.positions[{index}]"
        yield fund.supply.id, f"funds.{name}.supply"
        if fund.risk is not None:
            for section, index, account in fund.risk.accounts:
                yield account.id, f"funds.{name}.risk.{section}[{index}].account"


def place_of_address(reader: Any, place: str, address: str) -> str:
    """The path of the setting that holds an address, or of its reader where none does (an address that was read)."""
    for name in type(reader).model_fields:
        if getattr(reader, name) == address:
            return f"{place}.{name}"
    return place
