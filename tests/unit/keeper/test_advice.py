"""What an operator is told first about a fund that may not be posted."""

from __future__ import annotations

from navoracle.domain.failures import Failure
from navoracle.domain.frame import FundFrame, NavStatus
from navoracle.domain.verdicts import Outcome, Verdict
from navoracle.keeper.advice import advice_for

BROKEN = Failure("f.x", "empty_result", "nothing there", "Restore the reader.")


def part(status: NavStatus, reason: str | None, *verdicts: Verdict, failures: tuple[Failure, ...] = ()) -> FundFrame:
    return FundFrame("f", status, reason, None, verdicts, failures)


def test_advice__postable__is_empty() -> None:
    assert advice_for(part(NavStatus.LIVE, None, failures=(BROKEN,))) == ""


def test_advice__the_verdict_that_decided__comes_before_a_source_that_failed_beside_it() -> None:
    breaker = Verdict("breaker", Outcome.HALT, "open", "Look into the reason.")
    assert advice_for(part(NavStatus.HALTED, "breaker", breaker, failures=(BROKEN,))) == "Look into the reason."


def test_advice__halt_that_is_called_otherwise_than_its_check__is_found_by_its_reason() -> None:
    old = Verdict("baseline_age", Outcome.HALT, "old", "Ask for a re-base.")
    other = Verdict("interval", Outcome.HALT, "soon", "Wait.")
    assert advice_for(part(NavStatus.HALTED, "baseline_too_old", other, old)) == "Ask for a re-base."


def test_advice__reader_that_failed__is_what_to_restore() -> None:
    assert advice_for(part(NavStatus.HALTED, "unread:f.x:empty_result", failures=(BROKEN,))) == "Restore the reader."


def test_advice__nothing_said__points_to_the_frame() -> None:
    assert "navoracle nav" in advice_for(part(NavStatus.HALTED, "estimated"))
