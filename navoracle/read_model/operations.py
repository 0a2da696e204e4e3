"""How the keeper does: nodes, senders, checks, and how the slots of the last day ended."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from navoracle.domain.units import Timestamp
from navoracle.read_model.records import Record, Time, WeiText
from navoracle.store_port import SlotQuestion, SlotState, Span

if TYPE_CHECKING:
    from navoracle.read_model.sources import Sources

DAY: Final = 86_400
NOT_LIVE: Final = "no keeper runs in this process"


class NodeRecord(Record):
    """A node of a chain."""

    chain: str
    node: str
    operator: str
    state: str
    """alive, unreachable, wrong_chain, syncing, out_of_sync, no_finalized, disputed."""
    head: int | None
    """The number of its newest block."""


class LaneRecord(Record):
    """A sender on a chain."""

    chain: str
    sender: str
    epoch: int | None
    """Of its lease; null while another keeper has it."""
    balance: WeiText
    """In wei."""
    runway: int | None
    """Seconds that the balance lasts at the recent pace; null when nothing was spent."""
    pending: int
    """Transactions that have not ended."""
    next_nonce: int
    spent_today: WeiText
    """In wei."""


class CheckRecord(Record):
    """One thing that must work."""

    name: str
    ok: bool
    detail: str
    advice: str


class NextSlot(Record):
    """The next time at which a fund is valued."""

    slot_time: Time
    cadence: str
    """hourly, high_volatility or emergency."""
    reasons: list[str]
    """Why an emergency was asked for."""


class Operations(Record):
    """How the keeper does."""

    live: bool
    """Whether a keeper runs in this process; without one nodes, lanes and checks are null."""
    nodes: list[NodeRecord] | None
    lanes: list[LaneRecord] | None
    checks: list[CheckRecord] | None
    slots_of_the_day: dict[str, int]
    """How many slots of the last 24 hours are in each state; a state that none is in is left out."""
    open_posts: int
    """Posts that have not ended."""
    open_alerts: int
    unknown: dict[str, str]
    """Why a place is null, by its JSON pointer."""


def operations(sources: Sources) -> Operations:
    """How the keeper does now. Raises StoreError."""
    store, live = sources.store, sources.live
    day = Span(since=Timestamp(sources.now() - DAY))
    counted = {
        state: store.slot_page(SlotQuestion(states=(state,), span=day), before=None, limit=1).total
        for state in SlotState
    }
    return Operations(
        live=live is not None,
        nodes=None if live is None else list(live.nodes()),
        lanes=None if live is None else list(live.lanes()),
        checks=None if live is None else list(live.checks()),
        slots_of_the_day={state.value: number for state, number in counted.items() if number},
        open_posts=len(store.unfinished_posts()),
        open_alerts=len(store.alerts(open_only=True)),
        unknown={} if live is not None else dict.fromkeys(("/nodes", "/lanes", "/checks"), NOT_LIVE),
    )
