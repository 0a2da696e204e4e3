"""A liquidation at Aave v3 as the pool would execute it, to the wei, by the rules of its version.

From LiquidationLogic.sol (3.0 to 3.7). Pauses, grace periods and the sequencer's sentinel, which only delay a
liquidation, are not asked.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from navoracle.domain.aave_rules import AaveRules, percent
from navoracle.domain.errors import DomainError
from navoracle.domain.lending import AavePosition, AaveReserve
from navoracle.domain.units import WAD, Bps, RawAmount, Rounding, mul_div

CLOSE_FACTOR: Final = Bps(5_000)
"""The part of the debt that can be liquidated at once."""

FULL_CLOSE_HEALTH: Final = 95 * WAD // 100
"""At this health factor, and below it, all of the debt can be liquidated."""

SMALL: Final = 2_000 * 10**8
"""Collateral or debt under it (base currency, US dollar) can be liquidated whole, since 3.3."""

LEAST_LEFT: Final = SMALL // 2
"""What a liquidation leaves of both collateral and debt at least, unless it takes all of one, since 3.3."""


@dataclass(frozen=True, slots=True)
class AaveLiquidation:
    """What a liquidation takes and leaves.

    Attributes:
        debt_token, collateral_token: underlying tokens.
        repayable: the most that the pool lets a liquidator repay now (the collateral may not last for it).
        repaid: debt that the liquidator pays back.
        seized: collateral that the liquidator gets for it.
        protocol_fee: collateral that goes to the protocol, out of the bonus.
        written_off: debts that nobody will pay, by token; the account no longer owes them (since 3.3).
        lost: what the account loses by it (base currency): seized and fee, rounded up, less repaid, rounded down.
        before, after: the account, at the same prices.
    """

    debt_token: str
    collateral_token: str
    repayable: RawAmount
    repaid: RawAmount
    seized: RawAmount
    protocol_fee: RawAmount
    written_off: tuple[tuple[str, RawAmount], ...]
    lost: int
    before: AavePosition
    after: AavePosition


@dataclass(frozen=True, slots=True)
class _Taken:
    """Raw units: `seized` and `fee` of the collateral, `repaid` of the debt."""

    seized: int
    fee: int
    repaid: int


def simulate_liquidation(
    position: AavePosition, debt_token: str, collateral_token: str, debt_to_cover: int | None = None
) -> AaveLiquidation | None:
    """Liquidate an account, at the pool's prices in `position`; None while its health factor is at least 1.

    Args:
        debt_to_cover: raw units of the debt token; what is more than the pool allows is left out. None: as much as it
            allows, which since 3.3 may be less than `repayable`, so that enough is left over.

    Raises:
        DomainError: the account has no such debt or collateral, the amount is not positive or leaves too little over,
            or amounts are too small for the pool to count.
    """
    debt, collateral = position.reserve(debt_token), position.reserve(collateral_token)
    health = position.account().health_factor
    if health is None or health >= WAD:
        return None
    bonus = position.liquidation_bonus(collateral)
    if not position.counts(collateral) or bonus is None:
        raise DomainError(
            f"{collateral_token} is no collateral of the account that could be seized",
            advice="Name a token that the account has enabled as collateral.",
        )
    if debt.owed.value == 0:
        raise DomainError(f"the account owes no {debt_token}", advice="Name a token that the account owes.")
    if debt_to_cover is not None and debt_to_cover <= 0:
        raise DomainError(f"{debt_to_cover} of {debt_token} to cover", advice="State what the liquidator repays.")
    repayable = _repayable(position, debt, collateral, health)
    covered = repayable if debt_to_cover is None else min(repayable, debt_to_cover)
    taken = _available(position, debt, collateral, bonus, covered)
    if _leaves_dust(position, debt, collateral, taken):
        if debt_to_cover is not None:
            raise DomainError(
                f"repaying {covered} of {debt_token} leaves too little over",
                advice="Let the liquidator repay less, or all that the pool allows.",
            )
        taken = _most_without_dust(position, debt, collateral, bonus, covered)
    rules = position.rules
    if not rules.scaled_debt(taken.repaid, debt.debt_index) or not rules.scaled_supply(
        taken.seized, collateral.supply_index
    ):
        raise DomainError(
            f"{taken.seized} of {collateral_token} for {taken.repaid} of {debt_token} is too little for the pool",
            advice="Nobody can liquidate so little: treat the account as it is.",
        )
    return _executed(position, debt, collateral, repayable, taken)


def _repayable(position: AavePosition, debt: AaveReserve, collateral: AaveReserve, health: int) -> int:
    """What the close factor leaves of the debt in a reserve."""
    owed = debt.owed.value
    if health <= FULL_CLOSE_HEALTH:
        return owed
    if not position.rules.since(AaveRules.V3_3):
        return percent(owed, CLOSE_FACTOR)
    worth = position.owed_worth(debt)
    if min(worth, position.supplied_worth(collateral)) < SMALL:
        return owed
    half = percent(position.account().debt, CLOSE_FACTOR)
    return mul_div(half, debt.unit, position.price(debt), Rounding.DOWN) if worth > half else owed


def _available(position: AavePosition, debt: AaveReserve, collateral: AaveReserve, bonus: int, covered: int) -> _Taken:
    """Collateral for a debt, with its bonus; where there is not enough of it, the debt that all of it pays for."""
    rules, repaid = position.rules, covered
    owed_price, seized_price = position.price(debt), position.price(collateral)
    base = mul_div(owed_price * covered, collateral.unit, seized_price * debt.unit, Rounding.DOWN)
    amount = rules.with_bonus(base, bonus)
    if amount > collateral.supplied.value:
        amount = collateral.supplied.value
        worth = mul_div(seized_price * amount, debt.unit, owed_price * collateral.unit, Rounding.DOWN)
        repaid = rules.debt_for_all(worth, bonus)
    fee = 0
    if collateral.protocol_fee:
        fee = rules.protocol_fee(amount - rules.without_bonus(amount, bonus), collateral.protocol_fee)
    return _Taken(amount - fee, fee, repaid)


def _leaves_dust(position: AavePosition, debt: AaveReserve, collateral: AaveReserve, taken: _Taken) -> bool:
    """Whether the pool refuses because neither side is taken whole and one of them is left too small."""
    owed, left = debt.owed.value - taken.repaid, collateral.supplied.value - taken.seized - taken.fee
    if not position.rules.since(AaveRules.V3_3) or owed <= 0 or left <= 0:
        return False
    owed_worth = mul_div(owed, position.price(debt), debt.unit, position.rules.debt_rounding)
    left_worth = mul_div(left, position.price(collateral), collateral.unit, Rounding.DOWN)
    return min(owed_worth, left_worth) < LEAST_LEFT


def _most_without_dust(
    position: AavePosition, debt: AaveReserve, collateral: AaveReserve, bonus: int, covered: int
) -> _Taken:
    """The most, less than `covered`, that leaves enough over; what is left shrinks as more is repaid."""
    enough, too_much = 0, covered
    while too_much - enough > 1:
        middle = (enough + too_much) // 2
        if _leaves_dust(position, debt, collateral, _available(position, debt, collateral, bonus, middle)):
            too_much = middle
        else:
            enough = middle
    return _available(position, debt, collateral, bonus, enough)


def _executed(
    position: AavePosition, debt: AaveReserve, collateral: AaveReserve, repayable: int, taken: _Taken
) -> AaveLiquidation:
    rules, index = position.rules, collateral.supply_index
    held = rules.scaled_supply(collateral.supplied.value, index)
    left = held - rules.scaled_supply(taken.seized, index)
    scaled_fee = rules.scaled_supply(taken.fee, index)
    fee = taken.fee
    if scaled_fee > left:
        scaled_fee, fee = left, rules.supply(left, index)
    left -= scaled_fee
    ruined = _takes_all_collateral(position, collateral, taken, held - left)
    emptied = left == 0 if rules.since(AaveRules.V3_7) else taken.seized + taken.fee == collateral.supplied.value
    # Collateral and debt may be of one token: the second change is made to the first one's result.
    changed = {reserve.token: reserve for reserve in position.reserves}
    changed[debt.token] = _repay(rules, debt, taken.repaid)
    changed[collateral.token] = replace(
        changed[collateral.token],
        supplied=RawAmount(rules.supply(left, index), collateral.supplied.decimals),
        is_collateral=not (emptied or (ruined and rules.since(AaveRules.V3_7))),
    )
    written_off: list[tuple[str, RawAmount]] = []
    if ruined:
        for token, reserve in changed.items():
            # Of the repaid reserve, what is recorded is the amount before the burnt part was rounded.
            owed = debt.owed.value - taken.repaid if token == debt.token else reserve.owed.value
            if owed:
                written_off.append((token, RawAmount(owed, reserve.owed.decimals)))
            changed[token] = replace(reserve, owed=RawAmount(0, reserve.owed.decimals), owed_at_stable_rate=0)
    after = replace(position, reserves=tuple(changed[reserve.token] for reserve in position.reserves))
    lost = mul_div(taken.seized + taken.fee, position.price(collateral), collateral.unit, Rounding.UP)
    lost -= mul_div(taken.repaid, position.price(debt), debt.unit, Rounding.DOWN)
    return AaveLiquidation(
        debt_token=debt.token,
        collateral_token=collateral.token,
        repayable=RawAmount(repayable, debt.owed.decimals),
        repaid=RawAmount(taken.repaid, debt.owed.decimals),
        seized=RawAmount(taken.seized, collateral.supplied.decimals),
        protocol_fee=RawAmount(fee, collateral.supplied.decimals),
        written_off=tuple(written_off),
        lost=lost,
        before=position,
        after=after,
    )


def _takes_all_collateral(position: AavePosition, collateral: AaveReserve, taken: _Taken, scaled: int) -> bool:
    """Whether the account has no collateral left, so that its debts are written off (since 3.3)."""
    if not position.rules.since(AaveRules.V3_3):
        return False
    amount = taken.seized + taken.fee
    if position.rules.since(AaveRules.V3_7):
        amount = position.rules.supply(scaled, collateral.supply_index)
    worth = mul_div(amount, position.price(collateral), collateral.unit, Rounding.DOWN)
    return worth == position.account().collateral


def _repay(rules: AaveRules, reserve: AaveReserve, repaid: int) -> AaveReserve:
    """The reserve after a repayment: of the variable debt first, the rest of the one at the stable rate."""
    stable = reserve.owed_at_stable_rate
    variable = reserve.owed.value - stable
    if repaid > variable:
        stable, variable = stable - (repaid - variable), 0
    else:
        scaled = rules.scaled_debt(variable, reserve.debt_index) - rules.scaled_debt(repaid, reserve.debt_index)
        variable = rules.debt(scaled, reserve.debt_index)
    return replace(reserve, owed=RawAmount(variable + stable, reserve.owed.decimals), owed_at_stable_rate=stable)
