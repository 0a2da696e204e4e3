"""A fund's risks, its gate, simulations and stress tests for people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from rich.console import Console

from navoracle.cli.output import duration, moment, money, plain, table
from navoracle.domain.risk.levels import RiskStatus
from navoracle.domain.units import WAD, Wad, format_wad

if TYPE_CHECKING:
    from navoracle.domain.frame import NavFrame
    from navoracle.domain.risk.gates import GateDecision
    from navoracle.domain.risk.report import DeltaRisk, LendingRisk, LimitRisk, MarginRisk, RiskReport
    from navoracle.risk.stress import StressRow

_STYLES: Final = {
    RiskStatus.SAFE: "green",
    RiskStatus.WARNING: "yellow",
    RiskStatus.URGENT: "red",
    RiskStatus.CRITICAL: "bold red",
}


def show_heading(out: Console, fund: str, frame: NavFrame) -> None:
    """Say what was looked at."""
    blocks = ", ".join(f"{stamp.chain} block {stamp.number}" for stamp in frame.stamps) or "no chain"
    out.print(f"[bold]{plain(fund)}[/] at {moment(frame.now)}, {plain(blocks)}")


def show_report(out: Console, report: RiskReport) -> None:
    """Draw the status, then each kind of risk, then the alerts with what to do."""
    out.print(f"risk {status_word(report.status)}")
    if report.lending:
        _show_loans(out, report.lending)
    if report.margin:
        _show_venues(out, report.margin)
    if report.delta is not None:
        _show_delta(out, report.delta)
    if report.limits:
        _show_limits(out, report.limits)
    for alert in report.alerts:
        out.print(f"[{_STYLES[alert.status]}]{plain(alert.name)}[/] {plain(alert.message)}")
        out.print(f"  advice: {plain(alert.advice)}")


def show_gate(out: Console, gate: GateDecision) -> None:
    """Draw what the gate went by and what it decides."""
    health = gate.health
    verdict = f"[red]{plain(', '.join(gate.vetoes))}[/]" if gate.vetoes else "[green]no veto[/]"
    stops = f", stops {', '.join(gate.stops)}" if gate.stops else ""
    out.print(f"gate {verdict}{stops}" + (f", warns of {', '.join(gate.warnings)}" if gate.warnings else ""))
    rows = table("price per share", "peak", "drawdown", "day's peak", "day's loss", "peak is", "NAV is")
    fresh = "fresh" if health.fresh else "not fresh"
    rows.add_row(
        money(health.price_per_share, 6),
        money(gate.peak, 6),
        part(gate.drawdown),
        money(gate.daily_peak, 6),
        part(gate.daily_loss),
        gate.peak_state.replace("_", " "),
        f"{health.nav_mode}, {fresh}" + ("" if health.sources_ok else ", on fallback prices"),
    )
    out.print(rows)
    ages = {"balances": health.balances_age, "prices": health.marks_age, "fallback prices": health.cache_age}
    said = ", ".join(f"{name} {duration(age)}" for name, age in ages.items() if age is not None)
    if said:
        out.print(f"ages: {said}")


def show_simulations(
    out: Console, drop: Wad, loans: Sequence[Mapping[str, Any]], venues: Sequence[Mapping[str, Any]]
) -> None:
    """Draw what is left of each loan after the fall, and what each exchange would take."""
    if loans:
        right = ("health factor", "loan-to-value", "repaid", "seized", "lost")
        rows = table("loan", "after the fall", *right, "then", right=right)
        for loan in loans:
            taken, scale = loan["liquidation"], loan["fallen"]["base_decimals"]
            rows.add_row(
                plain(loan["label"]),
                "[green]safe[/]" if taken is None else "[red]liquidated[/]",
                money(_int(loan["fallen"]["health_factor"]), 4),
                part(_int(loan["fallen"]["loan_to_value"])),
                *("-" if taken is None else _units(taken[name], scale) for name in ("repaid", "seized", "lost")),
                "-" if taken is None else f"health factor {money(_int(taken['after']['health_factor']), 4)}",
            )
        out.print(f"collateral falls by {part(drop)} against debt")
        out.print(rows)
    if venues:
        figures = ("balance", "exposure", "at stake")
        rows = table("exchange", "now", *figures, right=figures)
        for venue in venues:
            rows.add_row(
                plain(venue["venue"]),
                "[green]safe[/]" if venue["liquidation"] is None else "[red]liquidated[/]",
                *(
                    f"{money(_int(venue[name]))} {plain(venue['asset'])}"
                    for name in ("balance", "exposure", "at_stake")
                ),
            )
        out.print(rows)


def show_stress(out: Console, stress: Sequence[StressRow], unit: str) -> None:
    """Draw the table; what could not be computed has no NAV."""
    right = ("fall", "NAV", "per share", "change", "liquidations cost")
    rows = table("stress", "assets", *right, "liquidated", right=right)
    for row in stress:
        liquidated = [loan.label for loan in row.loans if loan.liquidation is not None]
        liquidated += [venue.venue for venue in row.venues if venue.liquidation is not None]
        cost = sum(loan.cost for loan in row.loans) + sum(venue.cost for venue in row.venues)
        rows.add_row(
            plain(row.name),
            plain(", ".join(row.assets)),
            part(row.fall),
            money(row.nav),
            money(row.nav_per_share, 6),
            part(row.change),
            "-" if row.nav is None else money(cost),
            plain(", ".join(liquidated) or "-"),
        )
    out.print(rows)
    out.print(f"in {plain(unit)}")


def part(ratio: int | None) -> str:
    """A Wad ratio as per cent."""
    if ratio is None:
        return "-"
    return f"{'-' if ratio < 0 else ''}{format_wad(abs(ratio) * 100, 2)} %"


def status_word(status: RiskStatus) -> str:
    """A status in its colour."""
    return f"[{_STYLES[status]}]{status.value.upper()}[/]"


def _int(text: str | None) -> int | None:
    return None if text is None else int(text)


def _units(text: str, decimals: int) -> str:
    """An amount of a loan in whole base units."""
    return money(int(text) * WAD // 10**decimals)


def _show_loans(out: Console, loans: Sequence[LendingRisk]) -> None:
    right = ("collateral", "debt", "loan-to-value", "target", "liquidation at", "health factor", "may fall by")
    rows = table("loan", "status", *right, right=right)
    for loan in loans:
        account = loan.account
        rows.add_row(
            plain(loan.label),
            status_word(loan.status),
            _units(str(account.collateral), account.base_decimals),
            _units(str(account.debt), account.base_decimals),
            part(account.loan_to_value),
            part(loan.target_ltv),
            part(account.liquidation_threshold),
            money(account.health_factor, 4),
            part(account.move_to_liquidation),
        )
    out.print(rows)


def _show_venues(out: Console, venues: Sequence[MarginRisk]) -> None:
    right = ("balance", "exposure", "margin ratio", "liquidation below", "free margin", "funding a year")
    rows = table("exchange", "status", *right, "in", right=right)
    for venue in venues:
        rows.add_row(
            plain(venue.venue),
            status_word(venue.status),
            money(venue.balance),
            money(venue.exposure),
            part(venue.margin_ratio),
            part(venue.maintenance_margin),
            money(venue.free_margin),
            money(venue.funding_per_year),
            plain(venue.asset),
        )
    out.print(rows)


def _show_delta(out: Console, delta: DeltaRisk) -> None:
    out.print(
        f"delta {status_word(delta.status)} {money(delta.net_delta, 4)} {plain(delta.unit)}, "
        f"target {money(delta.target, 4)}, drift {money(delta.drift, 4)} ({part(delta.drift_part)} of equity), "
        f"limit {part(delta.limit)}"
    )


def _show_limits(out: Console, limits: Sequence[LimitRisk]) -> None:
    rows = table("limit of the fund", "status", "figure", "limit", "of", right=("figure", "limit"))
    for limit in limits:
        rows.add_row(
            limit.name.replace("_", " "),
            status_word(limit.status),
            money(limit.value, 4),
            money(limit.limit, 4),
            plain(limit.subject or "-"),
        )
    out.print(rows)
