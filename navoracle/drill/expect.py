"""What a row expects, said so that a person can read why it was not met."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from navoracle.store_port import SlotRow, SlotState


class RowFailed(Exception):
    """A row was not survived: what was expected, and what was found instead."""


def require(holds: bool, what: str) -> None:
    """Raises RowFailed unless it holds."""
    if not holds:
        raise RowFailed(what)


def require_posted(slots: Mapping[str, SlotRow], funds: Iterable[str]) -> None:
    """Every fund's slot ended as posted."""
    for fund in funds:
        row = slots.get(fund)
        require(row is not None, f"{fund} has no slot")
        if row is not None:
            require(row.state is SlotState.POSTED, f"{fund} is {row.state.value} ({row.reason}), not posted")


def require_not_posted(slots: Mapping[str, SlotRow], funds: Iterable[str], *reasons: str) -> None:
    """Every fund's slot ended otherwise, with a reason that has one of these words in it."""
    for fund in funds:
        row = slots.get(fund)
        require(row is not None, f"{fund} has no slot")
        if row is None:
            continue
        require(row.state is not SlotState.POSTED, f"{fund} was posted")
        said = (row.reason or "").lower()
        require(
            not reasons or any(reason.lower() in said for reason in reasons),
            f"{fund} is {row.state.value} for {row.reason!r}; expected one of {', '.join(reasons)}",
        )
