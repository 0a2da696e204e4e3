"""Where a proposal comes about: the Safe is read, duplicates are found, and the proposal is signed and handed over."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from navoracle.domain.errors import GuardRefused
from navoracle.domain.units import Timestamp
from navoracle.ports import Address, Clock
from navoracle.safe.account import ExplainRevert, SafeChain, SafeState, check_code, check_hash, read_safe, why_it_fails
from navoracle.safe.calls import SafeCall
from navoracle.safe.document import Proposal, SignedProposal
from navoracle.safe.known import (
    KnownProposal,
    Place,
    Placement,
    Proposals,
    Standing,
    duplicate_of,
    nonce_for,
)
from navoracle.safe.purpose import Purpose
from navoracle.safe.transaction import SafeTransaction, transaction_of
from navoracle.signatures import Signature


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of the wish to propose something.

    Attributes:
        standing: PROPOSED now, or how the proposal stands that made it needless: PENDING, PAST.
        transaction, place, purpose: of that proposal; `purpose` is None for one of others.
        waits_behind: transactions that the Safe must take before it.
        would_fail: why it would fail if it were executed now; only one that waits behind others may.
        suffices: whether the proposer's signature is all that the Safe asks for: whoever has it can execute.
        counts: whether the proposer is an owner; else the signature says only who proposed.
        expired: proposals of ours that wait though their valuation is too old; they hold up what waits behind them.
    """

    standing: Standing
    transaction: SafeTransaction
    place: str
    purpose: Purpose | None
    waits_behind: int
    counts: bool
    suffices: bool
    would_fail: str | None = None
    expired: tuple[KnownProposal, ...] = ()


class ProposalDesk:
    """Proposes to one Safe; there is one desk for each, so that two proposals never take one nonce.

    Args:
        sign: signs payloads with the proposer's key, and checks what it signed.
        multisend: the chain's MultiSendCallOnly; None where calls are never made together.
        placement: the nonce that a proposal takes unless its caller says otherwise.
        explain: says what revert data means.
    """

    def __init__(
        self,
        *,
        chain: SafeChain,
        safe: Address,
        proposals: Proposals,
        clock: Clock,
        proposer: Address,
        sign: Callable[[bytes], Awaitable[Signature]],
        explain: ExplainRevert,
        multisend: Address | None = None,
        placement: Placement = Placement.NEXT,
    ) -> None:
        self._chain = chain
        self._safe = safe
        self._proposals = proposals
        self._clock = clock
        self._proposer = proposer
        self._sign = sign
        self._explain = explain
        self._multisend = multisend
        self._placement = placement
        self._turn = asyncio.Lock()

    async def propose(self, calls: Sequence[SafeCall], purpose: Purpose, place: Place | None = None) -> Outcome:
        """Propose calls, several of them all or none; nothing is signed where a proposal makes it needless.

        Args:
            place: a nonce to replace what waits there, or another rule than the desk's.

        Raises:
            GuardRefused: the valuation is too old, or the Safe's next transaction would fail as it is.
            ConfigurationError: the Safe, MultiSendCallOnly, or the place of proposals is not what it must be.
            VerificationFailed: the Safe hashes otherwise than we do, or a known proposal is not what it says.
            ProposalRefused, ReadError: the service did not take it. ChainError: the chain cannot be read.
            SignerFailed: the key did not sign. UsageError: the nonce that is asked for is not free.
        """
        async with self._turn:
            at = await self._chain.newest()
            now = Timestamp(max(self._clock.now(), at.timestamp))
            _require_good(purpose, now)
            state = await read_safe(self._chain, self._safe, at)
            known = await self._proposals.known(state)
            first = self._transaction(calls, state, state.nonce)
            await check_code(self._chain, first, at)
            same = duplicate_of(first, purpose, known, nonce=state.nonce, now=now)
            if same is not None:
                standing = same.standing(state.nonce, now)
                return self._outcome(standing, same.transaction, same.place, same.purpose, state, known, now)
            nonce = nonce_for(self._placement if place is None else place, known, nonce=state.nonce, now=now)
            transaction = self._transaction(calls, state, nonce)
            fails = await why_it_fails(self._chain, transaction, at, self._explain)
            if fails is not None and nonce == state.nonce:
                raise GuardRefused(
                    f"the Safe {self._safe} cannot do it as things are: {fails}",
                    advice="Nothing was signed. Give the Safe the role that it needs; see the contract's own guards.",
                )
            await check_hash(self._chain, transaction, at)
            signed = await self._signed(Proposal(transaction, tuple(calls), purpose, state.version, self._proposer))
            where = await self._proposals.put(signed)
            return self._outcome(Standing.PROPOSED, transaction, where, purpose, state, known, now, fails)

    async def _signed(self, proposal: Proposal) -> SignedProposal:
        return SignedProposal(
            proposal, await self._sign(proposal.transaction.payload), await self._sign(proposal.payload)
        )

    def _transaction(self, calls: Sequence[SafeCall], state: SafeState, nonce: int) -> SafeTransaction:
        return transaction_of(calls, chain_id=state.chain_id, safe=self._safe, nonce=nonce, multisend=self._multisend)

    def _outcome(
        self,
        standing: Standing,
        transaction: SafeTransaction,
        place: str,
        purpose: Purpose | None,
        state: SafeState,
        known: Sequence[KnownProposal],
        now: Timestamp,
        fails: str | None = None,
    ) -> Outcome:
        counts = self._proposer in state.owners
        return Outcome(
            standing=standing,
            transaction=transaction,
            place=place,
            purpose=purpose,
            waits_behind=max(0, transaction.nonce - state.nonce),
            counts=counts,
            suffices=counts and state.threshold == 1,
            would_fail=fails,
            expired=tuple(found for found in known if found.standing(state.nonce, now) is Standing.EXPIRED),
        )


def _require_good(purpose: Purpose, now: Timestamp) -> None:
    if purpose.expired(now):
        raise GuardRefused(
            f"the valuation for {', '.join(purpose.funds)} was good until {purpose.valid_until}, and it is {now}: "
            "it is not proposed",
            advice="Value the funds anew; sooner, if owners take longer to sign than a valuation is good.",
        )
