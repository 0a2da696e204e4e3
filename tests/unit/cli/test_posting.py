"""How a slot's outcomes become one exit code and advice for each fund."""

from __future__ import annotations

import pytest

from navoracle.cli.exit_codes import ExitCode
from navoracle.cli.posting import DRY_RUN, NO_REGISTRY, SLOT_TAKEN, Posting
from navoracle.domain.units import Timestamp
from navoracle.store_port.records import SlotOutcome, SlotState

POSTED = SlotOutcome(SlotState.POSTED, None, None, 1)
HELD = SlotOutcome(SlotState.HELD, "insolvent", None, None)
SKIPPED = SlotOutcome(SlotState.SKIPPED, "unpriced:ETH:no_quorum", None, None)
FAILED = SlotOutcome(SlotState.FAILED, "chain: no answer", None, None)
ON_ITS_WAY = SlotOutcome(SlotState.CLAIMED, "not settled yet", None, 1)
TAKEN = SlotOutcome(SlotState.SKIPPED, SLOT_TAKEN, None, None)
UNREGISTERED = SlotOutcome(SlotState.SKIPPED, NO_REGISTRY, None, None)
REHEARSED = SlotOutcome(SlotState.SKIPPED, DRY_RUN, None, None)


def posting(*outcomes: SlotOutcome, live: bool = True) -> Posting:
    return Posting(Timestamp(1), live, (), {str(index): each for index, each in enumerate(outcomes)}, {1: "0xhash"})


@pytest.mark.parametrize(
    ("outcomes", "code"),
    [
        ([POSTED, POSTED], ExitCode.OK),
        ([POSTED, HELD], ExitCode.PARTLY),
        ([POSTED, FAILED], ExitCode.PARTLY),
        ([HELD, SKIPPED], ExitCode.GUARD),
        ([TAKEN], ExitCode.GUARD),
        ([FAILED, HELD], ExitCode.CHAIN),
        ([ON_ITS_WAY, HELD], ExitCode.CHAIN),
        ([UNREGISTERED], ExitCode.CONFIGURATION),
        ([UNREGISTERED, HELD], ExitCode.GUARD),
        ([REHEARSED], ExitCode.GUARD),  # a live run that did not send is no success
    ],
)
def test_exit_code__live_outcomes__says_all_some_or_none(outcomes: list[SlotOutcome], code: ExitCode) -> None:
    assert posting(*outcomes).exit_code() is code


def test_exit_code__dry_run__counts_what_would_be_posted() -> None:
    assert posting(REHEARSED, REHEARSED, live=False).exit_code() is ExitCode.OK
    assert posting(REHEARSED, HELD, live=False).exit_code() is ExitCode.PARTLY
    would_hold = SlotOutcome(SlotState.SKIPPED, "dry_run: the contract would hold it (step)", None, None)
    assert posting(would_hold, live=False).exit_code() is ExitCode.GUARD


def test_advice__fund_that_was_not_posted__always_has_some() -> None:
    mixed = posting(POSTED, HELD, SKIPPED, FAILED, TAKEN, UNREGISTERED)
    assert mixed.advice("0") == ""
    assert all(mixed.advice(str(index)) for index in range(1, 6))


def test_advice__transaction_on_its_way__warns_of_repeating_it() -> None:
    assert "do not repeat it" in posting(ON_ITS_WAY).advice("0")


def test_transaction__posted_fund__is_that_of_its_post() -> None:
    assert posting(POSTED, HELD).transaction("0") == "0xhash"
    assert posting(POSTED, HELD).transaction("1") is None
