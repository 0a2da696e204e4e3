"""The sender's money: the day's budget, whether the balance covers what is under way, and how long it lasts."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from navoracle.chain.transactions.desk import Desk
from navoracle.domain.errors import FeeBudgetSpent, InsufficientFunds
from navoracle.domain.gas_fees import runway
from navoracle.domain.units import Timestamp
from navoracle.store_port.records import Severity
from navoracle.store_port.states import TransactionState
from navoracle.store_port.transactions import TransactionRow, Urgency

DAY: Final = 86_400
WINDOWS: Final = (6 * 3_600, DAY, 7 * DAY)
"""The seconds over which spending is measured; the dearest one decides how long the balance lasts."""

_TOP_UP: Final = "Send native coin to the sender; transactions go on by themselves once it is there."


def midnight(now: Timestamp) -> Timestamp:
    """When the UTC day began."""
    return Timestamp(now - now % DAY)


def reserved(rows: Iterable[TransactionRow]) -> int:
    """The most that transactions which are in no block yet can cost: of each, its dearest attempt."""
    unmined = (row for row in rows if row.state is not TransactionState.MINED)
    return sum(max((each.gas * each.max_fee for each in row.attempts), default=0) for row in unmined)


class Funds:
    """What may be spent and what there is."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._looked_at: Timestamp | None = None
        self._level: Severity | None = None

    def require_budget(self, urgency: Urgency, cost: int, others: Iterable[TransactionRow]) -> None:
        """See that the day's budget covers `cost` beside what is under way. Raises FeeBudgetSpent."""
        desk = self._desk
        budget = desk.policy.budget(urgency)
        if budget is None:
            return
        paid = desk.store.fees_paid_since(desk.chain, desk.sender, midnight(desk.clock.now()), urgency)
        under_way = reserved(row for row in others if row.intent.urgency is urgency)
        if paid + under_way + cost > budget:
            raise FeeBudgetSpent(
                f"{urgency.value} transactions of {desk.sender} on {desk.chain} have cost {paid} wei today, those "
                f"under way up to {under_way}; {cost} more would exceed the budget of {budget}",
                advice="Wait for the next UTC day or for lower fees, or raise the chain's fee budget.",
            )

    def require_balance(self, balance: int, cost: int, others: Iterable[TransactionRow]) -> None:
        """See that the balance covers `cost` beside what is under way. Raises InsufficientFunds."""
        desk = self._desk
        under_way = reserved(others)
        if balance < under_way + cost:
            raise InsufficientFunds(
                f"{desk.sender} has {balance} wei on {desk.chain}; a transaction of up to {cost} wei "
                f"and those under way of up to {under_way} are more",
                advice=_TOP_UP,
            )

    def spent_today(self) -> int:
        """Wei paid since the UTC day began."""
        return self._desk.store.fees_paid_since(self._desk.chain, self._desk.sender, midnight(self._desk.clock.now()))

    def lasts(self, balance: int) -> int | None:
        """How many seconds the balance lasts at the recent pace."""
        desk = self._desk
        now = desk.clock.now()
        spent = [
            (seconds, desk.store.fees_paid_since(desk.chain, desk.sender, Timestamp(now - seconds)))
            for seconds in WINDOWS
        ]
        return runway(balance, spent)

    async def look(self) -> None:
        """Every so often: report a balance that does not last, once for each level. Raises ChainError."""
        desk, now = self._desk, self._desk.clock.now()
        if self._looked_at is not None and 0 <= now - self._looked_at < desk.policy.funds_every:
            return
        balance = await desk.nodes.balance(desk.sender)
        self._looked_at = now
        left = self.lasts(balance)
        level = None
        if left is not None and left < desk.policy.low_funds:
            level = Severity.CRITICAL if left < desk.policy.critical_funds else Severity.WARNING
        if level is not None and level is not self._level:
            hours = f"{(left or 0) / 3_600:.1f} hours"
            message = f"{desk.sender} has {balance} wei on {desk.chain}, enough for {hours} at the recent pace"
            desk.tell("low_funds", level, message, _TOP_UP)
        self._level = level
