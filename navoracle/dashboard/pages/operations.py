"""Operations: how the keeper does, what is wrong and who takes care of it, and what happened."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, get_args

from nicegui import ui

from navoracle.dashboard import addresses
from navoracle.dashboard.feed import View
from navoracle.dashboard.parts.card import Card
from navoracle.dashboard.parts.elements import Text
from navoracle.dashboard.parts.field import Field
from navoracle.dashboard.parts.incidents import Incidents
from navoracle.dashboard.parts.keeper_cards import KeeperCards
from navoracle.dashboard.parts.ledgers import EVENTS, SLOTS, TRANSACTIONS, event_row, slot_row, transaction_row
from navoracle.dashboard.parts.pager import CursorPager
from navoracle.dashboard.parts.records import Records
from navoracle.read_model.events import Acknowledged, AlertRecord, EventRecord, SeverityWord
from navoracle.read_model.history import SlotRecord
from navoracle.read_model.model import ReadModel
from navoracle.read_model.operations import Operations
from navoracle.read_model.posts import TransactionRecord
from navoracle.read_model.records import OffsetPage, Page
from navoracle.store_port import EventQuestion, Severity, SlotQuestion, SlotState

ROWS: Final = 15
ALERTS: Final = 20


@dataclass(frozen=True, slots=True)
class Asked:
    """Which rows of each list, and from where on."""

    text: str = ""
    severity: SeverityWord | None = None
    fund: str = ""
    state: SlotState | None = None
    alerts: str = ""
    alert_offset: int = 0
    slot_cursor: str | None = None
    transaction_cursor: str | None = None
    event_cursor: str | None = None


@dataclass(frozen=True, slots=True)
class OperationsPage:
    """What the page shows; `acknowledge` notes who takes care of an alert."""

    keeper: Operations
    open: OffsetPage[AlertRecord]
    past: OffsetPage[AlertRecord]
    slots: Page[SlotRecord]
    transactions: Page[TransactionRecord]
    events: Page[EventRecord]
    acknowledge: Callable[[str, str], Acknowledged | None] = field(compare=False)


def parameters(address: Mapping[str, str]) -> Asked:
    """What is searched for, from the address."""
    severity = next((word for word in get_args(SeverityWord) if word == address.get("severity")), None)
    return Asked(text=address.get("text", ""), severity=severity, fund=address.get("fund", ""))


def load(model: ReadModel, asked: Asked) -> OperationsPage:
    """Read the page. Raises StoreError, UsageError."""
    fund = asked.fund or None
    severity = None if asked.severity is None else Severity(asked.severity)
    states = None if asked.state is None else (asked.state,)
    return OperationsPage(
        keeper=model.operations(),
        open=model.alerts(open_only=True, limit=ALERTS),
        past=model.alerts(text=asked.alerts or None, offset=asked.alert_offset, limit=ROWS),
        slots=model.slots(SlotQuestion(fund, states), cursor=asked.slot_cursor, limit=ROWS),
        transactions=model.transactions(cursor=asked.transaction_cursor, limit=ROWS),
        events=model.events(
            EventQuestion(fund=fund, severity=severity, text=asked.text or None), cursor=asked.event_cursor, limit=ROWS
        ),
        acknowledge=model.acknowledge,
    )


def build(view: View[Any, OperationsPage], first: OperationsPage) -> Callable[[OperationsPage], None]:
    """Make the page."""

    def asked() -> Asked:
        found = view.parameters
        return found if isinstance(found, Asked) else Asked()

    async def ask(**change: Any) -> None:
        await view.change(replace(asked(), **change))

    Text("h1", "Operations")
    with ui.element("div").classes("cards"):
        keeper = KeeperCards()
        incidents = Incidents(
            first.acknowledge,
            view.refresh,
            ROWS,
            on_text=lambda text: ask(alerts=text, alert_offset=0),
            on_offset=lambda offset: ask(alert_offset=offset),
        )
        lists = _Lists(asked(), ask)
        _exports()

    def update(data: OperationsPage) -> None:
        keeper.show(data.keeper)
        incidents.show(data.open, data.past)
        lists.show(data, asked())

    return update


class _Lists:
    """Slots, transactions and events."""

    def __init__(self, asked: Asked, ask: Callable[..., Any]) -> None:
        with Card("slots", "Slots"):
            with ui.element("div").classes("controls"):
                Field("Fund (whole name)", asked.fund, lambda text: ask(fund=text, slot_cursor=None, event_cursor=None))
                states = [("", "all"), *((each.value, each.value) for each in SlotState)]
                Field(
                    "Result",
                    "",
                    lambda word: ask(state=SlotState(word) if word else None, slot_cursor=None),
                    options=states,
                )
            self._slots = Records(SLOTS, caption="Slots", empty="No slot matches.")
            self._slot_pager = CursorPager("slots", lambda cursor: ask(slot_cursor=cursor))
        with Card("transactions", "Transactions"):
            self._transactions = Records(TRANSACTIONS, caption="Transactions", empty="None was made yet.")
            self._transaction_pager = CursorPager("transactions", lambda cursor: ask(transaction_cursor=cursor))
        with Card("events", "Events"):
            with ui.element("div").classes("controls"):
                Field("Search message", asked.text, lambda text: ask(text=text, event_cursor=None))
                Field(
                    "Severity",
                    asked.severity or "",
                    lambda word: ask(severity=word or None, event_cursor=None),
                    options=[("", "all"), *((word, word) for word in get_args(SeverityWord))],
                )
            self._events = Records(EVENTS, caption="Events", empty="No event matches.")
            self._event_pager = CursorPager("events", lambda cursor: ask(event_cursor=cursor))

    def show(self, data: OperationsPage, asked: Asked) -> None:
        """Show the rows, and where in each list they are."""
        self._slots.show([slot_row(each) for each in data.slots.items])
        self._slot_pager.show(data.slots, asked.slot_cursor)
        self._transactions.show([transaction_row(each) for each in data.transactions.items])
        self._transaction_pager.show(data.transactions, asked.transaction_cursor)
        self._events.show([event_row(each) for each in data.events.items])
        self._event_pager.show(data.events, asked.event_cursor)


def _exports() -> None:
    with Card("exports", "Take away"):
        Text("p", "Every row, exactly: money in 18 decimals, times in Unix seconds.", "note")
        with ui.element("ul"):
            for subject in ("events", "alerts", "slots", "history", "posts", "transactions"):
                with ui.element("li"):
                    Text("span", f"{subject}: ")
                    for form, name in (("csv", "CSV"), ("jsonl", "JSON lines")):
                        Text(
                            "a",
                            name,
                            href=addresses.table_file(subject, form),
                            download="",
                            aria_label=f"{subject} as {name}",
                        )
                        Text("span", " ")
            with ui.element("li"):
                Text("span", "evidence of a slot with its proof: the archive in the slot's line above")
