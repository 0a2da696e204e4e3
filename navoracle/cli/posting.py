"""How a slot ended for each fund: what was found, whether it was posted, what an operator can do, the exit code."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from navoracle.cli.exit_codes import ExitCode
from navoracle.domain.units import Timestamp
from navoracle.keeper.advice import advice_for
from navoracle.store_port import SlotState

if TYPE_CHECKING:
    from navoracle.domain.frame import FundFrame, NavFrame
    from navoracle.keeper.submissions import Previewed
    from navoracle.store_port import SlotOutcome

DRY_RUN = "dry_run"
SLOT_TAKEN = "slot_taken"
NO_REGISTRY = "no_registry"

_ADVICE: Mapping[str, str] = {
    SLOT_TAKEN: "The slot was worked on before; see `navoracle history`, or leave --at out.",
    NO_REGISTRY: "Deploy a registry with `navoracle deploy`, and add it to the chain's configuration.",
}


@dataclass(frozen=True, slots=True)
class Posting:
    """One slot: its frames, how it ended for each fund, the transactions by post, and what the contracts said."""

    slot_time: Timestamp
    live: bool
    frames: tuple[NavFrame, ...]
    outcomes: Mapping[str, SlotOutcome]
    transactions: Mapping[int, str]
    previewed: Mapping[str, Previewed] = field(default_factory=dict)

    def found(self, fund: str) -> FundFrame | None:
        """What the frame that decided found for a fund; None where none was run."""
        frame = next((each for each in self.frames if each.id == self.outcomes[fund].frame), None)
        return None if frame is None else next((part for part in frame.funds if part.fund == fund), None)

    def transaction(self, fund: str) -> str | None:
        """The transaction that a fund was posted with."""
        post = self.outcomes[fund].post
        return None if post is None else self.transactions.get(post)

    def succeeded(self, fund: str) -> bool:
        """Whether the fund was posted, or would have been in a dry run."""
        outcome = self.outcomes[fund]
        return outcome.state is SlotState.POSTED or (not self.live and outcome.reason == DRY_RUN)

    def advice(self, fund: str) -> str:
        """What an operator can do about a fund that was not posted; empty when nothing is wrong."""
        if self.succeeded(fund):
            return ""
        found, reason = self.found(fund), self.outcomes[fund].reason or ""
        if reason in _ADVICE:
            return _ADVICE[reason]
        if found is not None and not found.postable:
            return advice_for(found)
        if self.outcomes[fund].state is SlotState.CLAIMED:
            return (
                "The transaction is on its way: do not repeat it. `navoracle run` sees it to its end and ends the slot."
            )
        if said := self._said_by_contract(fund):
            return said
        if self.outcomes[fund].state is SlotState.FAILED:
            return "Check the chain and its node, then look the post up with `navoracle history` before you repeat it."
        return "The contract does not take this value: see its bounds and holds; a registry's RISK accepts."

    def _said_by_contract(self, fund: str) -> str:
        """What the contract's own answer advises: once it was mined, or before it was sent."""
        previewed = self.previewed.get(fund)
        if previewed is None:
            return ""
        return previewed.preview.advice if previewed.read_back is None else previewed.read_back.advice

    def result(self, fund: str) -> str:
        """How it ended, in words."""
        outcome = self.outcomes[fund]
        if not self.live and outcome.reason == DRY_RUN:
            return "would be posted"
        return outcome.state.value if outcome.reason is None else f"{outcome.state.value} ({outcome.reason})"

    def exit_code(self) -> ExitCode:
        """0 all posted, 6 some; else 5 when the chain failed, 4 without a registry, 3 when guards refused."""
        done = [self.succeeded(fund) for fund in self.outcomes]
        if all(done):
            return ExitCode.OK
        if any(done):
            return ExitCode.PARTLY
        if any(outcome.state in (SlotState.FAILED, SlotState.CLAIMED) for outcome in self.outcomes.values()):
            return ExitCode.CHAIN
        if all(outcome.reason == NO_REGISTRY for outcome in self.outcomes.values()):
            return ExitCode.CONFIGURATION
        return ExitCode.GUARD


ERRORS: Mapping[ExitCode, str] = {
    ExitCode.PARTLY: "partly_done",
    ExitCode.CHAIN: "chain",
    ExitCode.CONFIGURATION: "configuration",
    ExitCode.GUARD: "guard_refused",
}
