"""The evidence of a fund's frames, and the real verification of any of them at the press of a button."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, Final

from nicegui import ui

from navoracle.dashboard import formats
from navoracle.dashboard.parts.elements import Text
from navoracle.dashboard.parts.records import Column, Records, action, exact, toned, unknown
from navoracle.dashboard.words import NAV_TONES, tone_of
from navoracle.domain.errors import NavoracleError
from navoracle.read_model.frames import FrameRecord
from navoracle.read_model.verification import Verification

_ONE_AT_A_TIME: Final = asyncio.Semaphore(1)
"""A verification takes a core for a while: whoever presses last waits, and the keeper does not."""


class EvidenceCard:
    """The card.

    Args:
        verify: computes a frame of the fund again from its evidence; waits for the disk.
    """

    def __init__(self, verify: Callable[[str], Verification | None]) -> None:
        self._verify = verify
        with Text("section", "", "card", aria_labelledby="evidence-heading"):
            Text("h2", "Evidence", id="evidence-heading")
            Text("p", "Each frame can be computed again from its evidence alone, bit for bit.", "note")
            self._table = Records(
                [
                    Column("now", "Valued at", "time", head=True),
                    Column("status", "Status"),
                    Column("nav", "NAV", "number"),
                    Column("evidence", "Evidence hash"),
                    Column("verify", "Verification"),
                ],
                caption="Frames and their evidence",
                empty="No frame has been recorded.",
                on_act=self._pressed,
            )
            self._place = ui.element("div")
            self._place.props["aria-live"] = "polite"
            self._place.props["id"] = "verification"

    def show(self, frames: Sequence[FrameRecord]) -> None:
        """Show frames, the newest first."""
        self._table.show([_row(frame) for frame in frames])

    async def _pressed(self, frame: str) -> None:
        self._say([("p", f"Computing frame {formats.short_hash(frame)} again from its evidence …", "note")])
        try:
            async with _ONE_AT_A_TIME:
                found = await asyncio.to_thread(self._verify, frame)
        except NavoracleError as error:
            self._say([("p", error.message, "tone tone-bad"), ("p", error.advice, "")])
            return
        self._say(_told(frame, found))

    def _say(self, lines: Sequence[tuple[str, str, str]]) -> None:
        self._place.clear()
        with self._place:
            for tag, text, classes in lines:
                Text(tag, text, classes)


def _told(frame: str, found: Verification | None) -> list[tuple[str, str, str]]:
    if found is None:
        return [("p", f"There is no frame {frame} of this fund.", "tone tone-bad")]
    if not found.verified:
        return [("p", "NOT verified", "tone tone-bad"), ("p", found.failure or "", ""), ("p", found.advice or "", "")]
    covered = [
        f"Covered by post {post.post} on {post.chain} ({post.state}), root {post.evidence_root}, "
        f"transaction {post.transaction or 'not mined'}."
        for post in found.posts
    ]
    nav, price = formats.of_wad(found.nav), formats.of_wad(found.price_per_share)
    return [
        ("p", "Verified", "tone tone-good"),
        ("p", f"Frame {frame}: NAV {nav or 'n/a'}, per share {price or 'n/a'}, status {found.status}.", ""),
        ("p", f"Evidence {found.evidence_hash}, written by version {found.code_version}.", "hash"),
        *(("p", line, "hash") for line in covered),
        *(() if covered else (("p", "No post is of this frame.", "note"),)),
    ]


def _row(frame: FrameRecord) -> dict[str, Any]:
    nav = formats.of_wad(frame.nav)
    has_evidence = frame.evidence_hash is not None
    return {
        "key": frame.frame,
        "now": formats.moment(frame.now),
        "status": toned(frame.status, tone_of(NAV_TONES, frame.status), frame.reason or ""),
        "nav": unknown(frame.reason or "not valued") if nav is None else exact(formats.amount(nav), nav),
        "evidence": exact(formats.short_hash(frame.evidence_hash), frame.evidence_hash or "")
        if has_evidence
        else unknown("a look between slots keeps no evidence"),
        "verify": action("Verify", frame.frame, f"Verify the frame of {formats.moment(frame.now)}")
        if has_evidence
        else unknown("no evidence"),
    }
