"""What an account holds of a token, and as what it counts: a balance, a vault's shares, or a loan."""

from __future__ import annotations

from navoracle.discovery.found import FoundToken, Holding
from navoracle.discovery.views import NOT_THERE, balance_of, named, optional, required, token_at
from navoracle.domain.errors import SourceRefused
from navoracle.domain.positions import Component
from navoracle.ports import Address, Read


def read_holding(token: Address, holder: Address) -> Read[Holding]:
    """Read a balance.

    Shares of an ERC-4626 vault count as its asset; tokens of Aave as their underlying, and its debt tokens, which are
    those that know a borrow allowance, as debt. Source: `IDebtToken` and `IAToken` of aave-v3-core.

    Raises:
        SourceRefused: there is no token.
    """
    try:
        found = yield from token_at(token)
        amount = yield from balance_of(found, holder)
    except NOT_THERE as error:
        raise SourceRefused(f"{token} does not answer as a token", advice="Check the address.") from error
    underlying = yield from _underlying_of_vault(token)
    if underlying is not None:
        return Holding(found, holder, amount, Component.COLLATERAL, underlying, through_vault=True)
    reserve = yield from optional(token, "UNDERLYING_ASSET_ADDRESS()", "address")
    if reserve is not None:
        lends = yield from optional(token, "RESERVE_TREASURY_ADDRESS()", "address")
        component = Component.COLLATERAL if lends is not None else Component.DEBT
        return Holding(
            found, holder, amount, component, (yield from token_at(required(reserve, f"the underlying of {token}")))
        )
    return Holding(found, holder, amount, Component.COLLATERAL)


def _underlying_of_vault(token: Address) -> Read[FoundToken | None]:
    try:
        asset = yield from named(token, "asset()")
        shares = yield from optional(token, "totalAssets()", "uint256")
        return None if shares is None else (yield from token_at(asset))
    except NOT_THERE:
        return None
