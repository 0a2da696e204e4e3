"""One fund in full: what changed, what it holds, what it owes, what was posted, and the evidence for all of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from nicegui import ui

from navoracle.dashboard import addresses
from navoracle.dashboard.feed import View
from navoracle.dashboard.parts.aum_card import AumCard
from navoracle.dashboard.parts.bridge_card import BridgeCard, ComponentsCard
from navoracle.dashboard.parts.elements import Text
from navoracle.dashboard.parts.evidence_card import EvidenceCard
from navoracle.dashboard.parts.fund_tables import FeesCard, GuardsCard, PostsCard, RequestsCard
from navoracle.dashboard.parts.history_card import HistoryCard
from navoracle.dashboard.parts.nav_card import NavCard
from navoracle.dashboard.parts.positions_card import PositionsCard
from navoracle.dashboard.parts.safety_card import SafetyCard
from navoracle.dashboard.words import NAV_TONES, tone_of
from navoracle.read_model.frame import FrameDetail
from navoracle.read_model.frames import FrameRecord
from navoracle.read_model.fund import FundDetail
from navoracle.read_model.history import HistoryPoint
from navoracle.read_model.model import ReadModel
from navoracle.read_model.posts import PostRecord
from navoracle.read_model.verification import Verification
from navoracle.store_port import FrameQuestion, SlotQuestion

ROWS: Final = 12
POINTS: Final = 200


@dataclass(frozen=True, slots=True)
class FundPage:
    """What the page shows; `detail` is None where there is no such fund.

    `newest` is the newest frame that is recorded, which a slot under way does not have yet; `posted` is that of the
    post from which it changed, where its bridge begins, and without a bridge that of the slot that was posted last.
    """

    name: str
    detail: FundDetail | None
    newest: FrameDetail | None = None
    posted: FrameDetail | None = None
    points: tuple[HistoryPoint, ...] = ()
    posts: tuple[PostRecord, ...] = ()
    frames: tuple[FrameRecord, ...] = ()
    verify: Callable[[str], Verification | None] = lambda _frame: None


def parameters(address: Mapping[str, str]) -> str:
    """The fund."""
    return address["fund"]


def load(model: ReadModel, name: str) -> FundPage:
    """Read the page. Raises StoreError."""
    detail = model.fund(name)
    if detail is None:
        return FundPage(name, None)

    def frame_of(frame: str | None) -> FrameDetail | None:
        return None if frame is None else model.frame(frame, name)

    frames = tuple(model.frames(FrameQuestion(name), limit=ROWS).items)
    begins = None if detail.bridge is None else detail.bridge.posted_frame
    return FundPage(
        name,
        detail,
        newest=frame_of(frames[0].frame if frames else None),
        posted=frame_of(begins or (None if detail.posted is None else detail.posted.frame)),
        points=tuple(model.history(SlotQuestion(name), limit=POINTS).items),
        posts=tuple(model.posts(name, limit=ROWS).items),
        frames=frames,
        verify=lambda frame: model.verify(frame, name),
    )


def build(view: View[Any, FundPage], first: FundPage) -> Callable[[FundPage], None]:
    """Make the page."""
    with ui.element("div").classes("head"):
        Text("h1", first.name)
        with ui.element("div").classes("chips"):
            status = Text("span", "", "tone tone-plain")
            Text("a", "Overview of this fund", href=addresses.overview_of(first.name))
    missing = Text("p", "", "note")
    with ui.element("div").classes("cards") as cards:
        nav, safety = NavCard(), SafetyCard()
        with ui.element("div").classes("stack"):
            bridge, history, fees = BridgeCard(), HistoryCard(POINTS), FeesCard()
        with ui.element("div").classes("stack"):
            components, aum = ComponentsCard(), AumCard()
        positions = PositionsCard()
        guards = GuardsCard()
        requests, posts = RequestsCard(), PostsCard()
        evidence = EvidenceCard(first.verify)

    def update(data: FundPage) -> None:
        detail = data.detail
        cards.set_visibility(detail is not None)
        missing.say("" if detail is not None else f"There is no fund {data.name}, and nothing is known of one.")
        if detail is None:
            return
        status.say(detail.fund.status, classes=f"tone tone-{tone_of(NAV_TONES, detail.fund.status)}")
        nav.show(detail)
        safety.show(detail)
        bridge.show(detail.bridge, detail.unknown.get("/bridge", "not known"))
        components.show(data.newest, data.posted)
        positions.show(detail.documents, detail.fund.fund)
        fees.show(detail)
        guards.show(data.newest)
        aum.show(detail.documents)
        history.show(data.points)
        requests.show(detail.requests)
        posts.show(data.name, data.posts)
        evidence.show(data.frames)

    return update
