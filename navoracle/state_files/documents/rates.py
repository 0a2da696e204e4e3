"""The reporting currency: what one unit of account is worth in it, how old that is, and whether it is a fallback."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal

from pydantic import WithJsonSchema

from navoracle.domain.prices import PriceEstimate, PriceStatus
from navoracle.domain.units import WAD, Rounding, Timestamp, Wad, mul_div
from navoracle.state_files.facts import Facts
from navoracle.state_files.values import DECIMAL_PATTERN, Unknown, escaped

RateSource = Literal["live", "last_valid", "fallback", "unknown"]

_NULLABLE_DECIMAL: Final = {"anyOf": [{"type": "string", "pattern": DECIMAL_PATTERN}, {"type": "null"}]}

FxSection = Annotated[
    dict[str, Any],
    WithJsonSchema(
        {
            "type": "object",
            "description": "The reporting currency.",
            "properties": {
                "currency": {"type": "string", "description": "The reporting currency."},
                "rate": {
                    **_NULLABLE_DECIMAL,
                    "description": "Units of the currency for one of account: 1 / its price, rounded down. It stands "
                    "under its pair too, for example `usd_zar`.",
                },
                "source": {
                    "enum": ["live", "last_valid", "fallback", "unknown"],
                    "description": "Whether the price is live, the last valid one, or there is none and the "
                    "configured rate stands in.",
                },
                "fallback": {"type": "boolean", "description": "Whether the configured rate stands in for a price."},
                "reason": {"type": "string", "description": "Why there is no live price; empty where there is."},
                "as_of": {
                    "anyOf": [{"type": "integer"}, {"type": "null"}],
                    "description": "The oldest observation that the price rests on, in Unix seconds.",
                },
                "age_s": {
                    "anyOf": [{"type": "integer"}, {"type": "null"}],
                    "description": "Seconds from `as_of` to the writing of the file.",
                },
            },
            "patternProperties": {"^(?!as_of$|age_s$).+_.+$": _NULLABLE_DECIMAL},
            "required": ["currency", "rate", "source", "fallback", "reason", "as_of", "age_s"],
            "additionalProperties": False,
        }
    ),
]
"""The currency's rate; it stands under the name of its pair too ("usd_zar")."""


@dataclass(frozen=True, slots=True)
class Rate:
    """Units of the reporting currency for one of account (Wad); None where it is not known, and `reason` says why."""

    rate: Wad | None
    source: RateSource
    as_of: Timestamp | None
    reason: str

    def of(self, amount: int) -> int | None:
        """The amount (Wad) in the currency: amount x rate, rounded down."""
        return None if self.rate is None else mul_div(amount, self.rate, WAD, Rounding.DOWN)

    def split(self, amounts: Sequence[int]) -> list[int | None]:
        """The amounts in the currency, each within one unit of the last place of its own, and exact in their sum."""
        found: list[int | None] = []
        total = 0
        for amount in amounts:
            before, after = self.of(total), self.of(total + amount)
            found.append(None if before is None or after is None else after - before)
            total += amount
        return found


UNSTATED: Final = Rate(None, "unknown", None, "no_reporting_currency")


def rate_of(facts: Facts) -> Rate:
    """The rate at the frame: 1 / the price of the currency's asset, before any haircut."""
    said = facts.view.reporting
    if said is None:
        return UNSTATED
    estimate = None if facts.frame is None else facts.frame.estimates.get((said.asset, "asset"))
    price = None if estimate is None else estimate.undecayed_price or estimate.price
    if estimate is not None and price is not None and estimate.price is not None:
        live = estimate.status is PriceStatus.LIVE
        rate = Wad(mul_div(WAD, WAD, price, Rounding.DOWN))
        return Rate(rate, "live" if live else "last_valid", estimate.as_of, "" if live else _why(estimate))
    reason = "no_frame" if facts.frame is None else _why(estimate)
    if said.fallback is None:
        return Rate(None, "unknown", None, reason)
    return Rate(said.fallback, "fallback", None, reason)


def _why(estimate: PriceEstimate | None) -> str:
    return "not_priced" if estimate is None else estimate.reason or "no_price"


def fx_section(facts: Facts, rate: Rate, unknown: Unknown) -> dict[str, Any] | None:
    """What is said of the rate; None without a reporting currency."""
    said = facts.view.reporting
    if said is None:
        return unknown.other("/fx", None, UNSTATED.reason)
    pair = f"{facts.view.unit}_{said.currency}".lower()
    age = None if rate.as_of is None else facts.now - rate.as_of
    return {
        pair: unknown.wad(f"/fx/{escaped(pair)}", rate.rate, rate.reason),
        "currency": said.currency,
        "rate": unknown.wad("/fx/rate", rate.rate, rate.reason),
        "source": rate.source,
        "fallback": rate.source == "fallback",
        "reason": rate.reason,
        "as_of": unknown.other("/fx/as_of", rate.as_of, rate.reason),
        "age_s": unknown.other("/fx/age_s", age, rate.reason),
    }
