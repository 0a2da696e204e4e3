"""Vaults: our FundVault, Lagoon's, any of ERC-4626, and what is only a share token."""

from __future__ import annotations

from typing import Final

from navoracle.abi import decode_result
from navoracle.discovery.found import Found, FoundToken, Holding, Role
from navoracle.discovery.views import address_of, balance_of, named, roles, token_at, view
from navoracle.domain.positions import Component
from navoracle.ports import Address, Call, Read
from navoracle.vault_calls import DELIVERIES, DELIVERIES_TYPES, EPOCH_LENGTH, FEE_STATE

KNOWN_LAGOON: Final = "v0.6.0"

_LAGOON_ROLES: Final = {2: "safe", 4: "valuation_manager", 5: "security_council"}
"""The places in `getRolesStorage()` of those that a post depends on."""

_LAGOON_PLACES: Final = 7


def fund_vault(contract: Address) -> Read[Found]:
    """A FundVault. Source: `contracts/src/vault/IFundVault.sol`."""
    registry = yield from named(contract, "registry()")
    fund_id = yield from view(contract, "fundId()", "uint256")
    asset = yield from named(contract, "asset()")
    custodian = yield from named(contract, "custodian()")
    deliveries, *_ = yield (Call(contract, DELIVERIES), Call(contract, EPOCH_LENGTH), Call(contract, FEE_STATE))
    tokens, _, _ = decode_result(DELIVERIES_TYPES, deliveries)
    base = yield from token_at(asset)
    payouts = []
    for token in tokens:
        found = address_of(token)
        if found is not None and found != asset:
            payouts.append((yield from token_at(found)))
    held = yield from _holding(base, custodian)
    told = yield from roles(contract, custodian="custodian()", fee_recipient="feeRecipient()")
    return Found(
        "fund_vault",
        contract,
        shares=(yield from token_at(contract)),
        base=base,
        roles=told,
        holdings=(held,),
        registry=registry,
        fund_id=fund_id,
        payouts=tuple(payouts),
        notes=("what else the custodian holds or owes for the fund, nobody but you can know: add it as positions",),
    )


def lagoon(contract: Address) -> Read[Found]:
    """A vault of Lagoon: what it holds lies in its Safe."""
    version = yield from view(contract, "version()", "string")
    answers = yield from view(contract, "getRolesStorage()", *("address",) * _LAGOON_PLACES)
    base = yield from token_at((yield from named(contract, "asset()")))
    total = yield from view(contract, "totalAssets()", "uint256")
    accounts = {name: address_of(answers[place]) for place, name in _LAGOON_ROLES.items()}
    safe = accounts["safe"]
    notes = [] if version == KNOWN_LAGOON else [f"it is of version {version!r}, and only {KNOWN_LAGOON} is posted to"]
    return Found(
        "lagoon",
        contract,
        shares=(yield from token_at(contract)),
        base=base,
        roles=tuple(Role(name, account) for name, account in accounts.items() if account is not None),
        holdings=() if safe is None else ((yield from _holding(base, safe)),),
        total=total,
        settings={"post_unguarded": False},
        notes=tuple(notes),
    )


def erc4626(contract: Address) -> Read[Found]:
    """A vault of ERC-4626: what it has not deployed lies in itself."""
    base = yield from token_at((yield from named(contract, "asset()")))
    total = yield from view(contract, "totalAssets()", "uint256")
    shares = yield from token_at(contract)
    held = yield from _holding(base, contract)
    told = yield from roles(contract, owner="owner()", curator="curator()", guardian="guardian()")
    return Found("erc4626", contract, shares=shares, base=base, roles=told, holdings=(held,), total=total)


def share_token(contract: Address) -> Read[Found]:
    """A token that may be a fund's shares; where the fund's assets are, it does not say."""
    shares = yield from token_at(contract)
    yield from view(contract, "totalSupply()", "uint256")
    told = yield from roles(contract, owner="owner()")
    return Found("token", contract, shares=shares, roles=told)


def _holding(token: FoundToken, holder: Address) -> Read[Holding]:
    return Holding(token, holder, (yield from balance_of(token, holder)), Component.CASH)
