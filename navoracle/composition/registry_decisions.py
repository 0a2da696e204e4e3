"""What people decide on a registry with keys of their own: the exact call, all that speaks for it, and its sending."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass

from navoracle.abi import encode_call
from navoracle.chain.deploy import transact
from navoracle.chain.versions import require_contract
from navoracle.composition.signers import signer_of
from navoracle.composition.system import ChainAccess, chain_access, registry_inspector, transactor_with
from navoracle.config.chains import ChainSection
from navoracle.config.models import Config
from navoracle.config.signers import SignerSection
from navoracle.domain.errors import ConfigurationError, GuardRefused, UsageError
from navoracle.domain.prior import ConfirmedNav
from navoracle.keeper.proposals import (
    Decision,
    Proposal,
    accept_proposal,
    discard_proposal,
    held_post,
    release_proposal,
)
from navoracle.ports import Address
from navoracle.publisher_port import Receipt
from navoracle.publishers.nav_registry import NavRegistryPublisher
from navoracle.publishers.nav_registry_calls import NavRegistryCalls
from navoracle.registry_port import Hold, OwnCall
from navoracle.store_port import Store


@dataclass(frozen=True, slots=True)
class RegistryCall:
    """A call ready to be signed; `proposal` says what speaks for and against it, where there is something to weigh."""

    chain: str
    chain_id: int
    to: Address
    data: bytes
    proposal: Proposal | None = None


def registry_of(config: Config, fund: str) -> tuple[str, ChainSection, Address]:
    """The chain and the registry that a fund is posted to.

    Raises:
        UsageError: there is no such fund. ConfigurationError: it is posted to no registry.
    """
    section = config.funds.get(fund)
    if section is None:
        raise UsageError(f"there is no fund {fund}", advice=f"Name one of: {', '.join(config.funds)}.")
    chain = None if section.chain is None else config.chains[section.chain]
    if section.chain is None or chain is None or chain.registry is None:
        raise ConfigurationError(
            f"fund {fund} is posted to no registry", advice="Add `chain:` to the fund, and `registry:` to that chain."
        )
    return section.chain, chain, chain.registry


async def own_call(
    config: Config,
    fund: str,
    wanted: OwnCall,
    store: Store | None,
    *,
    chains: Mapping[str, ChainAccess] | None = None,
) -> RegistryCall:
    """The call that carries out a decision.

    Args:
        store: where our posts are, for the held record that is decided on; needed by ACCEPT and DISCARD.
        chains: how chains are reached, instead of by the configuration.

    Raises:
        GuardRefused: there is nothing to decide on, or a hold must be ended first.
        ChainError: the registry cannot be read. ConfigurationError: the contract is not the known one.
    """
    name, section, registry = registry_of(config, fund)
    async with AsyncExitStack() as stack:
        access = (chains or {}).get(name)
        if access is None:
            access = chain_access(name, section, live=False)
            stack.push_async_callback(access.reader.close)
        await require_contract(access.reader, registry, "NavRegistry")
        proposal = None
        if wanted in (OwnCall.PAUSE, OwnCall.RESUME):
            data = encode_call("setPaused(bool)", wanted is OwnCall.PAUSE)
        elif wanted is OwnCall.HOLD:
            data = NavRegistryCalls().hold([config.funds[fund].id])
        else:
            proposal = await _proposal(
                fund, config.funds[fund].id, name, registry, access, Decision(wanted.value), store
            )
            data = proposal.data
    return RegistryCall(name, section.chain_id, registry, data, proposal)


async def send_call(
    config: Config, call: RegistryCall, signer: SignerSection, *, chains: Mapping[str, ChainAccess] | None = None
) -> tuple[Address, Receipt]:
    """Simulate, sign and send the call with the signer's own key; returns the sender and the receipt.

    Raises:
        ConfigurationError: the key cannot be used.
        CallReverted: the registry would refuse it: the key may not hold the role. ChainError: it was not mined.
    """
    section = config.chains[call.chain]
    async with AsyncExitStack() as stack:
        access = (chains or {}).get(call.chain)
        if access is None:
            access = chain_access(call.chain, section, live=False)
            stack.push_async_callback(access.reader.close)
        transactor = transactor_with(signer_of(signer, "the given signer"), section, access.reader.endpoint)
        return transactor.address, await transact(transactor, call.to, call.data)


async def _proposal(
    fund: str,
    fund_id: int,
    chain: str,
    registry: Address,
    access: ChainAccess,
    decision: Decision,
    store: Store | None,
) -> Proposal:
    calls = NavRegistryCalls()
    publisher = NavRegistryPublisher(access.reader, chain=chain, registry=registry)
    state = await registry_inspector(access.reader, registry).inspect({fund: fund_id}, None)
    hold = state.holds.get(fund)
    served = (await publisher.confirmed({fund: fund_id})).get(fund)
    if hold is None or served is None:
        raise GuardRefused(
            f"the registry does not hold fund {fund}: there is nothing to {decision.value}",
            advice="`navoracle status` shows what it serves. A hold of a few blocks ago may not be final yet.",
        )
    if decision is Decision.RELEASE:
        return release_proposal(fund, fund_id, chain=chain, registry=registry, served=served, hold=hold, calls=calls)
    if store is None:
        raise UsageError(
            f"to {decision.value} what is held takes the keeper's database: it has the record",
            advice="Name it with --database, or run this where the keeper runs.",
        )
    try:
        post = held_post(store.posts(fund), fund, hold, calls)
    except GuardRefused:
        if decision is Decision.DISCARD and hold.digest is not None:
            return _unknown_record(fund, fund_id, chain, registry, served, hold)
        raise
    make = accept_proposal if decision is Decision.ACCEPT else discard_proposal
    found = next((part for part in store.fund_frames(fund, post.frame)), None)
    return make(post, fund, served=served, hold=hold, status=None if found is None else found.status, calls=calls)


def _unknown_record(
    fund: str, fund_id: int, chain: str, registry: Address, served: ConfirmedNav, hold: Hold
) -> Proposal:
    """To forget a record that none of our posts carried: there is nothing that could be said of it."""
    return Proposal(
        decision=Decision.DISCARD,
        fund=fund,
        fund_id=fund_id,
        chain=chain,
        to=registry,
        data=NavRegistryCalls().discard(fund_id),
        served=served.price_per_share,
        served_time=served.valuation_time,
        held_for=hold.reasons,
        since=hold.since,
    )
