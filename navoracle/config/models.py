"""The configuration's shape. Every model forbids unknown keys; what is not said has the default written here.

Amounts and rates are decimal strings ("0.02" is 2 %), limits basis points, times seconds.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import Field, SecretStr, field_validator, model_validator

from navoracle.config.alerts import AlertsSection
from navoracle.config.assets import AssetSection, SeriesSection
from navoracle.config.base import BpsField, Name, Section
from navoracle.config.chains import ChainSection
from navoracle.config.funds import FundSection
from navoracle.config.naming import named_asset, named_fund
from navoracle.config.references import reference_problems
from navoracle.config.reporting import ReportingSection
from navoracle.config.service import BreakerSection, ServiceSection
from navoracle.config.services import CredentialSection, ExchangeSection, HttpSection
from navoracle.config.state_files import StateFilesSection
from navoracle.domain.units import Wad
from navoracle.publishers.peers import PeerModelUnion
from navoracle.readers import DecimalWad


class CadenceSection(Section):
    """When slots fall due, and what moves them.

    Attributes:
        volatility_limit: annualized; above it slots fall due every 15 minutes.
        weight_bps: of NAV: an asset of less moves no cadence.
        calm_hours: how long the faster cadence stays after the last volatile hour.
        oracle_move_bps: a move since the last slot that asks for an emergency.
        sample_seconds: between two samples of prices.
    """

    volatility_limit: DecimalWad = Wad(800_000_000_000_000_000)
    weight_bps: BpsField = 500
    calm_hours: Annotated[int, Field(ge=0)] = 24
    oracle_move_bps: BpsField = 500
    sample_seconds: Annotated[int, Field(gt=0)] = 60


class StoreSection(Section):
    """Where frames, slots and posts are kept: an SQLAlchemy URL.

    Attributes:
        url: `sqlite:///FILE` or `postgresql://USER:PASSWORD@HOST/NAME`; the second needs the extra `postgres`.
    """

    url: SecretStr = SecretStr("sqlite:///navoracle.db")


class LogSection(Section):
    """How the keeper speaks to its operator.

    Attributes:
        format: lines for people, or JSON.
        level: the least that is written.
    """

    format: Literal["console", "json"] = "console"
    level: Literal["debug", "info", "warning", "error"] = "info"


class Config(Section):
    """A whole configuration.

    Attributes:
        version: of this form of configuration.
        unit_of_account: what NAVs are counted in.
        home_chain: the chain whose block's timestamp is the time of every valuation.
        record_size: bytes of a fund in a post: 27 NAV and price per share, 40 with NAV before deposits, 92 with five
            components, 105 both.
        store: the database.
        log: what is written to standard error.
        cadence: when slots fall due.
        service: `navoracle run`.
        alerts: who is told.
        breakers: what stops by itself, and until when.
        reporting: a currency that NAVs are also told in.
        state_files: files with what frames found, for people and tools; none without it.
        chains: by a name of your own.
        recorded: recorded price series, for replays.
        http: how services are asked.
        credentials: what opens services, by a name of your own.
        exchanges: accounts at exchanges, by a name of your own.
        publishers: contracts of others that take a NAV, by a name of your own.
        assets: how each asset is priced, by its symbol.
        funds: what is valued, by a name of your own.
    """

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
    reporting: ReportingSection | None = None
    state_files: StateFilesSection | None = None
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
        return {symbol: named_asset(str(symbol), asset) for symbol, asset in assets.items()}

    @field_validator("funds", mode="before")
    @classmethod
    def _name_positions(cls, funds: Any) -> Any:
        """Give each position and supply the fund that its section is of, and an id that is unique in a frame."""
        if not isinstance(funds, dict):
            return funds
        return {name: named_fund(str(name), fund) for name, fund in funds.items()}

    @model_validator(mode="after")
    def _references(self) -> Self:
        for problem in reference_problems(self):
            raise ValueError(problem)
        return self
