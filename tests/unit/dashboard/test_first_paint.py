"""What is seen first: text is text, and times are told as the page's script tells them."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from navoracle.dashboard import markup
from navoracle.dashboard.first_paint import told_time


class Read(HTMLParser):
    """What a browser reads."""

    def __init__(self, found: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(found)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


ANY = st.text(st.characters(blacklist_categories=("Cs", "Cc")))


@given(said=ANY, title=ANY)
def test_tag__any_text__comes_out_as_it_went_in(said: str, title: str) -> None:
    read = Read(markup.tag("p", {"title": title, "hidden": True, "role": None, "inert": False}, markup.text(said)))
    assert read.tags == [("p", {"title": title, "hidden": None})]
    assert read.text == said


def test_tag__input__has_no_end() -> None:
    assert markup.tag("input", {"type": "search"}) == '<input type="search">'


@pytest.mark.parametrize(
    ("attributes", "told"),
    [
        ({"data-since": "40"}, "1 min 0 s"),
        ({"data-since": "101"}, "0 s"),
        ({"data-until": "130"}, "in 30 s"),
        ({"data-until": "100"}, "due 0 s ago"),
        ({"data-until": "39"}, "due 1 min 1 s ago"),
        ({"id": "x"}, None),
    ],
)
def test_told_time__element_that_counts__says_what_the_script_would(
    attributes: dict[str, object], told: str | None
) -> None:
    assert told_time(attributes, 100) == told
