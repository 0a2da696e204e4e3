"""Deployment: contracts in general, and a NavRegistry with its roles, bounds and funds."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import rlp  # type: ignore[import-untyped]
from eth_utils.address import to_canonical_address, to_checksum_address
from eth_utils.crypto import keccak

from navoracle.abi import encode_call
from navoracle.chain.artifacts import artifact
from navoracle.chain.transactor import Web3Transactor
from navoracle.domain.errors import ChainError, ConfigurationError
from navoracle.domain.units import Timestamp, Wad
from navoracle.ports import NO_ADDRESS, Address
from navoracle.publisher_port import Receipt, SignedTransaction, Transactor
from navoracle.registry_port import GuardBounds

ROLE_POSTER: Final = 1
ROLE_RISK: Final = 2
ROLE_GUARDIAN: Final = 4
ROLE_ADMIN: Final = 8
ROLE_MANAGER: Final = 16
ROLE_ENGINE: Final = 32


@dataclass(frozen=True, slots=True)
class RegistryRoles:
    """Who may do what. The poster can hold neither RISK nor ADMIN; no address means that nobody has the role yet.

    `manager` and `engine` have no power on chain: by their roles the keeper knows whose requests count.
    """

    admin: Address
    poster: Address | None = None
    risk: Address | None = None
    guardian: Address | None = None
    manager: Address | None = None
    engine: Address | None = None


@dataclass(frozen=True, slots=True)
class FundOpening:
    """A fund to register, with the first value that posts are judged against (Wad, Unix seconds).

    `vault` is the address that the registry knows the fund by; `base` its unit of account, where that is a token.
    """

    fund_id: int
    vault: Address
    nav: Wad
    price_per_share: Wad
    valuation_time: Timestamp
    base: Address = NO_ADDRESS
    profile: int = 0


@dataclass(frozen=True, slots=True)
class DeployedRegistry:
    """A registry that was deployed, and what an operator still has to do by hand."""

    address: Address
    transactions: tuple[str, ...]
    remaining: tuple[str, ...]


async def transact(transactor: Transactor, to: Address, data: bytes, *, patience: float = 300.0) -> Receipt:
    """Simulate, send and wait for a call.

    Raises:
        CallReverted: the contract would refuse; nothing was sent.
        ChainError: it could not be sent, was not mined within `patience` seconds, or was mined and failed.
    """
    return await _send(transactor, await transactor.prepare(to, data), patience)


async def deploy_contract(transactor: Web3Transactor, creation_code: bytes, *, patience: float = 300.0) -> Address:
    """Create a contract and return its address. Raises as `transact` does."""
    transaction = await transactor.prepare_creation(creation_code)
    await _send(transactor, transaction, patience)
    return contract_address(transaction.sender, transaction.nonce)


def contract_address(sender: Address, nonce: int) -> Address:
    """The address of the contract that a sender creates with a nonce."""
    return Address(to_checksum_address(keccak(rlp.encode([to_canonical_address(sender), nonce]))[12:]))


async def deploy_registry(
    transactor: Web3Transactor,
    roles: RegistryRoles,
    *,
    bounds: GuardBounds | None = None,
    funds: Sequence[FundOpening] = (),
    max_post_age: int = 900,
    patience: float = 300.0,
) -> DeployedRegistry:
    """Deploy a NavRegistry, register its funds, give its roles.

    The transactor's address is ADMIN while it works. Where another address shall be ADMIN, it is made one at the end,
    and has to take the role from the transactor itself: the registry lets nobody give up ADMIN alone.

    Raises:
        ConfigurationError: the roles cannot be held together.
        CallReverted: the registry refuses a bound or a fund. ChainError: a transaction failed.
    """
    deployer = transactor.address
    if roles.poster is not None and roles.poster in (deployer, roles.admin, roles.risk):
        raise ConfigurationError(
            f"{roles.poster} cannot be POSTER and ADMIN or RISK at once (the deploying key is ADMIN while it works)",
            advice="Use a key for posting that has no other role.",
        )
    limits = bounds or GuardBounds()
    code = artifact("NavRegistry").creation_code(
        deployer,
        roles.poster or NO_ADDRESS,
        max_post_age,
        (limits.up_bps, limits.down_bps, limits.day_bps, limits.min_interval, limits.max_age),
    )
    registry = await deploy_contract(transactor, code, patience=patience)
    calls = [register_fund(fund) for fund in funds]
    calls += [
        encode_call("setRole(address,uint256)", address, bits) for address, bits in _role_bits(roles, deployer).items()
    ]
    receipts = [await transact(transactor, registry, call, patience=patience) for call in calls]
    remaining = () if roles.admin == deployer else (f"as {roles.admin}: setRole({deployer}, 0)",)
    return DeployedRegistry(registry, tuple(receipt.hash for receipt in receipts), remaining)


def register_fund(fund: FundOpening) -> bytes:
    """The call by which ADMIN registers a fund."""
    return encode_call(
        "registerFund(uint256,address,address,uint256,uint256,uint256,uint256)",
        fund.fund_id,
        fund.vault,
        fund.base,
        fund.profile,
        fund.nav,
        fund.price_per_share,
        fund.valuation_time,
    )


def _role_bits(roles: RegistryRoles, deployer: Address) -> dict[Address, int]:
    bits: dict[Address, int] = {}
    for address, role in (
        (roles.risk, ROLE_RISK),
        (roles.guardian, ROLE_GUARDIAN),
        (roles.manager, ROLE_MANAGER),
        (roles.engine, ROLE_ENGINE),
        (roles.admin, ROLE_ADMIN),
    ):
        if address is not None:
            bits[address] = bits.get(address, 0) | role
    # The deployer is ADMIN from the constructor on; it needs a call only for what it holds beside that.
    if deployer in bits and bits[deployer] | ROLE_ADMIN == ROLE_ADMIN:
        del bits[deployer]
    elif deployer in bits:
        bits[deployer] |= ROLE_ADMIN
    return bits


async def _send(transactor: Transactor, transaction: SignedTransaction, patience: float) -> Receipt:
    await transactor.send(transaction)
    try:
        async with asyncio.timeout(patience):
            while (receipt := await transactor.receipt(transaction.hash)) is None:
                await asyncio.sleep(1)
    except TimeoutError:
        raise ChainError(
            f"transaction {transaction.hash} was not mined within {patience:g} s",
            advice="Look the hash up before sending anything again: it may still be mined.",
        ) from None
    if not receipt.success:
        raise ChainError(
            f"transaction {transaction.hash} was mined in block {receipt.block_number} and failed",
            advice="The contract's state changed after the simulation: look at the transaction in an explorer.",
        )
    return receipt
