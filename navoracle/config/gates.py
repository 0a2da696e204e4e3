"""A fund's NAV gate: how far its NAV may fall, how old it may be, and what is not done then."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Annotated, Final, Literal, Self

from pydantic import Field, model_validator

from navoracle.config.base import Name, Seconds, Section
from navoracle.domain.risk.gates import Stop
from navoracle.domain.units import WAD
from navoracle.readers import DecimalWad

if TYPE_CHECKING:
    from navoracle.config.funds import FundSection

_SETTLING: Final[tuple[Stop, ...]] = ("settlements", "deposits")
"""What only a fund has whose settlements go through the keeper."""

Fall = Annotated[DecimalWad, Field(gt=0, lt=WAD)]


class GateSection(Section):
    """A fund's NAV gate: how far its NAV may fall, how old it may be, and what a veto stops. Falls are in quotes.

    What it does must be said: the limits (null is "not limited"), what a stale NAV does, and what a veto stops.

    Attributes:
        max_drawdown: fall of the price per share from its peak above which the gate vetoes; "0.1" is 10 %.
        max_day_loss: fall from the peak of the UTC day above which it vetoes.
        on_stale: what a NAV that is not fresh does: `fail_closed` is a veto, `fail_open` a warning.
        stops: what a veto stops: `posting`, `settlements` of the fund's vault, those that would take `deposits` in; the
            last two only where the fund has a `vault`, or a publisher whose posts are settled (lagoon).
        include_assets: the assets whose holdings count in its NAV; left out, all do. What is owed always counts.
        use_mark_price: whether balances at exchanges that are not cash count, at the frame's prices.
        max_balance_age: seconds since the oldest holding was read, above which the NAV is not fresh.
        max_mark_age: the same of the oldest live price.
        max_cache_age: the same of the oldest last valid price that a fallback rests on.
        peak_stale_seconds: after so long without a sound frame a peak is not believed, and rebuilt.
        min_history: sound frames that a peak is rebuilt from; with fewer, the NAV on chain is taken.
        history_seconds: how far back those frames may lie.
        reset_peak_on_testnet: whether the first sound frame of a process starts with its NAV as peak; only where the
            fund's chain says `testnet: true`.
    """

    max_drawdown: Fall | None
    max_day_loss: Fall | None
    on_stale: Literal["fail_closed", "fail_open"]
    stops: tuple[Stop, ...]
    include_assets: Annotated[tuple[Name, ...], Field(min_length=1)] | None = None
    use_mark_price: bool = True
    max_balance_age: Seconds = 900
    max_mark_age: Seconds = 3_600
    max_cache_age: Seconds = 900
    peak_stale_seconds: Annotated[int, Field(ge=7_200)] = 86_400
    min_history: Annotated[int, Field(ge=1, le=500)] = 12
    history_seconds: Annotated[int, Field(gt=0)] = 604_800
    reset_peak_on_testnet: bool = False

    @model_validator(mode="after")
    def _check(self) -> Self:
        for name, said in (("stops", self.stops), ("include_assets", self.include_assets or ())):
            twice = sorted({each for each in said if said.count(each) > 1})
            if twice:
                raise ValueError(f"`{name}` has {twice[0]} twice: name each once")
        return self


def gate_problems(name: str, fund: FundSection, known: Collection[str], *, settles: bool) -> list[str]:
    """What a fund's gate refers to, or would stop, and is not there, one sentence each, with its path.

    Args:
        known: the configured assets and the unit of account.
        settles: whether its publisher's posts are served by a settling call.
    """
    gate = fund.gate
    if gate is None:
        return []
    nothing = [] if settles or fund.vault is not None else [stop for stop in gate.stops if stop in _SETTLING]
    return [
        f"funds.{name}.gate.stops: {stop} cannot be stopped: the keeper settles nothing of this fund, which has "
        "neither a `vault` nor a publisher of kind lagoon; leave it out, or add the fund's `vault`"
        for stop in nothing
    ] + [
        f"funds.{name}.gate.include_assets: {asset} is not among assets"
        for asset in gate.include_assets or ()
        if asset not in known
    ]
