"""The configuration's shape. Every model forbids unknown keys; what is not said has the default written here.

Amounts and rates are decimal strings ("0.02" is 2 %), limits basis points, times seconds.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal, Self, get_args

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator

from navoracle.domain.units import Wad
from navoracle.ports import Address
from navoracle.positions import PositionModel, SupplyModel
from navoracle.prices import Rate, Source
from navoracle.readers import ChecksumAddress, DecimalWad
from navoracle.redaction import host_of, redact_url

MULTICALL3 = "0xcA11bde05977b3631167028862bE2a173976CA11"

Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$")]
BpsField = Annotated[int, Field(ge=0, le=10_000)]
Seconds = Annotated[int, Field(ge=0)]
Pinning = Literal["auto", "hash", "number"]
ExchangeCredential = Literal[
    "apiKey", "secret", "password", "uid", "login", "token", "twofa", "accountId", "walletAddress", "privateKey"
]
"""The fields in which ccxt takes what opens an account."""


_FUND_KINDS = frozenset(
    get_args(model.model_fields["kind"].annotation)[0]
    for model in get_args(get_args(PositionModel)[0])
    if "fund" in model.section_fields
)
"""Kinds of positions that are told which fund they belong to."""


class Section(BaseModel):
    """A part of the configuration: frozen, and closed to unknown keys."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class SignerSection(Section):
    """Where the poster's key comes from."""

    key_file: Path


class EndpointSection(Section):
    """One node of a chain: its URL (http, https, ws or wss), who runs it, and what it may be asked.

    Nodes of one operator count once towards the quorum; unless it is named, the operator is the URL's host. `pin` says
    how reads are pinned on this node where it differs from the chain's.
    """

    url: SecretStr
    operator: Name | None = None
    requests_per_second: Annotated[int, Field(gt=0, le=10_000)] | None = None
    concurrency: Annotated[int, Field(gt=0, le=256)] = 8
    pin: Pinning | None = None

    @property
    def operated_by(self) -> str:
        """Who runs it."""
        return self.operator or host_of(self.url.get_secret_value())


class SequencerSection(Section):
    """The uptime feed of a rollup's sequencer; while it is down, and `grace` seconds after, the chain is not read."""

    feed: ChecksumAddress
    grace: Seconds = 3_600


class ChainSection(Section):
    """One chain: its nodes, finality rule, registry and signer.

    `rpc` is short for one endpoint. `quorum` operators must agree: 2 where there are two or more, unless it says
    otherwise. A node may lie `max_lag` blocks behind the others, and its head `max_head_age` seconds behind the clock.
    """

    chain_id: Annotated[int, Field(gt=0)]
    rpc: SecretStr | None = None
    endpoints: tuple[EndpointSection, ...] = ()
    quorum: Annotated[int, Field(ge=1)] | None = None
    max_lag: Annotated[int, Field(ge=0, le=10_000)] = 5
    max_head_age: Annotated[int, Field(gt=0)] = 900
    finality: Literal["confirmations", "safe", "finalized"] = "confirmations"
    confirmations: Annotated[int, Field(ge=0, le=10_000)] = 2
    pin: Pinning = "auto"
    multicall: ChecksumAddress = Address(MULTICALL3)
    sequencer: SequencerSection | None = None
    registry: ChecksumAddress | None = None
    signer: SignerSection | None = None
    max_fee_gwei: Annotated[int, Field(gt=0)] = 200
    timeout: Annotated[int, Field(gt=0, le=600)] = 20

    @property
    def nodes(self) -> tuple[EndpointSection, ...]:
        """Its endpoints, however they are written."""
        return self.endpoints if self.rpc is None else (EndpointSection(url=self.rpc),)

    @model_validator(mode="after")
    def _reachable(self) -> Self:
        if (self.rpc is None) == (not self.endpoints):
            raise ValueError("give either `rpc` (one URL) or `endpoints` (a list of `url`), and not both")
        urls = [endpoint.url.get_secret_value() for endpoint in self.endpoints]
        for index, url in enumerate(urls):
            if url in urls[:index]:
                raise ValueError(f"endpoints.{index}: the same URL is listed before ({redact_url(url)}); remove one")
        operators = {endpoint.operated_by for endpoint in self.nodes}
        if self.quorum is not None and self.quorum > len(operators):
            raise ValueError(
                f"quorum is {self.quorum} and there are {len(operators)} operators of endpoints: it could never be "
                "reached; add endpoints of other operators (or name their `operator`), or lower the quorum"
            )
        return self


class SeriesSection(Section):
    """A recorded price series: a CSV of `timestamp,price` or `timestamp,open,high,low,close,volume`."""

    file: Path
    step: Annotated[int, Field(gt=0)] | None = None


class CredentialSection(Section):
    """A header that opens an HTTP service: its name, and its value out of the environment ("${KEY}")."""

    header: Annotated[str, Field(pattern=r"^[A-Za-z0-9-]+$")]
    value: SecretStr


class HttpSection(Section):
    """How HTTP services are asked: seconds for a whole request, and the pace at which one host is asked."""

    deadline: Annotated[int, Field(gt=0, le=120)] = 10
    concurrency: Annotated[int, Field(gt=0, le=64)] = 4
    per_second: Annotated[int, Field(gt=0, le=100)] = 5


class ExchangeSection(Section):
    """An exchange by ccxt's name, the credential fields that it wants ("apiKey", "secret", ...), and its options."""

    id: Annotated[str, Field(pattern="^[a-z0-9]+$")]
    credentials: dict[ExchangeCredential, SecretStr] = {}
    options: dict[str, str | int | bool] = {}
    sandbox: bool = False
    deadline: Annotated[int, Field(gt=0, le=600)] = 30


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
    post_estimated: bool = True


class FundSection(Section):
    """One fund: its number on the registry, what it holds and owes, its shares, fees and limits."""

    id: Annotated[int, Field(ge=0, le=65_535)]
    chain: Name | None = None
    supply: SupplyModel
    positions: Annotated[tuple[PositionModel, ...], Field(min_length=1)]
    fees: FeesSection = FeesSection()
    guards: GuardsSection = GuardsSection()


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
    chains: dict[Name, ChainSection] = {}
    recorded: dict[Name, SeriesSection] = {}
    http: HttpSection = HttpSection()
    credentials: dict[Name, CredentialSection] = {}
    exchanges: dict[Name, ExchangeSection] = {}
    assets: dict[Name, AssetSection]
    funds: Annotated[dict[Name, FundSection], Field(min_length=1)]

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
    problems += _unknown_services(config)
    problems += _repeated_ids(config)
    ids: dict[tuple[str | None, int], str] = {}
    for name, fund in config.funds.items():
        other = ids.setdefault((fund.chain, fund.id), name)
        if other != name:
            problems.append(f"funds.{name}.id: {fund.id} is also the id of {other}")
        chains = [fund.chain, fund.supply.chain, *(position.chain for position in fund.positions)]
        problems += _unknown_chains(f"funds.{name}", chains, config)
        needs = [asset for position in fund.positions for asset, _ in position.assets]
        problems += [f"funds.{name}: {need} is not among assets" for need in needs if need not in known]
    return problems


def _unknown_services(config: Config) -> list[str]:
    """Credentials and exchanges that readers name and nobody configured, and prices in another currency than said."""
    problems: list[str] = []
    places: list[tuple[str, Any]] = [
        (f"assets.{symbol}.sources.{index}", source)
        for symbol, asset in config.assets.items()
        for index, source in enumerate(asset.sources)
    ]
    for place, source in places:
        stated = getattr(source, "quote_currency", None)
        meant = config.unit_of_account if source.quoted_in is None else source.quoted_in
        if stated is not None and stated != meant:
            problems.append(f"{place}: its price is in {stated}, not in {meant}: write `quoted_in: {stated}`")
    places += [
        (f"funds.{name}.positions.{index}", position)
        for name, fund in config.funds.items()
        for index, position in enumerate(fund.positions)
    ]
    for place, reader in places:
        for field, known in (("credential", config.credentials), ("exchange", config.exchanges)):
            named = getattr(reader, field, None)
            if named is not None and named not in known:
                problems.append(f"{place}.{field}: {named} is not among {field}s")
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
