"""What frames show on a terminal."""

from __future__ import annotations

from io import StringIO

from rich.console import Console

from navoracle.cli.documents import fund_document
from navoracle.cli.tables import show_failures, show_fund
from navoracle.domain.failures import Failure
from navoracle.domain.frame import FundFrame, GuardDistance, NavStatus
from tests.unit.domain.guard_facts import fund


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


NEAR = GuardDistance(8_300, 10_000, 8_300, 25_000, 8_300, "step")


def test_show_fund__with_a_band_to_post_within__says_how_much_of_it_the_post_would_use() -> None:
    out = StringIO()
    show_fund(
        Console(file=out, width=200, highlight=False),
        FundFrame("f", NavStatus.LIVE, None, fund(), (), (), distance=NEAR),
        "USD",
    )
    assert "this post would use 83 % of the contract's band" in out.getvalue()


def test_fund_document__distance__is_in_the_contracts_own_units() -> None:
    found = FundFrame("f", NavStatus.LIVE, None, fund(), (), (), distance=NEAR)
    assert fund_document(found, None)["guard_distance"] == {
        "used_bps": 8_300,
        "within": True,
        "binds": "step",
        "step": 8_300,
        "step_limit": 10_000,
        "day": 8_300,
        "day_limit": 25_000,
    }
    assert fund_document(FundFrame("f", NavStatus.HALTED, "unread", None, (), ()), None)["guard_distance"] is None
