"""The NAV bridge: why the NAV of the shares outstanding is another one than it was, in parts that add up exactly.

    NAV now - NAV then = price + income + fees + flows + unexplained

- **price**: what was held then, at today's price, less its value then.
- **income**: what accrued (interest, staking, claimable rewards), less interest that accrued on debts.
- **fees**: what the fund came to owe in fees over the time, as a negative number.
- **flows**: deposits settled and fees paid in shares, less redemptions and dividends.
- **unexplained**: every other change of the amounts held and owed, less the flows that moved them.

Income that is collected, a loan taken or repaid, a swap: each moves two positions, and in the sum both sides cancel.
What is left is what trading gained or lost against the prices, interest that compounds inside balances, and whatever is
wrong. All of it is of NAV_before, the NAV of the shares outstanding: queued deposits enter with their settlement.

Each part is a Wad, signed. A position's value is rounded as in its valuation (assets and income down, debts and other
liabilities up) also at the mixed amount and price, so that no rounding is left over.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from navoracle.domain.flows import VaultFlows
from navoracle.domain.nav import FundValuation
from navoracle.domain.positions import Component
from navoracle.domain.units import WAD, RawAmount, Rounding, Wad, mul_div
from navoracle.domain.valuation import PositionValue

_INCOME = frozenset({Component.ACCRUED_INCOME, Component.REWARDS})
_COST = frozenset({Component.CASH, Component.COLLATERAL})


@dataclass(frozen=True, slots=True)
class HeldPosition:
    """One row of a valuation, as far as a bridge needs it; `value` (Wad) is a magnitude for what is owed."""

    position: str
    component: Component
    asset: str
    amount: RawAmount
    price: Wad
    value: Wad


@dataclass(frozen=True, slots=True)
class BridgeEnd:
    """One end of a bridge: a fund at one block.

    Attributes:
        rows: its positions without queued deposits.
        fees: fees payable (Wad).
        shares: shares outstanding.
        price_per_share: Wad, rounded down.
        totals: the vault's flows over its life, at the same block; None where they are not known.
    """

    rows: tuple[HeldPosition, ...]
    fees: Wad
    shares: Wad
    price_per_share: Wad
    totals: VaultFlows | None

    @property
    def nav(self) -> Wad:
        """NAV_before: assets and income less what is owed and fees payable."""
        return Wad(sum(_sign(row) * row.value for row in self.rows) - self.fees)


def end_of(valuation: FundValuation, totals: VaultFlows | None) -> BridgeEnd:
    """The end of a bridge that a valuation is; its NAV is the valuation's `before.nav`."""
    return BridgeEnd(
        rows=tuple(held(row) for row in valuation.positions if row.epoch is None),
        fees=valuation.fees.total,
        shares=valuation.shares,
        price_per_share=valuation.price_per_share,
        totals=totals,
    )


def held(row: PositionValue) -> HeldPosition:
    """What a bridge needs of a row."""
    return HeldPosition(row.position, row.component, row.asset, row.amount, row.price, row.value)


@dataclass(frozen=True, slots=True)
class PositionChange:
    """What one row contributes to the bridge (Wad, signed): `amount` is the change of what is held or owed."""

    position: str
    component: Component
    asset: str
    price: Wad
    income: Wad
    amount: Wad


@dataclass(frozen=True, slots=True)
class ShareReconciliation:
    """Shares outstanding against the vault's own flows; all 1e18 scale."""

    before: Wad
    minted: Wad
    fee_shares: Wad
    burned: Wad
    now: Wad

    @property
    def difference(self) -> Wad:
        """Shares that no flow explains: now - (before + minted + fee shares - burned)."""
        return Wad(self.now - (self.before + self.minted + self.fee_shares - self.burned))


@dataclass(frozen=True, slots=True)
class NavBridge:
    """Why the NAV changed.

    Attributes:
        before: NAV at the first end.
        now: NAV at the second end.
        price: see the module.
        income: see the module.
        fees: see the module.
        flows: None where the vault's flows are not known.
        unexplained: None likewise; the two together are then `residual`.
        residual: flows and unexplained together.
        base: what the unexplained part is measured against: the NAV before and the deposits settled since.
        shares: None where the flows are not known.
        changes: the rows' own parts, those that are all zero left out.
    """

    before: Wad
    now: Wad
    price: Wad
    income: Wad
    fees: Wad
    flows: Wad | None
    unexplained: Wad | None
    residual: Wad
    base: Wad
    shares: ShareReconciliation | None
    changes: tuple[PositionChange, ...]


def bridge(before: BridgeEnd, now: BridgeEnd) -> NavBridge:
    """Return the bridge from one valuation of a fund to a later one.

    Fees that were paid in shares left the fees payable: their value, at the share price of the first end and rounded
    down, is taken out of the fees' part and counted as a flow. It moves nothing between the other parts.

    Raises:
        DomainError: the vault's flows fell.
    """
    changes = _changes(before.rows, now.rows)
    price, income = sum(each.price for each in changes), sum(each.income for each in changes)
    amounts: int = sum(each.amount for each in changes)
    fees, flows, unexplained, shares = before.fees - now.fees, None, None, None
    residual, base = amounts, before.nav
    if before.totals is not None and now.totals is not None:
        period = now.totals.since(before.totals)
        paid = mul_div(period.fee_shares, before.price_per_share, WAD, Rounding.DOWN)
        moved = period.deposited - period.redeemed - period.dividends
        fees, flows, unexplained = fees - paid, Wad(moved + paid), Wad(amounts - moved)
        residual, base = amounts + paid, Wad(before.nav + period.deposited)
        shares = ShareReconciliation(before.shares, period.minted, period.fee_shares, period.burned, now.shares)
    return NavBridge(
        before=before.nav,
        now=now.nav,
        price=Wad(price),
        income=Wad(income),
        fees=Wad(fees),
        flows=flows,
        unexplained=unexplained,
        residual=Wad(residual),
        base=base,
        shares=shares,
        changes=tuple(each for each in changes if each.price or each.income or each.amount),
    )


_Key = tuple[str, str, str, int, int]


def _changes(before: Iterable[HeldPosition], now: Iterable[HeldPosition]) -> list[PositionChange]:
    """The parts of every row, matched by position, component, asset and scale."""
    then, here = _keyed(before), _keyed(now)
    gains = _gain_keys(then) | _gain_keys(here)
    found = []
    for key in {**then, **here}:
        old, new = then.get(key), here.get(key)
        row = new if new is not None else old
        if row is not None:
            price, income, amount = _parts(old, new, row, gain=key in gains)
            found.append(PositionChange(row.position, row.component, row.asset, Wad(price), Wad(income), Wad(amount)))
    return found


def _parts(
    old: HeldPosition | None, new: HeldPosition | None, row: HeldPosition, *, gain: bool
) -> tuple[int, int, int]:
    """(price, income, amount) of one row, signed; they add up to the change of its signed value."""
    sign = _sign(row)
    change = sign * ((0 if new is None else new.value) - (0 if old is None else old.value))
    price = 0 if old is None or new is None else sign * _price_effect(old, new, gain=gain)
    rest = change - price
    if _accrues(row, gain=gain) and (rest > 0) == (sign > 0):
        return price, rest, 0
    # Accrued income that shrinks was collected, interest that shrinks was paid: the other side is a balance.
    return price, 0, rest


def _price_effect(old: HeldPosition, new: HeldPosition, *, gain: bool) -> int:
    """The old amount at the new price less the old value (a magnitude for what is owed)."""
    if gain:
        return old.amount.value_at(new.price, Rounding.DOWN) - old.amount.value_at(old.price, Rounding.DOWN)
    if _is_marked(old):
        return old.amount.value_at(new.price, _rounding(old)) - old.value
    # What has accrued is worth more or less by the same factor.
    return mul_div(old.value, new.price, old.price, _rounding(old)) - old.value if old.price > 0 else 0


def _accrues(row: HeldPosition, *, gain: bool) -> bool:
    if row.component in _INCOME:
        return not gain
    return row.component is Component.DEBT and not _is_marked(row)


def _is_marked(row: HeldPosition) -> bool:
    """Whether the value is the amount at the price; of an accrual it is the interest on it."""
    return row.value == row.amount.value_at(row.price, _rounding(row))


def _gain_keys(rows: Mapping[_Key, HeldPosition]) -> set[_Key]:
    """The unrealized gains of positions carried at cost: income beside a cost of the same position and amount."""
    costs = {(row.position, row.asset, row.amount) for row in rows.values() if row.component in _COST}
    return {
        key
        for key, row in rows.items()
        if row.component is Component.ACCRUED_INCOME and (row.position, row.asset, row.amount) in costs
    }


def _keyed(rows: Iterable[HeldPosition]) -> dict[_Key, HeldPosition]:
    """Rows by what matches them; rows that are alike are told apart by their order."""
    seen: Counter[tuple[str, str, str, int]] = Counter()
    found: dict[_Key, HeldPosition] = {}
    for row in rows:
        key = (row.position, row.component.value, row.asset, row.amount.decimals)
        found[*key, seen[key]] = row
        seen[key] += 1
    return found


def _sign(row: HeldPosition) -> int:
    return -1 if row.component.is_liability else 1


def _rounding(row: HeldPosition) -> Rounding:
    return Rounding.UP if row.component.is_liability else Rounding.DOWN
