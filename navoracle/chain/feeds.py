"""Feeds of a registry's funds: the factory, where a feed is or will be, and the calls that create it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from eth_utils.address import to_checksum_address

from navoracle.abi import decode_result, encode_call
from navoracle.chain.artifacts import artifact
from navoracle.chain.deploy import deploy_contract, transact
from navoracle.chain.reader import Web3ChainReader
from navoracle.chain.transactor import Web3Transactor
from navoracle.chain.versions import require_contract
from navoracle.domain.errors import ConfigurationError
from navoracle.ports import Address

FEED_DECIMALS: Final = (18, 8)
"""What a feed's answer may be scaled by."""

_KIND: Final = "(uint256,uint8,bool)"


@dataclass(frozen=True, slots=True)
class FeedKind:
    """One feed of one fund.

    Attributes:
        fund_id: the fund's number on the registry.
        decimals: of `latestRoundData`: 18 or 8.
        strict: whether `latestRoundData` reverts when the value should not be relied on.
    """

    fund_id: int
    decimals: int
    strict: bool


@dataclass(frozen=True, slots=True)
class FeedPlace:
    """Where a feed is, or will be when it is created."""

    address: Address
    created: bool


async def require_factory(reader: Web3ChainReader, factory: Address, registry: Address) -> None:
    """Refuse an address that is not this version's NavFeedFactory of that registry.

    Raises:
        ChainError: no contract there, another one, or another version of it.
        ConfigurationError: the factory of another registry.
    """
    await require_contract(reader, factory, "NavFeedFactory")
    (answer,) = decode_result(("address",), await reader.call(factory, encode_call("registry()")))
    found = Address(to_checksum_address(answer))
    if found != registry:
        raise ConfigurationError(
            f"the factory at {factory} makes feeds of the registry {found}, not of {registry}",
            advice="Name the factory of the configured registry, or name none to deploy one.",
        )


async def locate_feed(reader: Web3ChainReader, factory: Address, kind: FeedKind) -> FeedPlace:
    """Where the factory has, or would put, a feed; at the newest block.

    Raises:
        CallReverted: the fund is not registered, or a token has more decimals than feeds convert.
        ChainError: the chain cannot be read.
    """
    answer = await reader.call(factory, _call("feedOf", kind))
    address, created = decode_result(("address", "bool"), answer)
    return FeedPlace(Address(to_checksum_address(address)), created)


async def deploy_factory(transactor: Web3Transactor, registry: Address) -> Address:
    """Deploy the factory of a registry, with the code of both flavours. Raises as `deploy_contract`."""
    return await deploy_contract(transactor, artifact("NavFeedFactory").creation_code(registry))


async def create_feeds(transactor: Web3Transactor, factory: Address, kinds: Sequence[FeedKind]) -> tuple[str, ...]:
    """Create feeds one after the other; the hashes of the transactions. Raises as `transact`."""
    receipts = [await transact(transactor, factory, _call("createFeed", kind)) for kind in kinds]
    return tuple(receipt.hash for receipt in receipts)


def _call(function: str, kind: FeedKind) -> bytes:
    return encode_call(function + _KIND, kind.fund_id, kind.decimals, kind.strict)
