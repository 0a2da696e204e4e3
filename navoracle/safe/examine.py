"""What an owner wants to know of a proposal before signing: what it does, whose it is, and whether it is still good."""

from __future__ import annotations

from dataclasses import dataclass

from navoracle.domain.errors import ConfigurationError, VerificationFailed
from navoracle.domain.units import Timestamp
from navoracle.safe.account import ExplainRevert, SafeChain, SafeState, check_code, check_hash, read_safe, why_it_fails
from navoracle.safe.calls import MULTISEND_ADDRESSES
from navoracle.safe.document import SignedProposal, check_signatures


@dataclass(frozen=True, slots=True)
class Check:
    """One answer: what was looked at, whether it speaks for signing, and why."""

    name: str
    good: bool
    detail: str


@dataclass(frozen=True, slots=True)
class Examination:
    """What was found of a proposal; `state` is the Safe's, None where the proposal was not held against the chain."""

    signed: SignedProposal
    checks: tuple[Check, ...]
    state: SafeState | None

    @property
    def good(self) -> bool:
        """Whether nothing speaks against signing."""
        return all(check.good for check in self.checks)


async def examine(
    signed: SignedProposal, name: str, now: Timestamp, chain: SafeChain | None, explain: ExplainRevert
) -> Examination:
    """Look at a proposal that was read from the file `name`, and hold it against its Safe where there is a chain.

    Raises:
        ChainError: the chain could not be read.
    """
    checks = [_signatures(signed, name)]
    if chain is None:
        return Examination(signed, (*checks, _expiry(signed, now), _target(signed)), None)
    at = await chain.newest()
    checks.append(_expiry(signed, Timestamp(max(now, at.timestamp))))
    said = signed.transaction
    if at.chain_id != said.chain_id:
        detail = f"the node serves chain {at.chain_id}, the proposal is for {said.chain_id}"
        return Examination(signed, (*checks, _bad("chain", detail)), None)
    try:
        state = await read_safe(chain, said.safe, at)
    except ConfigurationError as error:
        return Examination(signed, (*checks, _bad("safe", error.message)), None)
    checks.append(_good("safe", f"{said.safe} is a Safe {state.version} on chain {state.chain_id}"))
    checks.append(_nonce(signed, state))
    checks.append(_proposer(signed, state))
    try:
        await check_hash(chain, said, at)
        checks.append(_good("hash", f"the Safe itself hashes the transaction to {said.id}"))
    except VerificationFailed as error:
        checks.append(_bad("hash", error.message))
    try:
        await check_code(chain, said, at)
    except ConfigurationError as error:
        return Examination(signed, (*checks, _bad("target", error.message)), state)
    checks.append(_good("target", "one call" if not said.operation else "MultiSendCallOnly: all calls or none"))
    checks.append(await _simulation(signed, state, chain, explain))
    return Examination(signed, tuple(checks), state)


def _good(name: str, detail: str) -> Check:
    return Check(name, good=True, detail=detail)


def _bad(name: str, detail: str) -> Check:
    return Check(name, good=False, detail=detail)


def _signatures(signed: SignedProposal, name: str) -> Check:
    try:
        check_signatures(signed, name)
    except VerificationFailed as error:
        return _bad("signatures", error.message)
    return _good("signatures", f"transaction and document are signed by {signed.proposal.proposer}")


def _expiry(signed: SignedProposal, now: Timestamp) -> Check:
    left = signed.proposal.purpose.valid_until - now
    if left <= 0:
        return _bad("expiry", f"the valuation expired {-left} s ago: do not execute it")
    return _good("expiry", f"the valuation is good for {left} s more")


def _target(signed: SignedProposal) -> Check:
    """What an address alone says of the target."""
    said = signed.transaction
    if not said.operation:
        return _good("target", f"one call of {said.to}")
    if said.to in MULTISEND_ADDRESSES:
        return _good("target", f"{said.to} is MultiSendCallOnly on most chains: all calls or none")
    return _bad("target", f"a delegate call of {said.to}, which may be anything: hold it against the chain")


def _nonce(signed: SignedProposal, state: SafeState) -> Check:
    ahead = signed.transaction.nonce - state.nonce
    if ahead < 0:
        detail = f"nonce {signed.transaction.nonce} is used up: this proposal, or another in its place, was executed"
        return _bad("nonce", detail)
    if ahead:
        return _good("nonce", f"{ahead} other transactions must be executed first (the Safe is at {state.nonce})")
    return _good("nonce", f"it is the Safe's next transaction ({state.nonce})")


def _proposer(signed: SignedProposal, state: SafeState) -> Check:
    needs = f"{state.threshold} of {len(state.owners)} owners must sign"
    if signed.proposal.proposer in state.owners:
        return _good("proposer", f"the proposer is an owner, and the signature counts; {needs}")
    return _good("proposer", f"the proposer is no owner, and the signature does not count; {needs}")


async def _simulation(signed: SignedProposal, state: SafeState, chain: SafeChain, explain: ExplainRevert) -> Check:
    fails = await why_it_fails(chain, signed.transaction, state.block, explain)
    if fails is None:
        return _good("simulation", f"it would succeed at block {state.block.number}")
    first = signed.transaction.nonce > state.nonce
    note = "; what must be executed before it may change that" if first else ""
    return Check("simulation", good=first, detail=f"it would fail at block {state.block.number}: {fails}{note}")
