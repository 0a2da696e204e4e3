"""A replay of a whole configuration: what it may read, when it runs, and the registry that its funds are posted to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, Literal

from eth_utils.address import to_checksum_address

from navoracle.composition.embedded import CHAIN_ID, SETUP_SECONDS, FundOpening
from navoracle.composition.off_chain import load_recorded
from navoracle.composition.system import open_system
from navoracle.config.chains import ChainSection
from navoracle.config.models import Config
from navoracle.domain.cadence import HOUR, Cadence
from navoracle.domain.errors import UsageError
from navoracle.domain.units import Timestamp
from navoracle.keeper.frame import run_frame
from navoracle.ports import Address
from navoracle.recorded.series import Series
from navoracle.replay.clock import ReplayClock
from navoracle.replay.setup import CHAIN

_REPLAYED: Final = frozenset(
    {
        "recorded",
        "recorded_lending",
        "declared",
        "declared_at_cost",
        "declared_accrual",
        "declared_margin_call",
        "declared_margin",
        "fixed",
    }
)
"""Kinds of readers that a replay has the past of."""

_FIRST_VAULT: Final = 0xF000


@dataclass(frozen=True, slots=True)
class ConfiguredReplay:
    """A configuration that can be replayed; it posts nowhere until `posting_to`.

    Attributes:
        openings: what the registry is to hold of each fund at first; empty where nothing is posted.
    """

    config: Config
    series: Mapping[str, Series]
    openings: tuple[FundOpening, ...]
    start: Timestamp
    end: Timestamp

    @property
    def sample_seconds(self) -> int:
        """How often the sampler runs."""
        return self.config.cadence.sample_seconds

    def posting_to(self, registry: Address) -> ConfiguredReplay:
        """The same with every fund posted to a registry on the embedded chain."""
        section = ChainSection.model_validate(
            {"chain_id": CHAIN_ID, "rpc": "http://embedded.invalid", "confirmations": 0, "registry": registry}
        )
        funds = {name: fund.model_copy(update={"chain": CHAIN}) for name, fund in self.config.funds.items()}
        update: dict[str, Any] = {"home_chain": CHAIN, "chains": {CHAIN: section}, "funds": funds}
        return replace(self, config=self.config.model_copy(update=update))


async def prepare_configuration(
    config: Config,
    *,
    start: Timestamp | None,
    end: Timestamp | None,
    chain: Literal["embedded", "none"],
    sample_seconds: int | None = None,
) -> ConfiguredReplay:
    """See whether a configuration can be replayed, when, and what its funds are worth at the start.

    Args:
        start: the first full hour at which every series has begun when None.
        end: the last row of any series when None.
        chain: where posts go.
        sample_seconds: instead of the configuration's.

    Raises:
        UsageError: it reads what is not recorded, a series cannot be read, the times are wrong, or a fund cannot be
            valued at the start.
    """
    for problem in _problems(config, posts=chain == "embedded"):
        raise UsageError(
            problem, advice="A replay reads recorded series and what is declared; docs/running.md says which kinds."
        )
    bare = config.model_copy(
        update={
            "home_chain": None,
            "chains": {},
            "funds": {name: fund.model_copy(update={"chain": None}) for name, fund in config.funds.items()},
            "cadence": config.cadence.model_copy(
                update={} if sample_seconds is None else {"sample_seconds": sample_seconds}
            ),
        }
    )
    series = load_recorded(bare)
    first, last = _times(series, start, end)
    openings = await _openings(bare, first) if chain == "embedded" else ()
    return ConfiguredReplay(bare, series, openings, first, last)


def _problems(config: Config, *, posts: bool) -> Iterator[str]:
    for place, kind in _readers(config):
        if kind not in _REPLAYED:
            yield f"{place}: of {kind} nothing is recorded"
    for name, fund in config.funds.items():
        if fund.publisher is not None:
            yield f"funds.{name}.publisher: a replay posts to a registry of its own, and to no other contract"
        if fund.vault is not None:
            yield f"funds.{name}.vault: of a vault nothing is recorded"
    ids = [fund.id for fund in config.funds.values()]
    if posts and len(set(ids)) != len(ids):
        yield "two funds have one id, on registries of their own: replay with --chain none"


def _readers(config: Config) -> Iterator[tuple[str, str]]:
    """Everything that the configuration reads, by its path, with its kind."""
    for symbol, asset in config.assets.items():
        place = f"assets.{symbol}"
        yield from ((f"{place}.sources.{index}", source.kind) for index, source in enumerate(asset.sources))
        if asset.derived is not None:
            yield f"{place}.derived", asset.derived.kind
        if asset.native is not None:
            yield f"{place}.native.rate", asset.native.rate.kind
    for name, fund in config.funds.items():
        yield f"funds.{name}.supply", "fixed" if fund.supply.kind == "fixed" else f"a supply of kind {fund.supply.kind}"
        yield from ((f"funds.{name}.positions.{index}", position.kind) for index, position in enumerate(fund.positions))
        for key, index, account in () if fund.risk is None else fund.risk.accounts:
            yield f"funds.{name}.risk.{key}.{index}.account", account.kind


def _times(series: Mapping[str, Series], start: Timestamp | None, end: Timestamp | None) -> tuple[Timestamp, Timestamp]:
    if not series and (start is None or end is None):
        raise UsageError("the configuration has no recorded series", advice="Give --start and --end.")
    if start is None:
        begun = max(one.start for one in series.values())
        start = Timestamp(-(-begun // HOUR) * HOUR)
    if end is None:
        end = max(one.end for one in series.values())
    if end <= start:
        raise UsageError(
            f"the replay ends at {end}, before its first slot at {start}",
            advice="The series are too short, or --start and --end are the wrong way round.",
        )
    return start, end


async def _openings(config: Config, start: Timestamp) -> tuple[FundOpening, ...]:
    """What each fund is worth at the start, by a frame that is not recorded."""
    system = await open_system(config, clock=ReplayClock(start), store=None, services=False)
    plan = await system.planner.slot(config.funds, start, Cadence.HOURLY, publish=False, now=start)
    frame = await run_frame(replace(plan, stop_after="guard"), system.ports)
    openings = []
    for name, fund in config.funds.items():
        found = frame.fund(name)
        if found.valuation is None or found.valuation.after.nav <= 0:
            why = found.reason if found.valuation is None else "its NAV is not positive"
            raise UsageError(
                f"funds.{name} cannot be valued at {start}, where the replay begins: {why}",
                advice="Give another --start, or --chain none: nothing is posted then, so nothing needs a first value.",
            )
        openings.append(
            FundOpening(
                fund_id=fund.id,
                vault=Address(to_checksum_address(f"0x{_FIRST_VAULT + fund.id:040x}")),
                nav=found.valuation.after.nav,
                price_per_share=found.valuation.price_per_share,
                valuation_time=Timestamp(start - SETUP_SECONDS),
            )
        )
    return tuple(openings)
