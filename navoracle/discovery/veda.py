"""Veda: the accountant of a boring vault, or the teller that names it. Source: `AccountantWithRateProviders.sol`."""

from __future__ import annotations

from typing import Final

from navoracle.abi import decode_result, encode_call
from navoracle.discovery.found import Found, Holding
from navoracle.discovery.views import balance_of, named, optional, roles, token_at, view
from navoracle.domain.positions import Component
from navoracle.domain.units import Rounding, mul_div
from navoracle.ports import Address, Call, Read

_STATE_TYPES: Final = (
    *("address", "uint96", "uint128", "uint128", "uint96", "uint16", "uint16", "uint64"),
    *("bool", "uint24", "uint16", "uint16"),
)


def veda(contract: Address) -> Read[Found]:
    """An accountant: its rate times the vault's supply is what the vault is said to have."""
    state = yield from view(contract, "accountantState()", *_STATE_TYPES)
    base = yield from token_at((yield from named(contract, "base()")))
    vault = yield from named(contract, "vault()")
    shares = yield from token_at(vault)
    (answer,) = yield (Call(vault, encode_call("totalSupply()")),)
    supply = decode_result(("uint256",), answer)[0]
    fixed = yield from optional(contract, "fixedRateAccountantState()", "uint256")
    rate, paused, owed = state[4], state[8], state[2]
    notes = (
        ["what the accountant owes in fees (feesOwedInBase) is owed by the fund: keep it up to date"] if owed else []
    )
    if paused:
        notes.append("the accountant is paused: it takes no rate until it is unpaused")
    return Found(
        "veda",
        contract,
        shares=shares,
        base=base,
        roles=(yield from roles(contract, owner="owner()", authority="authority()")),
        holdings=(Holding(base, vault, (yield from balance_of(base, vault)), Component.CASH),),
        total=mul_div(rate, supply, 10**shares.decimals, Rounding.UP),
        settings={"base_token": base.address, "fixed_rate": fixed is not None},
        notes=tuple(notes),
    )


def veda_teller(contract: Address) -> Read[Found]:
    """A teller: its accountant is what takes a rate."""
    yield from named(contract, "vault()")
    return (yield from veda((yield from named(contract, "accountant()"))))
