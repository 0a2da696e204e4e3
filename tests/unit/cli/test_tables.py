"""What frames show on a terminal."""

from __future__ import annotations

from io import StringIO

from rich.console import Console

from navoracle.cli.tables import show_failures
from navoracle.domain.frame import Failure


def shown(*failures: Failure) -> list[str]:
    out = StringIO()
    show_failures(Console(file=out, width=200, highlight=False), failures)
    return out.getvalue().splitlines()


def failure(reader: str, advice: str = "Check the address.") -> Failure:
    return Failure(reader, "empty_result", f"{reader}: empty answer", advice)


def test_show_failures__none__shows_nothing() -> None:
    assert shown() == []


def test_show_failures__reader_named_in_its_message__is_named_once() -> None:
    assert shown(failure("a.b"), failure("a.b")) == ["failed a.b: empty answer", "  advice: Check the address."]


def test_show_failures__same_advice_in_a_row__comes_once_after_them() -> None:
    assert shown(failure("a"), failure("b"), failure("c", "Wait."), failure("d", ""), failure("e")) == [
        "failed a: empty answer",
        "failed b: empty answer",
        "  advice: Check the address.",
        "failed c: empty answer",
        "  advice: Wait.",
        "failed d: empty answer",
        "failed e: empty answer",
        "  advice: Check the address.",
    ]
