"""Is the NAV right, fresh and safe, and what is to be done? Four answers in words; what is missing is never a yes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from navoracle.dashboard import formats
from navoracle.dashboard.parts.records import Tone
from navoracle.dashboard.reasons import explained
from navoracle.domain.cadence import HOUR
from navoracle.read_model.events import AlertRecord
from navoracle.read_model.fund import FundDetail, OnChain

Name = Literal["Right", "Fresh", "Safe", "Do"]

SLOT_SECONDS: Final = 600
"""How long a slot may take from its time until its NAV is there; after that it is overdue."""

BAND_WARNING: Final = 9_000
"""Basis points of the contract's band, from which on the next step may be held."""

BAD_STATUSES: Final = ("insolvent", "suspicious", "halted")


@dataclass(frozen=True, slots=True)
class Since:
    """An age that counts up from Unix seconds."""

    at: int


@dataclass(frozen=True, slots=True)
class Until:
    """A time ahead, in Unix seconds, to which a page counts down."""

    at: int


Words = str | Since | Until


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer: its word, how it is toned, and why it is so."""

    name: Name
    word: str
    tone: Tone
    why: tuple[Words, ...]


def verdict(
    detail: FundDetail, own: Sequence[AlertRecord], general: Sequence[AlertRecord], now: int
) -> tuple[Answer, ...]:
    """The four answers for a fund.

    Args:
        own, general: open alerts of the fund, and of no single fund; the gravest first.
        now: the keeper's time, Unix seconds.
    """
    found = (is_right(detail), is_fresh(detail, now), is_safe(detail))
    return (*found, to_do(detail, found, own, general))


def is_right(detail: FundDetail) -> Answer:
    """Whether what was computed is what the chain serves, and else by how much not, and why."""
    row, served = detail.fund, detail.on_chain
    reason = f": {row.reason}" if row.reason else ""
    if row.status in BAD_STATUSES:
        return Answer("Right", "no", "bad", (f"the newest value is {row.status}{reason}",))
    if row.nav_source != "frame":
        shown = "what is shown is the chain's" if row.nav_source == "confirmed" else "none is known"
        return Answer("Right", "unknown", "warning", (f"no value of its own was computed, {shown}{reason}",))
    if served is None:
        none = explained(detail.unknown.get("/on_chain", "the contract was not read"))
        return Answer("Right", "unknown", "warning", (f"nothing to compare with: {none}",))
    if served.held:
        return Answer("Right", "no", "bad", (f"the contract holds the fund and serves an old value{_apart(served)}",))
    return _compared(detail, served, reason)


def _compared(detail: FundDetail, served: OnChain, reason: str) -> Answer:
    row = detail.fund
    difference = served.price_per_share_difference if served.nav_difference is None else served.nav_difference
    if difference is None or row.nav_updated_at is None:
        return Answer("Right", "unknown", "warning", ("computed and chain cannot be compared",))
    if row.status == "estimated":
        return Answer("Right", "estimated", "warning", (f"a price is its last valid one{reason}{_apart(served)}",))
    if int(difference) == 0:
        return Answer("Right", "yes", "good", ("computed = on chain, to the wei",))
    if served.valuation_time < row.nav_updated_at:
        since: tuple[Words, ...] = (
            f"as posted; moved since{_apart(served)}, the post is ",
            Since(served.valuation_time),
            " old",
        )
        return Answer("Right", "yes", "good", since)
    if served.valuation_time > row.nav_updated_at:
        return Answer("Right", "unknown", "warning", (f"the chain has a newer value than this keeper{_apart(served)}",))
    return Answer("Right", "no", "bad", (f"computed and chain differ for the same time{_apart(served)}",))


def _apart(served: OnChain) -> str:
    per_share = served.nav_difference is None
    difference = formats.of_wad(served.price_per_share_difference if per_share else served.nav_difference)
    if difference is None:
        return ""
    if per_share:
        return f": {formats.signed(difference, 6)} per share apart ({formats.wei(difference)})"
    return f": {formats.signed(difference)} apart ({formats.wei(difference)})"


def is_fresh(detail: FundDetail, now: int) -> Answer:
    """How old the value is, against the next slot and the time at which the contract stops serving it."""
    at, following, served = detail.fund.nav_updated_at, detail.next_slot, detail.on_chain
    if at is None:
        why = explained(detail.fund.unknown.get("/nav_updated_at", "nothing was valued yet"))
        return Answer("Fresh", "unknown", "warning", (why,))
    expires = None if served is None else served.expires_at
    slot = None if following is None else following.slot_time
    age: tuple[Words, ...] = (Since(at), " old")
    ahead: tuple[Words, ...] = () if slot is None else (", next slot ", Until(slot))
    if expires is not None and now >= expires:
        return Answer("Fresh", "no", "bad", (*age, ": the contract stopped serving its value ", Since(expires), " ago"))
    served_until: tuple[Words, ...] = () if expires is None else (", on chain it expires ", Until(expires))
    said = (*age, *ahead, *served_until)
    if slot is not None and now > slot + SLOT_SECONDS:
        return Answer("Fresh", "no", "bad", said)
    if slot is not None and now - at > HOUR + SLOT_SECONDS:
        return Answer("Fresh", "late", "warning", (*said, ": the last slot brought no value"))
    if slot is not None and expires is not None and expires < slot:
        return Answer("Fresh", "not for long", "warning", said)
    if slot is None and expires is None:
        return Answer("Fresh", "unknown", "warning", (*age, ": neither the next slot nor an expiry is known here"))
    return Answer("Fresh", "yes", "good", said)


def is_safe(detail: FundDetail) -> Answer:
    """Whether anything stops the fund or is about to, and what of that nobody watches."""
    found = [*_of_contract(detail), *_of_breakers(detail), *_of_risk(detail), *_of_gate(detail)]
    told: dict[str, list[str]] = {}
    for kind, text in found:
        told.setdefault(kind, []).append(text)
    why = ("; ".join(text for kind in _WORST_FIRST for text in told.get(kind, ())),)
    for kind, word, tone in _SAFE:
        if kind in told:
            return Answer("Safe", word, tone, why)
    return Answer("Safe", "yes", "good", why)


_WORST_FIRST: Final = ("bad", "warning", "missing", "good", "unwatched")
_SAFE: Final[tuple[tuple[str, str, Tone], ...]] = (
    ("bad", "no", "bad"),
    ("warning", "watch it", "warning"),
    ("missing", "unknown", "warning"),
    ("unwatched", "as far as watched", "plain"),
)

Found = tuple[str, str]
"""How one thing stands (a word of `_WORST_FIRST`), and what is said of it."""


def _of_contract(detail: FundDetail) -> Iterable[Found]:
    served, distance = detail.on_chain, detail.guard_distance
    if served is not None and served.held:
        yield "bad", "the contract holds the fund"
    if served is not None and not served.live:
        yield "bad", "the contract has closed the fund"
    if distance is None:
        yield "missing", f"the contract's band is not known ({detail.unknown.get('/guard_distance', 'not computed')})"
        return
    used = f"{formats.basis_points(distance.used_bps)} of the contract's band used"
    if not distance.within:
        yield "bad", f"{used}: it would hold the next post"
    else:
        yield ("warning" if distance.used_bps >= BAND_WARNING else "good"), used


def _of_breakers(detail: FundDetail) -> Iterable[Found]:
    unclosed = [each for each in detail.breakers if each.state != "closed"]
    for each in unclosed:
        why = f" ({'; '.join(each.reasons)})" if each.reasons else ""
        kind = "bad" if each.state == "open" else "warning"
        yield kind, f"breaker of {each.kind} {each.name} {formats.word(each.state)}{why}"
    if not unclosed:
        yield "good", "breaker closed"


def _of_risk(detail: FundDetail) -> Iterable[Found]:
    document, status = detail.documents.risk, detail.fund.risk_status
    if document is None:
        yield "missing", f"risk is not known ({explained(detail.documents.unknown.get('/risk', 'no file'))})"
        return
    if not document.configured:
        yield "unwatched", "no risk monitor"
        return
    factors = [formats.rounded(each.health_factor, 4) for each in document.lending if each.health_factor is not None]
    factor = f", health factor {min(factors):f}" if factors else ""
    kind = {"critical": "bad", "urgent": "bad", "warning": "warning", "safe": "good"}.get(status, "missing")
    yield kind, f"risk {status}{factor}"


def _of_gate(detail: FundDetail) -> Iterable[Found]:
    gate = detail.gate
    if gate is None:
        yield "unwatched", "no gate"
    elif gate.vetoes:
        yield "bad", f"gate: {', '.join(map(formats.word, gate.vetoes))}"
    elif gate.warnings:
        yield "warning", f"gate warns: {', '.join(map(formats.word, gate.warnings))}"
    else:
        yield "good", "no veto of the gate"


def to_do(
    detail: FundDetail, answers: Sequence[Answer], own: Sequence[AlertRecord], general: Sequence[AlertRecord]
) -> Answer:
    """What to do first: the advice of the first open alert, or of a breaker; "nothing" only where all is well."""
    alerts = [*own, *general]
    for alert in (*(each for each in alerts if each.acknowledged_by is None), *alerts):
        tone: Tone = "bad" if alert.severity == "critical" else "warning"
        told = alert.advice or f"Look into it: {alert.message}"
        if alert.acknowledged_by is not None:
            return Answer("Do", "in hand", "plain", (f"{alert.acknowledged_by} takes care of {alert.rule}: {told}",))
        return Answer("Do", alert.rule, tone, (told,))
    for breaker in detail.breakers:
        if breaker.state != "closed" and breaker.advice:
            return Answer("Do", "reset", "bad" if breaker.state == "open" else "warning", (breaker.advice,))
    doubtful = [each for each in answers if each.tone in ("bad", "warning")]
    if doubtful:
        tone = "bad" if any(each.tone == "bad" for each in doubtful) else "warning"
        names = " and ".join(each.name.lower() for each in doubtful)
        return Answer("Do", "look", tone, (f"No alert is open. See why it is not known to be {names}.",))
    return Answer("Do", "nothing", "good", ("no alert of this fund is open",))
