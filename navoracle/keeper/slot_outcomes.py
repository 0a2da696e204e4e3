"""How a slot ended: by the keeper's own verdict, or by what became of its post."""

from __future__ import annotations

from typing import Final

from navoracle.domain.frame import FundFrame, NavFrame, NavStatus
from navoracle.keeper.submissions import Submission
from navoracle.store_port import SlotOutcome, SlotState

_HELD_BY_KEEPER: Final = frozenset({NavStatus.SUSPICIOUS, NavStatus.INSOLVENT})


def outcome_of(found: FundFrame, frame: NavFrame, submission: Submission | None) -> SlotOutcome:
    """How a fund's slot ended: by the keeper's own verdict, or by what became of its post."""
    if not found.postable:
        state = SlotState.HELD if found.status in _HELD_BY_KEEPER else SlotState.SKIPPED
        return SlotOutcome(state, found.reason, frame.id, None)
    if submission is None:
        return SlotOutcome(SlotState.SKIPPED, "no_registry", frame.id, None)
    return outcome_of_submission(found.fund, frame.id, submission)


def outcome_of_submission(fund: str, frame: str, submission: Submission) -> SlotOutcome:
    """How a fund's slot ended by its post; CLAIMED while its transaction is under way."""
    if fund in submission.refused:
        return SlotOutcome(SlotState.SKIPPED, submission.refused[fund], frame, None)
    if fund in submission.proposed:
        return SlotOutcome(SlotState.HELD, submission.proposed[fund], frame, None)
    if fund in submission.failed:
        return SlotOutcome(SlotState.FAILED, submission.failed[fund], frame, None)
    sent = submission.batch_of(fund)
    if sent is None:
        return SlotOutcome(SlotState.FAILED, "not_sent", frame, None)
    if sent.failed is not None:
        return SlotOutcome(SlotState.FAILED, sent.failed, frame, sent.post.id)
    for read_back in sent.read_backs or ():
        if read_back.fund == fund:
            state = SlotState.POSTED if read_back.accepted else SlotState.HELD
            reason = None if read_back.reason is None else f"{submission.label}:{read_back.reason}"
            if sent.follow_up is not None:
                reason = f"{reason or submission.label}; {sent.follow_up}"
            return SlotOutcome(state, reason, frame, sent.post.id)
    return SlotOutcome(SlotState.CLAIMED, sent.unanswered or "not settled yet", frame, sent.post.id)
