"""The configuration's shape. Every model forbids unknown keys; what is not said has the default written here.

Amounts and rates are decimal strings ("0.02" is 2 %), limits basis points, times seconds.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self, get_args

from pydantic import Field, SecretStr, field_validator, model_validator

from navoracle.config.alerts import AlertsSection
from navoracle.config.base import BpsField, Name, Seconds, Section
from navoracle.config.chains import ChainSection
from navoracle.config.requests import FundRequestsSection
from navoracle.config.service import BreakerSection, ServiceSection
from navoracle.config.services import CredentialSection, ExchangeSection, HttpSection, service_problems
from navoracle.config.vaults import vault_problems
from navoracle.domain.units import Wad
from navoracle.positions import FundVaultState, PositionModel, SupplyModel
from navoracle.prices import Rate, Source
from navoracle.prices.roots import split_roots
from navoracle.publishers.peers import PeerModelUnion
from navoracle.readers import DecimalWad

_FUND_KINDS = frozenset(
    get_args(model.model_fields["kind"].annotation)[0]
    for model in get_args(get_args(PositionModel)[0])
    if "fund" in model.section_fields
)
"""Kinds of positions that are told which fund they belong to."""


class SeriesSection(Section):
    """A recorded price series: a CSV of `timestamp,price` or `timestamp,open,high,low,close,volume`."""

    file: Path
    step: Annotated[int, Field(gt=0)] | None = None


class NativeSection(Section):
    """A protocol's own rate, held against the market price and never lifting it."""

    rate: Rate
    native_band_bps: BpsField
    native_halt_bps: BpsField


class AssetSection(Section):
    """How one asset is priced: by `sources`, or through its base at a protocol's rate (`derived`)."""

    sources: tuple[Source, ...] = ()
    derived: Rate | None = None
    native: NativeSection | None = None
    max_age: Seconds = 300
    max_future: Seconds = 30
    min_confidence: BpsField = 5_000
    outlier_bps: BpsField = 1_000
    wide_bps: BpsField = 500
    min_sources: Annotated[int, Field(ge=1)] = 2
    method: Literal["median", "weighted_mean"] = "median"

    @model_validator(mode="after")
    def _priced_one_way(self) -> Self:
        if bool(self.sources) == (self.derived is not None):
            raise ValueError("give either `sources` or `derived`, and not both")
        groups = {source.group for source in self.sources}
        if self.sources and len(groups) < self.min_sources:
            raise ValueError(
                f"min_sources is {self.min_sources} and there are {len(groups)} groups of sources: it could never be "
                "priced; add an independent source or set min_sources"
            )
        return self

    @property
    def split_roots(self) -> Mapping[str, tuple[str, ...]]:
        """Roots of sources that vote in more than one group, with the groups."""
        return split_roots(self.sources)


class FeesSection(Section):
    """Fee rates a year (management), of profit (performance) and of a withdrawal, as decimals."""

    management_rate: DecimalWad = Wad(0)
    performance_rate: DecimalWad = Wad(0)
    withdrawal_rate: DecimalWad = Wad(0)
    basis: Literal["per_share", "total_nav"] = "per_share"


class GuardsSection(Section):
    """The keeper's own limits for one fund; see `navoracle.domain.frame.GuardPolicy`."""

    min_interval: Seconds = 60
    max_change_bps: BpsField = 3_000
    agreement_bps: BpsField = 50
    max_haircut_bps: BpsField = 1_000
    immaterial_bps: BpsField = 1
    rate_gap_bps: BpsField = 50
    time_weighted_gap_bps: BpsField = 500
    max_mixed_age: Seconds = 3_600
    max_block_age: Seconds = 900
    max_baseline_age: Seconds = 604_800
    post_estimated: bool = True
    max_unexplained_bps: BpsField = 50


class FundSection(Section):
    """One fund: its number on the registry, what it holds and owes, its shares, fees and limits.

    It is posted to the registry of `chain`, or to the contract of a `publisher`, or nowhere. `vault` is a FundVault of
    its own: fees are by the vault's terms, and the keeper settles it.
    """

    id: Annotated[int, Field(ge=0, le=65_535)]
    chain: Name | None = None
    publisher: Name | None = None
    supply: SupplyModel
    positions: Annotated[tuple[PositionModel, ...], Field(min_length=1)]
    fees: FeesSection = FeesSection()
    vault: FundVaultState | None = None
    guards: GuardsSection = GuardsSection()
    requests: FundRequestsSection = FundRequestsSection()


class CadenceSection(Section):
    """When slots fall due, and what moves them."""

    volatility_limit: DecimalWad = Wad(800_000_000_000_000_000)
    weight_bps: BpsField = 500
    calm_hours: Annotated[int, Field(ge=0)] = 24
    oracle_move_bps: BpsField = 500
    sample_seconds: Annotated[int, Field(gt=0)] = 60


class StoreSection(Section):
    """Where frames, slots and posts are kept: an SQLAlchemy URL."""

    url: SecretStr = SecretStr("sqlite:///navoracle.db")


class LogSection(Section):
    """How the keeper speaks to its operator."""

    format: Literal["console", "json"] = "console"
    level: Literal["debug", "info", "warning", "error"] = "info"


class Config(Section):
    """A whole configuration."""

    version: Literal[1] = 1
    unit_of_account: Name = "USD"
    home_chain: Name | None = None
    record_size: Literal[27, 40, 92, 105] = 105
    store: StoreSection = StoreSection()
    log: LogSection = LogSection()
    cadence: CadenceSection = CadenceSection()
    service: ServiceSection = ServiceSection()
    alerts: AlertsSection = AlertsSection()
    breakers: BreakerSection = BreakerSection()
    chains: dict[Name, ChainSection] = Field(default_factory=dict)
    recorded: dict[Name, SeriesSection] = Field(default_factory=dict)
    http: HttpSection = HttpSection()
    credentials: dict[Name, CredentialSection] = Field(default_factory=dict)
    exchanges: dict[Name, ExchangeSection] = Field(default_factory=dict)
    publishers: dict[Name, PeerModelUnion] = Field(default_factory=dict)
    assets: dict[Name, AssetSection]
    funds: Annotated[dict[Name, FundSection], Field(min_length=1)]

    @field_validator("publishers", mode="before")
    @classmethod
    def _name_publishers(cls, publishers: Any) -> Any:
        """Give each publisher the name of its section as its id."""
        if not isinstance(publishers, dict):
            return publishers
        return {
            name: {**publisher, "id": str(name)} if isinstance(publisher, dict) else publisher
            for name, publisher in publishers.items()
        }

    @field_validator("assets", mode="before")
    @classmethod
    def _name_sources(cls, assets: Any) -> Any:
        """Give each source and rate the asset that its section is of, and an id that is unique in a frame."""
        if not isinstance(assets, dict):
            return assets
        return {symbol: _named_asset(str(symbol), asset) for symbol, asset in assets.items()}

    @field_validator("funds", mode="before")
    @classmethod
    def _name_positions(cls, funds: Any) -> Any:
        """Give each position and supply the fund that its section is of, and an id that is unique in a frame."""
        if not isinstance(funds, dict):
            return funds
        return {name: _named_fund(str(name), fund) for name, fund in funds.items()}

    @model_validator(mode="after")
    def _references(self) -> Self:
        for problem in _problems(self):
            raise ValueError(problem)
        return self


def _named_asset(symbol: str, asset: Any) -> Any:
    if not isinstance(asset, dict):
        return asset
    named = dict(asset)
    if isinstance(named.get("sources"), list):
        named["sources"] = [
            {"asset": symbol, **source, "id": _within(symbol, source.get("id", source.get("group", index)))}
            if isinstance(source, dict)
            else source
            for index, source in enumerate(named["sources"])
        ]
    if isinstance(named.get("derived"), dict):
        named["derived"] = {**named["derived"], "id": f"{symbol}.derived"}
    if isinstance(named.get("native"), dict) and isinstance(named["native"].get("rate"), dict):
        rate = {**named["native"]["rate"], "id": f"{symbol}.native"}
        named["native"] = {**named["native"], "rate": rate}
    return named


def _named_fund(name: str, fund: Any) -> Any:
    if not isinstance(fund, dict):
        return fund
    named = dict(fund)
    if isinstance(named.get("positions"), list):
        named["positions"] = [
            _named_position(name, index, position) for index, position in enumerate(named["positions"])
        ]
    if isinstance(named.get("supply"), dict):
        named["supply"] = {**named["supply"], "id": f"{name}.supply"}
    if isinstance(named.get("vault"), dict):
        named["vault"] = {**named["vault"], "id": f"{name}.vault.state"}
    return named


def _within(section: str, name: object) -> str:
    """A reader's id: its section's name before its own, once (a configuration that was shown can be read again)."""
    text = str(name)
    return text if text.startswith(f"{section}.") else f"{section}.{text}"


def _named_position(fund: str, index: int, position: Any) -> Any:
    if not isinstance(position, dict):
        return position
    named = {**position, "id": _within(fund, position.get("id", index))}
    return {"fund": fund, **named} if position.get("kind") in _FUND_KINDS else named


def _problems(config: Config) -> list[str]:
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
