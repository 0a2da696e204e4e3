"""Why something is not known: found by its place in the document, told as people talk."""

from __future__ import annotations

import pytest

from navoracle.dashboard.reasons import WORDS, explained, why


@pytest.mark.parametrize(
    ("unknown", "steps", "said"),
    [
        ({"/a/b": "no_gate"}, ("a", "b"), "the fund has no gate"),
        ({"/a/0/b": "no_debt"}, ("a", 0, "b"), "nothing is owed"),
        ({"/a/*/b": "no_debt"}, ("a", 7, "b"), "nothing is owed"),
        ({"/a/*/b": "no_debt", "/a/7/b": "no_nav"}, ("a", 7, "b"), WORDS["no_nav"]),
        ({"/symbols/a~1b~0c/x": "no_prices"}, ("symbols", "a/b~c", "x"), WORDS["no_prices"]),
        ({"/a": "no_gate"}, ("a", "b"), ""),
        ({}, ("a",), ""),
    ],
)
def test_why__place__is_the_reason_of_that_place_alone(
    unknown: dict[str, str], steps: tuple[str | int, ...], said: str
) -> None:
    assert why(unknown, *steps) == said


@pytest.mark.parametrize(
    ("reason", "said"),
    [
        ("", ""),
        ("a_new_word", "a new word"),
        ("ETH: no_prices", f"ETH: {WORDS['no_prices']}"),
        ("price_stale: USDC", "price_stale: USDC"),
        ("a price is missing", "a price is missing"),
    ],
)
def test_explained__reason__keeps_names_and_sentences_as_they_are(reason: str, said: str) -> None:
    assert explained(reason) == said
