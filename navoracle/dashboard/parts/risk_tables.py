"""The risk monitor's tables: loans, exchanges, delta, limits, and what could not be read."""

from __future__ import annotations

from typing import Any, Final

from navoracle.dashboard import formats
from navoracle.dashboard.parts.card import Card
from navoracle.dashboard.parts.elements import Text
from navoracle.dashboard.parts.facts import Facts
from navoracle.dashboard.parts.records import Column, Records, exact, toned, unknown
from navoracle.dashboard.reasons import why
from navoracle.dashboard.words import RISK_TONES, tone_of
from navoracle.state_files.documents.risk import DeltaEntry, LimitEntry, RiskDocument
from navoracle.state_files.documents.risk_accounts import LendingEntry, MarginEntry

_LENDING: Final = (
    Column("watch", "Account", head=True),
    Column("status", "Status"),
    Column("ltv", "LTV", "number"),
    Column("factor", "Health factor", "number"),
    Column("move", "Move to liquidation", "number"),
    Column("collateral", "Collateral", "number"),
    Column("debt", "Debt", "number"),
    Column("target", "LTV target", "number"),
    Column("most", "LTV maximum", "number"),
    Column("threshold", "Threshold", "number"),
)
_LOANS: Final = (
    "LTV is debt over collateral. The move to liquidation is how far collateral may fall against debt until the health "
    "factor is 1; from the threshold on the account can be liquidated, and the liquidator takes the bonus."
)
_MARGIN: Final = (
    Column("watch", "Account", head=True),
    Column("status", "Status"),
    Column("balance", "Balance", "number"),
    Column("exposure", "Exposure", "number"),
    Column("ratio", "Margin ratio", "number"),
    Column("required", "Required", "number"),
    Column("free", "Free", "number"),
    Column("buffer", "Buffer to liquidation", "number"),
    Column("funding", "Funding a year", "number"),
)
_LIMITS: Final = (
    Column("name", "Limit", head=True),
    Column("status", "Status"),
    Column("value", "Now", "number"),
    Column("limit", "May be", "number"),
)
_FAILURES: Final = (
    Column("reader", "What", head=True),
    Column("code", "Code"),
    Column("message", "What is wrong"),
    Column("advice", "What to do"),
)
_DELTA: Final = ("Status", "Net delta", "Target", "Drift", "Equity", "Drift of equity", "Critical from")


class RiskTables:
    """The cards."""

    def __init__(self) -> None:
        with Card("lending", "Loans"):
            Text("p", _LOANS, "note")
            self._lending = Records(_LENDING, caption="Loans", empty="No account at a lender is watched.")
        with Card("margin", "Exchanges"):
            self._margin = Records(_MARGIN, caption="Exchanges", empty="No account at an exchange is watched.")
        with Card("delta", "Delta", "half"):
            self._delta = Facts(*_DELTA)
        with Card("limits", "Limits of the fund", "half"):
            self._limits = Records(_LIMITS, caption="Limits", empty="No such limit is watched.")
        with Card("failures", "What could not be read or computed"):
            self._failures = Records(_FAILURES, caption="Failures", empty="Everything that is watched could be read.")

    def show(self, found: RiskDocument) -> None:
        """Show a risk report."""
        self._lending.show([lending_row(each, at, found) for at, each in enumerate(found.lending)])
        self._margin.show([margin_row(each, at, found) for at, each in enumerate(found.margin)])
        self._limits.show([_limit(each, at, found) for at, each in enumerate(found.limits)])
        self._failures.show(
            [
                {
                    "key": str(at),
                    "reader": each.reader,
                    "code": each.code,
                    "message": each.message,
                    "advice": each.advice,
                }
                for at, each in enumerate(found.failures)
            ]
        )
        self._show_delta(found.delta, found)

    def _show_delta(self, delta: DeltaEntry | None, found: RiskDocument) -> None:
        facts = self._delta
        if delta is None:
            for name in _DELTA:
                facts.say(name, None, why=why(found.unknown, "delta"))
            return
        facts.say("Status", delta.status, tone=tone_of(RISK_TONES, delta.status))
        for name, amount in (
            ("Net delta", delta.net_delta),
            ("Target", delta.target),
            ("Drift", delta.drift),
            ("Equity", delta.equity),
        ):
            facts.say(name, f"{formats.units(amount)} {delta.unit}", title=amount)
        drift = delta.drift_pct
        facts.say(
            "Drift of equity",
            None if drift is None else formats.percent(drift),
            why=why(found.unknown, "delta", "drift_pct"),
        )
        facts.say("Critical from", formats.percent(delta.limit))


def lending_row(each: LendingEntry, at: int, found: RiskDocument) -> dict[str, Any]:
    """A loan; its two statuses stand beside the figures that they judge."""

    def reason(name: str) -> str:
        return why(found.unknown, "lending", at, name)

    ltv, factor, move = each.ltv, each.health_factor, each.move_to_liquidation
    return {
        "key": each.watch,
        "watch": {"text": each.watch, "note": formats.word(each.protocol)},
        "status": toned(each.status, tone_of(RISK_TONES, each.status)),
        "collateral": exact(formats.amount(each.collateral), each.collateral),
        "debt": exact(formats.amount(each.debt), each.debt),
        "ltv": unknown(reason("ltv"))
        if ltv is None
        else toned(formats.percent(ltv), tone_of(RISK_TONES, each.ltv_status), each.ltv_status),
        "target": formats.percent(each.target_ltv),
        "most": formats.percent(each.max_ltv),
        "threshold": {
            "text": formats.percent(each.liquidation_threshold),
            "note": f"bonus {formats.percent(each.liquidation_bonus)}",
        },
        "factor": unknown(reason("health_factor"))
        if factor is None
        else toned(
            formats.amount(factor, 4), tone_of(RISK_TONES, each.health_factor_status), each.health_factor_status
        ),
        "move": unknown(reason("move_to_liquidation")) if move is None else formats.percent(move),
    }


def margin_row(each: MarginEntry, at: int, found: RiskDocument) -> dict[str, Any]:
    """An account at an exchange."""

    def reason(name: str) -> str:
        return why(found.unknown, "margin", at, name)

    def money(amount: str) -> dict[str, Any]:
        return exact(f"{formats.amount(amount)} {each.asset}", amount)

    ratio, buffer, funding = each.margin_ratio, each.buffer_to_liquidation, each.funding_per_year
    return {
        "key": each.watch,
        "watch": {"text": each.watch, "note": each.venue},
        "status": toned(each.status, tone_of(RISK_TONES, each.status)),
        "balance": money(each.balance),
        "exposure": money(each.exposure),
        "ratio": {
            **(unknown(reason("margin_ratio")) if ratio is None else {"text": formats.percent(ratio)}),
            "note": f"liquidated at {formats.percent(each.maintenance_margin)}",
        },
        "required": money(each.required_margin),
        "free": money(each.free_margin),
        "buffer": unknown(reason("buffer_to_liquidation")) if buffer is None else formats.percent(buffer),
        "funding": unknown(reason("funding_per_year")) if funding is None else money(funding),
    }


def _limit(each: LimitEntry, at: int, found: RiskDocument) -> dict[str, Any]:
    def shown(figure: str) -> str:
        return f"{formats.amount(figure)} times" if each.name == "leverage" else formats.percent(figure)

    subject = f" to {each.subject}" if each.subject else ""
    return {
        "key": f"{each.name}{subject}",
        "name": f"{formats.word(each.name)}{subject}",
        "status": toned(each.status, tone_of(RISK_TONES, each.status)),
        "value": unknown(why(found.unknown, "limits", at, "value"))
        if each.value is None
        else exact(shown(each.value), each.value),
        "limit": shown(each.limit),
    }
