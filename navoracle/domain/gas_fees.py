"""What transactions cost, as integer arithmetic: first prices, replacements, intrinsic gas, how long a balance lasts.

Fees are wei per gas, balances and costs wei, times seconds.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from navoracle.domain.errors import OutOfRange

REPLACEMENT_PERCENT: Final = 110
"""What a node asks of a replacement, in percent of what it replaces, for both fee fields (geth's `pricebump`)."""

TRANSFER_GAS: Final = 21_000
"""What the least transaction uses."""

_ZERO_BYTE_GAS: Final = 4
_OTHER_BYTE_GAS: Final = 16


@dataclass(frozen=True, slots=True)
class Fees:
    """The two fee fields of a transaction: the most that it pays in all, and the part of it that is the tip.

    Raises:
        OutOfRange: not 0 <= max_tip <= max_fee.
    """

    max_fee: int
    max_tip: int

    def __post_init__(self) -> None:
        if not 0 <= self.max_tip <= self.max_fee:
            raise OutOfRange(
                f"a tip of {self.max_tip} does not fit into a fee of {self.max_fee}",
                advice="This is a defect of navoracle: report it.",
            )


@dataclass(frozen=True, slots=True)
class FeeLimits:
    """Between what a first price must lie: `ceiling` for the whole fee, the other two for the tip.

    Raises:
        OutOfRange: not 0 <= min_tip <= max_tip <= ceiling.
    """

    ceiling: int
    min_tip: int
    max_tip: int

    def __post_init__(self) -> None:
        if not 0 <= self.min_tip <= self.max_tip <= self.ceiling:
            raise OutOfRange(
                f"min_tip {self.min_tip}, max_tip {self.max_tip} and the ceiling {self.ceiling} contradict one another",
                advice="State 0 <= min_tip <= max_tip <= max_fee.",
            )


def suggested_fees(base_fee: int, tip: int, limits: FeeLimits) -> Fees:
    """What to offer now: the tip within its limits, and room for the base fee to double, up to the ceiling."""
    wanted = min(max(tip, limits.min_tip), limits.max_tip)
    return Fees(min(2 * base_fee + wanted, limits.ceiling), wanted)


def first_fees(base_fee: int, tip: int, limits: FeeLimits) -> Fees | None:
    """As `suggested_fees`; None where the ceiling does not even reach what the next block asks."""
    fees = suggested_fees(base_fee, tip, limits)
    return None if base_fee + fees.max_tip > limits.ceiling else fees


def least_replacement(fee: int) -> int:
    """The least that a node takes in the place of `fee`: 10 % more, rounded up, and more in any case."""
    return max(-(-fee * REPLACEMENT_PERCENT // 100), fee + 1)


def replacement_fees(old: Fees, wanted: Fees, ceiling: int) -> Fees | None:
    """The fees of a transaction that takes the place of one with `old`: both higher by 10 % or more.

    What is `wanted` counts where it is more. None where the ceiling leaves no room for a replacement.
    """
    least = Fees(least_replacement(old.max_fee), least_replacement(old.max_tip))
    if least.max_fee > ceiling:
        return None
    max_fee = min(max(least.max_fee, wanted.max_fee), ceiling)
    return Fees(max_fee, min(max(least.max_tip, wanted.max_tip), max_fee))


def lower_median(values: Iterable[int]) -> int:
    """The middle value of at least one; the lower one of two in the middle."""
    ranked = sorted(values)
    return ranked[(len(ranked) - 1) // 2]


def upper_median(values: Iterable[int]) -> int:
    """The middle value of at least one; the higher one of two in the middle."""
    ranked = sorted(values)
    return ranked[len(ranked) // 2]


def intrinsic_gas(data: bytes) -> int:
    """What a call uses before its first instruction: no estimate is lower."""
    zeros = data.count(0)
    return TRANSFER_GAS + _ZERO_BYTE_GAS * zeros + _OTHER_BYTE_GAS * (len(data) - zeros)


def gas_with_margin(estimate: int, block_limit: int) -> int:
    """The estimate and a fifth, rounded up, but no more than a block holds."""
    return min(-(-estimate * 12 // 10), block_limit)


def runway(balance: int, spent: Iterable[tuple[int, int]]) -> int | None:
    """How many seconds the balance lasts, rounded down; None where nothing was spent.

    Args:
        spent: for each window that is looked at, its seconds and what was spent in it; the dearest window decides.
    """
    lasts = [balance * seconds // cost for seconds, cost in spent if cost > 0]
    return min(lasts, default=None)
