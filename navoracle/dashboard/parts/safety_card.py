"""What stops a fund, or is about to: breakers, the contract's band, falls from the peak, risks."""

from __future__ import annotations

from nicegui import ui

from navoracle.dashboard import formats
from navoracle.dashboard.parts.card import Card
from navoracle.dashboard.parts.elements import Text
from navoracle.dashboard.parts.facts import Facts
from navoracle.dashboard.reasons import explained, why
from navoracle.dashboard.words import BREAKER_TONES, FALL_TONES, REGIME_TONES, RISK_TONES, tone_of
from navoracle.read_model.fund import FundDetail

ALL_BPS = 10_000


class SafetyCard:
    """The card."""

    def __init__(self) -> None:
        with Card("safety", "Safety", "half"):
            self._facts = Facts(
                "Contract", "Breaker", "Risk", "Health factor", "Drawdown", "Daily loss", "ATR ratio", "Gate"
            )
            with ui.element("div").classes("gauge"):
                Text("h3", "Part of the contract's band that the next post would use")
                self._meter = Text(
                    "meter", "", min="0", max=str(ALL_BPS), low="6000", high="9000", optimum="0", aria_label="Band used"
                )
                self._used = Text("p", "n/a", "note")

    def show(self, detail: FundDetail) -> None:
        """Show a fund."""
        self._show_breakers(detail)
        self._show_contract(detail)
        self._show_risk(detail)
        self._show_falls(detail)
        self._show_range(detail)
        self._show_band(detail)

    def _show_contract(self, detail: FundDetail) -> None:
        served = detail.on_chain
        if served is None:
            self._facts.say("Contract", None, why=detail.unknown.get("/on_chain", ""))
        elif served.held or not served.live:
            self._facts.say("Contract", "holds the fund" if served.held else "has closed the fund", tone="bad")
        else:
            self._facts.say("Contract", "serves its value", tone="good")

    def _show_risk(self, detail: FundDetail) -> None:
        document, status = detail.documents.risk, detail.fund.risk_status
        if document is None or not document.configured:
            missing = detail.documents.unknown.get("/risk", "") if document is None else "no_risk_monitor"
            self._facts.say("Risk", None, why=explained(missing))
            self._facts.say("Health factor", None, why=explained(missing))
            return
        self._facts.say("Risk", status, tone=tone_of(RISK_TONES, status))
        loans = [(each.health_factor, each) for each in document.lending if each.health_factor is not None]
        if not loans:
            self._facts.say("Health factor", None, why="nothing is owed, or it could not be read")
            return
        factor, loan = min(loans, key=lambda pair: formats.rounded(pair[0], 18))
        tone = tone_of(RISK_TONES, loan.health_factor_status)
        self._facts.say(
            "Health factor", f"{formats.amount(factor, 4)}: {loan.health_factor_status}", title=loan.watch, tone=tone
        )

    def _show_breakers(self, detail: FundDetail) -> None:
        worst = min(detail.breakers, key=lambda each: ("open", "half_open", "closed").index(each.state))
        text = formats.word(worst.state)
        if worst.state != "closed":
            text += f": {worst.kind} {worst.name}: {'; '.join(worst.reasons)}"
        self._facts.say("Breaker", text, tone=tone_of(BREAKER_TONES, worst.state))

    def _show_falls(self, detail: FundDetail) -> None:
        synced, gate = detail.documents.synced_state, detail.gate
        kpis = detail.documents.kpis
        diagnostics = None if synced is None or not synced.gate.configured else synced.gate.diagnostics
        state = "unknown" if kpis is None else kpis.risk.dd_state
        for name, fall in (
            ("Drawdown", None if diagnostics is None else diagnostics.drawdown),
            ("Daily loss", None if diagnostics is None else diagnostics.daily_loss),
        ):
            if fall is None or fall.value is None:
                self._facts.say(name, None, why="no gate" if diagnostics is None else "no peak yet")
                continue
            limit = "no limit" if fall.limit is None else f"limit {formats.percent(fall.limit)}"
            told = f"{formats.percent(fall.value)} ({limit})"
            self._facts.say(name, told, tone=tone_of(FALL_TONES, state) if name == "Drawdown" else None)
        if gate is None:
            self._facts.say("Gate", None, why="no gate")
        elif gate.vetoes:
            stops = f" stops {', '.join(map(formats.word, gate.stops))}" if gate.stops else ""
            self._facts.say("Gate", f"{', '.join(map(formats.word, gate.vetoes))}{stops}", tone="bad")
        elif gate.warnings:
            self._facts.say("Gate", ", ".join(map(formats.word, gate.warnings)), tone="warning")
        else:
            self._facts.say("Gate", "no veto", tone="good")

    def _show_range(self, detail: FundDetail) -> None:
        kpis = detail.documents.kpis
        if kpis is None:
            self._facts.say("ATR ratio", None, why=explained(detail.documents.unknown.get("/kpis", "")))
        elif kpis.risk.atr_ratio is None:
            self._facts.say("ATR ratio", None, why=why(kpis.unknown, "risk", "atr_ratio"))
        else:
            told = f"{formats.amount(kpis.risk.atr_ratio, 3)}: {formats.word(kpis.risk.atr_regime)}"
            self._facts.say("ATR ratio", told, tone=tone_of(REGIME_TONES, kpis.risk.atr_regime))

    def _show_band(self, detail: FundDetail) -> None:
        distance = detail.guard_distance
        if distance is None:
            self._meter.set_attribute("value", "0")
            self._meter.classes(replace="visually-hidden")
            self._used.say(f"n/a: {detail.unknown.get('/guard_distance', 'nothing to compare')}")
            return
        self._meter.classes(replace="")
        self._meter.set_attribute("value", str(min(ALL_BPS, distance.used_bps)))
        beyond = "" if distance.within else ": the contract would hold it"
        self._used.say(
            f"{formats.basis_points(distance.used_bps)} used, bound by the {distance.binds}'s limit{beyond}. "
            f"Step {_tenths(distance.step)} of {_tenths(distance.step_limit)}, "
            f"day {_tenths(distance.day)} of {_tenths(distance.day_limit)}."
        )


def _tenths(tenths_of_bps: int) -> str:
    """Tenths of a basis point as percent, exactly."""
    sign, whole = "-" if tenths_of_bps < 0 else "", abs(tenths_of_bps)
    return f"{sign}{whole // 1_000}.{whole % 1_000:03d} %"
