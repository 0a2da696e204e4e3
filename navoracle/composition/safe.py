"""Proposals to a Safe by the configuration, and the examination of one by whoever has its file."""

from __future__ import annotations

from functools import partial
from typing import Final

from navoracle.chain.connect import endpoint_at
from navoracle.chain.pool import NodePool
from navoracle.chain.reader import Web3ChainReader
from navoracle.chain.reverts import describe_revert
from navoracle.chain.signers import Signer, sign_checked
from navoracle.config.safe import SafeSection
from navoracle.lane_port import ProposedCall
from navoracle.ports import Address, Clock
from navoracle.safe import (
    Examination,
    Placement,
    ProposalDesk,
    ProposalFolder,
    Proposals,
    Purpose,
    SafeCall,
    ServiceProposals,
    SignedProposal,
    TransactionService,
    examine,
)
from navoracle.safe.service import ServiceAddress

TIMEOUT: Final = 20.0
"""Seconds for a request to the node that an owner names."""


def proposal_desk(section: SafeSection, reader: Web3ChainReader, signer: Signer, clock: Clock) -> ProposalDesk:
    """The desk of a chain's Safe; keep one for each Safe.

    Args:
        reader: of the Safe's chain.
        signer: the proposer's: that of the section, else the chain's own.

    Raises:
        ConfigurationError: a service is configured and safe-eth-py is not installed, or knows no service of the chain.
    """
    return ProposalDesk(
        chain=reader,
        safe=section.address,
        proposals=_proposals(section, reader.chain_id),
        clock=clock,
        proposer=signer.address,
        sign=partial(sign_checked, signer),
        explain=describe_revert,
        multisend=section.multisend,
        placement=Placement(section.placement),
    )


def _proposals(section: SafeSection, chain_id: int) -> Proposals:
    folder = ProposalFolder(section.folder)
    said = section.service
    if said is None:
        return folder
    key = None if said.api_key is None else said.api_key.get_secret_value()
    return ServiceProposals(folder, TransactionService(ServiceAddress(chain_id, said.url, key, said.timeout)))


def safe_proposer(
    section: SafeSection | None, reader: Web3ChainReader, signer: Signer | None, clock: Clock
) -> SafeProposer | None:
    """What proposes a chain's posts; None where they are sent. Raises as `proposal_desk`."""
    if section is None or signer is None:
        return None
    return SafeProposer(proposal_desk(section, reader, signer, clock), section.address)


class SafeProposer:
    """Posts as proposals to a Safe. Implements `lane_port.Proposer`."""

    def __init__(self, desk: ProposalDesk, safe: Address) -> None:
        self._desk = desk
        self._safe = safe

    @property
    def address(self) -> Address:
        """The Safe: it is the sender once its owners have signed."""
        return self._safe

    async def propose(self, call: ProposedCall) -> str:
        """Propose the call; the place says how the proposal stands, at which nonce, and which it is.

        Raises:
            GuardRefused, ChainError, ConfigurationError, VerificationFailed, SignerFailed: see `ProposalDesk.propose`.
        """
        purpose = Purpose(
            call.action, call.funds, call.slot_time, call.valuation_time, call.valid_until, call.sentences
        )
        outcome = await self._desk.propose([SafeCall(call.to, call.data)], purpose)
        found = outcome.transaction
        return f"{outcome.standing.value} at nonce {found.nonce} of {self._safe}: {found.id}"


async def examine_proposal(
    signed: SignedProposal, name: str, clock: Clock, *, rpc: str | None = None, multicall: Address | None = None
) -> Examination:
    """Look at a proposal read from the file `name`, and hold it against the chain of the node at `rpc`.

    Raises:
        ConfigurationError: the URL is none.
        ChainError: the node does not answer, serves another chain, or the chain has no Multicall3.
    """
    if rpc is None:
        return await examine(signed, name, clock.now(), None, describe_revert)
    pool = NodePool.of(
        endpoint_at(rpc, timeout=TIMEOUT), chain="chain", chain_id=signed.transaction.chain_id, finality=0
    )
    reader = Web3ChainReader(pool) if multicall is None else Web3ChainReader(pool, multicall=multicall)
    try:
        return await examine(signed, name, clock.now(), reader, describe_revert)
    finally:
        await reader.close()
