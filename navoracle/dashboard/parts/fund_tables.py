"""A fund's fees, guards, posts and signed requests."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from navoracle.dashboard import formats
from navoracle.dashboard.parts.elements import Text
from navoracle.dashboard.parts.facts import Facts
from navoracle.dashboard.parts.records import Column, Records, Tone, exact, toned, unknown
from navoracle.read_model.frame import FrameDetail
from navoracle.read_model.fund import FundDetail
from navoracle.read_model.posts import PostRecord
from navoracle.read_model.requests import SignedRequestRecord

_OUTCOMES: dict[str, Tone] = {"accepted": "good", "held": "bad", "refused": "bad", "missing": "warning"}
_VERDICTS: dict[str, Tone] = {"pass": "good", "warn": "warning", "verify": "warning", "halt": "bad"}


class FeesCard:
    """The high-water mark, the fee clock, and what is payable."""

    def __init__(self) -> None:
        with Text("section", "", "card half", aria_labelledby="fees-heading"):
            Text("h2", "High-water mark and fees", id="fees-heading")
            self._facts = Facts(
                "High-water mark", "Fees since", "Kept by", "Management", "Performance", "Withdrawal", "Payable",
                "Shares", "Peak",
            )  # fmt: skip

    def show(self, detail: FundDetail) -> None:
        """Show a fund's."""
        facts, document, unknown = self._facts, detail.documents.nav, detail.unknown
        mark = formats.of_wad(detail.fees.high_water_mark)
        facts.say(
            "High-water mark",
            None if mark is None else formats.per_share(mark),
            why=unknown.get("/fees/high_water_mark", "none yet"),
            title=mark or "",
        )
        since = detail.fees.accrued_since
        facts.say(
            "Fees since",
            None if since is None else formats.moment(since),
            why=unknown.get("/fees/accrued_since", "the clock has not begun"),
        )
        facts.say("Kept by", "the fund's vault" if detail.fees.kept_by == "vault" else "the keeper")
        fees = None if document is None else document.fees
        for name, amount in (
            ("Management", None if fees is None else fees.management),
            ("Performance", None if fees is None else fees.performance),
            ("Withdrawal", None if fees is None else fees.withdrawal),
            ("Payable", None if fees is None else fees.total),
        ):
            facts.say(name, None if amount is None else formats.amount(amount), why="not valued", title=amount or "")
        state = detail.documents.nav_state
        shares = None if state is None else state.shares
        facts.say("Shares", None if shares is None else formats.units(shares), why="not valued", title=shares or "")
        peak = None if detail.peaks is None else formats.of_wad(detail.peaks.peak)
        facts.say("Peak", None if peak is None else f"{formats.per_share(peak)} per share", why="no gate")


class GuardsCard:
    """What the guards said of the newest frame, and what could not be read."""

    def __init__(self) -> None:
        with Text("section", "", "card", aria_labelledby="guards-heading"):
            Text("h2", "Guards", id="guards-heading")
            self._table = Records(
                [Column("check", "Guard", head=True), Column("outcome", "Answer"), Column("detail", "Why")],
                caption="Guards of the newest frame",
                empty="No frame has been judged.",
            )

    def show(self, newest: FrameDetail | None) -> None:
        """Show a frame's."""
        verdicts = () if newest is None else newest.verdicts
        failures = () if newest is None else newest.failures
        rows: list[dict[str, Any]] = [
            {
                "key": f"{at}",
                "check": formats.word(each.check),
                "outcome": toned(each.outcome, _VERDICTS.get(each.outcome, "plain")),
                "detail": f"{each.detail} {each.advice}".strip(),
            }
            for at, each in enumerate(verdicts)
        ]
        rows += [
            {
                "key": f"failure {at}",
                "check": each.reader,
                "outcome": toned("not read", "bad"),
                "detail": f"{each.message} {each.advice}".strip(),
            }
            for at, each in enumerate(failures)
        ]
        self._table.show(rows)


class PostsCard:
    """What was posted, in which transaction, and what the contract did with it."""

    def __init__(self) -> None:
        with Text("section", "", "card", aria_labelledby="posts-heading"):
            Text("h2", "Posts", id="posts-heading")
            self._table = Records(
                [
                    Column("at", "Valued at", "time", head=True),
                    Column("nav", "NAV", "number"),
                    Column("price", "Per share", "number"),
                    Column("outcome", "Contract"),
                    Column("state", "Transaction"),
                    Column("hash", "Hash"),
                    Column("block", "Block", "number"),
                ],
                caption="Posts",
                empty="Nothing was posted yet.",
            )

    def show(self, fund: str, posts: Sequence[PostRecord]) -> None:
        """Show posts, the newest first."""
        self._table.show([_post(fund, post) for post in posts])


class RequestsCard:
    """Signed requests, and what became of them."""

    def __init__(self) -> None:
        with Text("section", "", "card", aria_labelledby="requests-heading"):
            Text("h2", "Requests", id="requests-heading")
            self._table = Records(
                [
                    Column("at", "Received", "time", head=True),
                    Column("action", "Action"),
                    Column("role", "Role"),
                    Column("signer", "Signer"),
                    Column("state", "State"),
                    Column("reason", "Reason"),
                ],
                caption="Signed requests",
                empty="None. Nothing is pending.",
            )

    def show(self, requests: Sequence[SignedRequestRecord]) -> None:
        """Show requests, those that are pending first."""
        found = sorted(requests, key=lambda each: each.state != "queued")
        tones: dict[str, Tone] = {"queued": "warning", "done": "good", "partly_done": "warning", "refused": "bad"}
        self._table.show(
            [
                {
                    "key": each.request,
                    "at": formats.moment(each.received_at),
                    "action": formats.word(each.action),
                    "role": each.role,
                    "signer": exact(formats.short_hash(each.signer), each.signer),
                    "state": toned(formats.word(each.state), tones.get(each.state, "plain"), each.result or ""),
                    "reason": each.reason,
                }
                for each in found
            ]
        )


def _post(fund: str, post: PostRecord) -> dict[str, Any]:
    part = next((each for each in post.funds if each.fund == fund), None)
    nav = None if part is None else formats.of_wad(part.nav)
    price = None if part is None else formats.of_wad(part.price_per_share)
    outcome = "" if part is None else part.outcome or "not read back yet"
    why = "" if part is None or part.reason is None else part.reason
    return {
        "key": f"{post.post}",
        "at": formats.moment(post.valuation_time),
        "nav": unknown() if nav is None else exact(formats.amount(nav), nav),
        "price": unknown() if price is None else exact(formats.per_share(price), price),
        "outcome": toned(outcome, _OUTCOMES.get(outcome, "plain"), why),
        "state": f"{post.state}{f': {post.error}' if post.error else ''}",
        "hash": unknown("not mined")
        if post.transaction is None
        else exact(formats.short_hash(post.transaction), post.transaction),
        "block": unknown("not mined") if post.block is None else f"{post.block:,d}",
    }
