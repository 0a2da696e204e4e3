"""A card: a section with a heading, in the grid of cards."""

from __future__ import annotations

from navoracle.dashboard.parts.elements import Text


class Card(Text):
    """The section; what is made within `with` stands below its heading.

    Args:
        key: names the section on its page.
        width: "", "third", "half" or "two-thirds" of the grid on a wide screen.
    """

    def __init__(self, key: str, heading: str, width: str = "") -> None:
        super().__init__("section", "", f"card {width}".strip(), id=key, aria_labelledby=f"{key}-heading")
        with self:
            self.heading = Text("h2", heading, id=f"{key}-heading")
