"""Frames for people: components, verdicts, prices with their votes and exclusions."""

from __future__ import annotations

from rich.console import Console

from navoracle.cli.output import moment, money, percent, plain, table
from navoracle.domain.failures import Failure
from navoracle.domain.frame import FundFrame, NavFrame
from navoracle.domain.guards import sentence
from navoracle.domain.prices import PriceEstimate
from navoracle.domain.verdicts import Outcome

_STYLES = {"live": "green", "verified": "green", "estimated": "yellow"}


def show_frame(out: Console, frame: NavFrame, unit: str) -> None:
    """Draw a frame: each fund, then the prices, then what failed."""
    blocks = ", ".join(f"{stamp.chain} block {stamp.number}" for stamp in frame.stamps) or "no chain"
    out.print(f"[bold]NAV[/] at {moment(frame.now)}, {plain(blocks)}, frame {frame.id}")
    for part in frame.funds:
        out.print()
        show_fund(out, part, unit)
    out.print()
    show_prices(out, frame)
    show_failures(out, (*frame.failures, *(failure for part in frame.funds for failure in part.failures)))


def show_fund(out: Console, part: FundFrame, unit: str) -> None:
    """Draw one fund: its figures, its components before and after, and every verdict that is no pass."""
    style = _STYLES.get(part.status.value, "red")
    reason = f" ({plain(part.reason)})" if part.reason else ""
    out.print(f"[bold]{plain(part.fund)}[/]  [{style}]{part.status.value.upper()}[/]{reason}")
    found = part.valuation
    if found is not None:
        out.print(
            f"price per share {money(found.price_per_share, 6)} {plain(unit)}, shares {money(found.shares)}, "
            f"confidence {percent(found.confidence)}"
        )
        rows = table("component", "before", "after", right=("before", "after"))
        for name, before in found.before._asdict().items():
            after = getattr(found.after, name)
            if before or after:
                rows.add_row(name.replace("_", " "), money(before), money(after))
        rows.add_row("[bold]NAV[/]", f"[bold]{money(found.before.nav)}[/]", f"[bold]{money(found.after.nav)}[/]")
        out.print(rows)
        if found.undecayed_nav != found.before.nav:
            out.print(f"without the haircuts of old prices: {money(found.undecayed_nav)}")
    if part.distance is not None:
        out.print(plain(sentence(part.distance)))
    for name in part.immaterial:
        out.print(f"counted as zero, because it has no price and was immaterial: {plain(name)}")
    for verdict in part.verdicts:
        if verdict.outcome is not Outcome.PASS:
            mark = "yellow" if verdict.outcome is Outcome.WARN else "red"
            out.print(f"[{mark}]{verdict.outcome.value}[/] {plain(verdict.check)}: {plain(verdict.detail)}")
            if verdict.advice:
                out.print(f"  advice: {plain(verdict.advice)}")


def show_prices(out: Console, frame: NavFrame) -> None:
    """Draw every price with its votes and what was excluded."""
    rows = table("asset", "side", "price", "status", "confidence", "votes", "excluded", right=("price", "confidence"))
    for (asset, side), estimate in frame.estimates.items():
        rows.add_row(
            plain(asset),
            side,
            money(estimate.price, 6),
            _status_of(estimate),
            percent(estimate.confidence),
            plain(", ".join(f"{vote.group} {money(vote.price, 6)}" for vote in estimate.votes)),
            plain(", ".join(f"{source} ({reason})" for source, reason in estimate.excluded)),
        )
    out.print(rows)


def _status_of(estimate: PriceEstimate) -> str:
    style = _STYLES.get(estimate.status.value, "red")
    reason = f" ({plain(estimate.reason)})" if estimate.reason else ""
    return f"[{style}]{estimate.status.value}[/]{reason}"


def show_failures(out: Console, failures: tuple[Failure, ...]) -> None:
    """Draw the readers that failed, each once; advice that several in a row share comes after the last of them."""
    told = list(dict.fromkeys(failures))
    for index, failure in enumerate(told):
        message = failure.message.removeprefix(f"{failure.reader}: ")
        out.print(f"[red]failed[/] {plain(failure.reader)}: {plain(message)}")
        if failure.advice and all(following.advice != failure.advice for following in told[index + 1 : index + 2]):
            out.print(f"  advice: {plain(failure.advice)}")
