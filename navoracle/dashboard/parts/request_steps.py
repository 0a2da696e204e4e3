"""The way of a signed request: what to ask, what to sign, what was signed, and what the keeper says to it."""

from __future__ import annotations

import secrets
import time
from typing import Any, Final

from nicegui import ui

from navoracle.dashboard import formats
from navoracle.dashboard.feed import View
from navoracle.dashboard.parts.card import Card
from navoracle.dashboard.parts.document import Document
from navoracle.dashboard.parts.elements import Text
from navoracle.dashboard.parts.field import Field
from navoracle.dashboard.parts.records import Column, Records
from navoracle.dashboard.parts.signature import Signature
from navoracle.dashboard.request_words import consequence, shown_fields, who_may
from navoracle.dashboard.signing import Checked, checked, prepared, request_file
from navoracle.dashboard.words import NAV_TONES, tone_of
from navoracle.domain.errors import NavoracleError, RequestRefused
from navoracle.domain.units import Timestamp
from navoracle.read_model.funds import FundRow
from navoracle.requests.actions import Action
from navoracle.requests.document import ActionRequest
from navoracle.web_service.limits import RateLimit

CHOICES: Final = 200
"""Funds that can be chosen from a list; of more, the name is typed."""

SENT_A_MINUTE: Final = 20
VALIDITIES: Final = ((300, "5 minutes"), (900, "15 minutes"), (3_600, "1 hour"), (86_400, "1 day"))
USUAL_VALIDITY: Final = 900
LARGEST_NONCE: Final = 2**53

_RATE: Final = RateLimit(SENT_A_MINUTE, time.monotonic)
_FIELDS: Final = (Column("field", "Field", head=True), Column("value", "Value"), Column("meaning", "What it means"))


class RequestSteps:
    """The steps.

    Args:
        view: the page; its parameter is the chosen fund.
        now: the keeper's time.
        row: the fund to begin with where none is chosen; the desk's first where it takes no request about that one.
    """

    def __init__(self, view: View[Any, Any], now: Timestamp, row: FundRow | None) -> None:
        if view.desk is None:
            raise LookupError("no desk takes requests here")
        self._view, self._desk = view, view.desk
        self._targets = dict(view.desk.targets)
        asked = view.parameters if isinstance(view.parameters, str) else None if row is None else row.fund
        self._fund = asked if asked in self._targets else next(iter(self._targets))
        self._action, self._reason, self._valid_for, self._now = Action.HOLD, "", USUAL_VALIDITY, now
        self._request: ActionRequest | None = None
        self._checked: Checked | None = None
        self._make_question()
        self._make_request()
        self._make_signature()
        self._say_consequence()

    def see(self, now: Timestamp, row: FundRow | None) -> None:
        """What is known now: the time, and how the chosen fund stands."""
        self._now = now
        if row is None or row.fund != self._fund:
            self._standing.say("", classes="note")
            return
        held = "" if row.held is None else ", held on the registry" if row.held else ", served by the registry"
        self._standing.say(
            f"Now: {row.fund} is {row.status}{held}", classes=f"tone tone-{tone_of(NAV_TONES, row.status)}"
        )

    def _make_question(self) -> None:
        with Card("question", "1. What to ask for"):
            with ui.element("div").classes("controls"):
                names = [(name, name) for name in self._targets]
                Field("Fund", self._fund, self._choose_fund, options=names if len(names) <= CHOICES else None)
                actions = [(each.value, f"{formats.word(each.value)} ({who_may(each)})") for each in Action]
                Field("Action", self._action.value, self._choose_action, options=actions)
                Field("Reason, for those who read the log", "", self._choose_reason)
                longest = self._desk.max_validity
                usual = [(str(seconds), text) for seconds, text in VALIDITIES if seconds <= longest]
                if not any(int(seconds) == self._valid_for for seconds, _ in usual):
                    self._valid_for = longest if not usual else int(usual[-1][0])
                Field(
                    "Good for",
                    str(self._valid_for),
                    self._choose_validity,
                    options=usual or [(str(longest), f"{longest} s")],
                )
            self._standing = Text("p", "", "note")
            self._follows = Text("p", "", id="consequence", aria_live="polite")
            button = Text("button", "Prepare the request", type="button")
            button.on("click", self._prepare)
            self._refused = ui.element("div")
            self._refused.props["role"] = "alert"

    def _make_request(self) -> None:
        with Card("request", "2. What to sign"):
            self._nothing = Text("p", "Nothing is prepared yet.", "note")
            with ui.element("div") as self._signing:
                with Text("p"):
                    Text("span", "Sign the saved file with the command: ")
                    Text("code", "navoracle emergency --request request.json --key-file FILE --json")
                Text("p", "Or let a wallet sign the typed data (eth_signTypedData_v4). Both sign this digest:")
                self._digest = Text("p", "", "hash", id="digest")
                self._fields = Records(_FIELDS, caption="Fields of the request")
                with Text("p", "", "note"):
                    Text("span", "It runs out ")
                    self._left = Text("span", " ")
                self._document = Document("the request", "request.json")
        self._show_prepared(is_there=False)

    def _show_prepared(self, *, is_there: bool) -> None:
        self._signing.set_visibility(is_there)
        self._nothing.set_visibility(not is_there)

    def _make_signature(self) -> None:
        with Card("signed", "3. Put the signature in, and send"):
            self._signature = Signature(self._check)
            with ui.element("div") as self._ready:
                self._who = Text("p", "", id="signed-by")
                self._will = Text("p", "", id="will-happen")
                self._send_button = Text("button", "Send it to the keeper", type="button")
                self._send_button.on("click", self._send)
            self._ready.set_visibility(False)
            self._told = ui.element("div")
            self._told.props.update({"role": "status", "id": "sent"})

    async def _choose_fund(self, fund: str) -> None:
        self._fund = fund
        self._say_consequence()
        await self._view.change(fund)

    def _choose_action(self, action: str) -> None:
        self._action = Action(action)
        self._say_consequence()

    def _choose_reason(self, reason: str) -> None:
        self._reason = reason

    def _choose_validity(self, seconds: str) -> None:
        self._valid_for = int(seconds)

    def _say_consequence(self) -> None:
        target = self._targets.get(self._fund)
        if target is None:
            self._follows.say(f"This keeper takes no requests about a fund {self._fund}.")
        else:
            self._follows.say(f"What will happen: {consequence(self._action, target)}")

    def _prepare(self) -> None:
        self._refused.clear()
        self._forget()
        target = self._targets.get(self._fund)
        if target is None:
            self._say_refused(RequestRefused("unknown_fund", f"there is no fund {self._fund}", advice="Choose one."))
            return
        try:
            self._request = prepared(
                self._fund,
                self._action,
                self._reason,
                target,
                now=self._now,
                valid_for=self._valid_for,
                nonce=secrets.randbelow(LARGEST_NONCE),
            )
        except RequestRefused as refusal:
            self._request = None
            self._show_prepared(is_there=False)
            self._signature.ask(None)
            self._say_refused(refusal)
            return
        request = self._request
        self._digest.say(request.id)
        self._fields.show(shown_fields(request))
        self._left.set_attribute("data-until", str(request.deadline))
        self._document.show(request_file(request))
        self._show_prepared(is_there=True)
        self._signature.ask(request.typed_data())

    def _say_refused(self, refusal: NavoracleError) -> None:
        with self._refused:
            Text("p", f"Not prepared: {refusal.message}.", "trouble")
            Text("p", refusal.advice, "note")

    def _forget(self) -> None:
        self._checked = None
        self._ready.set_visibility(False)
        self._told.clear()

    async def _check(self, text: str, signer: str) -> None:
        self._forget()
        try:
            found = checked(text, signer, self._request)
        except RequestRefused as refusal:
            self._say("bad", f"Not a signed request: {refusal.message}.", refusal.advice)
            return
        request = found.signed.request
        target = self._targets.get(request.fund)
        if target is None:
            self._say("bad", f"This keeper takes no requests about a fund {request.fund}.", "Choose another keeper.")
            return
        self._checked = found
        self._who.say(
            f"{found.signed.signer} signed {formats.word(request.action.value)} of {request.fund}: {request.reason}"
            if found.by_key
            else f"This is no signature of the key {found.signed.signer}. It counts only if that is a smart account "
            "that accepts it; the keeper asks it."
        )
        self._will.say(f"What will happen: {consequence(request.action, target)}")
        self._ready.set_visibility(True)

    async def _send(self) -> None:
        found = self._checked
        if found is None:
            return
        self._forget()
        if not _RATE.allows(self._view.visitor):
            self._say("bad", "Refused: too many requests within a minute.", "Wait a minute, and send it again.")
            self._checked = found
            self._ready.set_visibility(True)
            return
        try:
            taken = await self._desk.receive(found.signed.document(), f"dashboard {self._view.visitor}")
        except RequestRefused as refusal:
            self._say("bad", f"Refused ({formats.word(refusal.reason)}): {refusal.message}.", refusal.advice)
        except NavoracleError as error:
            self._say("bad", f"It could not be verified or kept: {error.message}. It may be sent again.", error.advice)
            self._checked = found
            self._ready.set_visibility(True)
        else:
            self._say(
                "good",
                f"Taken: {formats.word(taken.action)} of {taken.fund}, signed in the role {taken.role.upper()}.",
                f"Request {taken.id} is queued; what comes of it stands below.",
            )
            await self._view.refresh()

    def _say(self, tone: str, message: str, more: str) -> None:
        self._told.clear()
        with self._told:
            Text("p", message, "trouble" if tone == "bad" else f"told tone-{tone}")
            Text("p", more, "note")
