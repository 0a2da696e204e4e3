"""Mellow: an oracle, the submitter before it, the vault that names it, or a permissioned feed.

Source: `src/oracles` and `src/vaults` of mellow-finance/flexible-vaults.
"""

from __future__ import annotations

from navoracle.abi import decode_result, encode_call
from navoracle.discovery.found import Found, FoundToken
from navoracle.discovery.views import NOT_THERE, address_of, named, optional, required, roles, token_at, view
from navoracle.domain.errors import SourceRefused
from navoracle.ports import Address, Call, Read


def mellow(contract: Address) -> Read[Found]:
    """An oracle: the vault's base asset, and every asset that it supports."""
    return (yield from _oracle("mellow", contract, contract))


def mellow_submitter(contract: Address) -> Read[Found]:
    """A submitter, which reports are sent to in the oracle's place."""
    yield from named(contract, "baseAsset()")
    return (yield from _oracle("mellow_submitter", contract, (yield from named(contract, "oracle()"))))


def mellow_vault(contract: Address) -> Read[Found]:
    """A vault: its oracle is what takes reports."""
    yield from named(contract, "feeManager()")
    oracle = yield from named(contract, "oracle()")
    return (yield from _oracle("mellow", oracle, oracle))


def mellow_feed(contract: Address) -> Read[Found]:
    """A permissioned feed: its bounds and its owner; which token it prices, it does not say."""
    yield from view(contract, "minAllowedAnswer()", "int256")
    yield from view(contract, "maxAllowedAnswer()", "int256")
    yield from view(contract, "latestTimestamp()", "uint256")
    return Found("mellow_feed", contract, roles=(yield from roles(contract, owner="owner()")), settings={})


def _oracle(kind: str, contract: Address, oracle: Address) -> Read[Found]:
    count = yield from view(oracle, "supportedAssets()", "uint256")
    vault = yield from named(oracle, "vault()")
    yield from _security_params(oracle)
    if not count:
        raise SourceRefused(f"{oracle} supports no asset", advice="Add one: a report is of an asset.")
    answers = yield tuple(Call(oracle, encode_call("supportedAssetAt(uint256)", place)) for place in range(count))
    addresses = [required(decode_result(("address",), answer)[0], "a supported asset") for answer in answers]
    tokens: dict[Address, FoundToken] = {}
    for address in addresses:
        tokens[address] = yield from token_at(address)
    base = yield from _base(vault, addresses)
    others = tuple(token for address, token in tokens.items() if address != base)
    return Found(
        kind,
        contract,
        shares=(yield from _shares(vault)),
        base=None if base is None else tokens[base],
        settings={"send_suspicious": False},
        priced=others,
        notes=() if base is not None else ("the vault names no base asset among those of its oracle",),
    )


def _security_params(oracle: Address) -> Read[None]:
    yield from view(oracle, "securityParams()", *("uint224", "uint224", "uint64", "uint64"), *("uint32",) * 3)


def _base(vault: Address, supported: list[Address]) -> Read[Address | None]:
    manager = yield from named(vault, "feeManager()")
    (answer,) = yield (Call(manager, encode_call("baseAsset(address)", vault)),)
    base = address_of(decode_result(("address",), answer)[0])
    return base if base in supported else None


def _shares(vault: Address) -> Read[FoundToken | None]:
    manager = yield from optional(vault, "shareManager()", "address")
    found = None if manager is None else address_of(manager)
    try:
        return None if found is None else (yield from token_at(found))
    except NOT_THERE:
        return None
