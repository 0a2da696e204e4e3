"""Where a signature is put in that was made elsewhere. What looks like a private key never leaves the browser."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from nicegui.element import Element
from nicegui.events import GenericEventArguments

from navoracle.dashboard import markup


class Signature(Element, component="signature.js"):
    """The fields, and a button to sign with a wallet in the browser where there is one.

    Args:
        on_signed: hears the text (a signature, or a signed document) and the signer's address, which may be empty.
    """

    def __init__(self, on_signed: Callable[[str, str], Awaitable[None]]) -> None:
        super().__init__()
        self.props["request"] = None

        async def heard(event: GenericEventArguments) -> None:
            given = event.args if isinstance(event.args, Mapping) else {}
            await on_signed(str(given.get("text", "")), str(given.get("signer", "")))

        self.on("signed", heard)

    def ask(self, typed_data: Mapping[str, Any] | None) -> None:
        """What a wallet in the browser is asked to sign; None where nothing is prepared."""
        if self.props["request"] != typed_data:
            self.props["request"] = typed_data
            self.update()

    def drawn(self, now: int) -> str:
        """See `first_paint.Drawn`; `signature.js` makes the same. Nobody looks for keys yet: nothing can be put in."""
        plain = {"spellcheck": "false", "autocomplete": "off", "inert": True}

        def field(label: str, control: str) -> str:
            return markup.tag("label", {"class": "field"}, markup.tag("span", {}, markup.text(label)), control)

        return markup.tag(
            "div",
            {"class": " ".join(("signature", *self.classes))},
            field("Signature (0x…), or the whole signed document", markup.tag("textarea", {"rows": 4, **plain})),
            field(
                "Signer's address (only a smart account needs to say it)",
                markup.tag("input", {"type": "text", **plain}),
            ),
            markup.tag("div", {"class": "controls"}, markup.tag("button", {"type": "button"}, "Check the signature")),
            markup.tag("p", {"class": "", "role": "alert"}),
        )
