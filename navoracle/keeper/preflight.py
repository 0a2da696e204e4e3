"""Before a cycle: is the registry still the contract that we know, and may we post to it? Asked anew every time.

A contract behind a proxy can be replaced, a role taken away, a switch thrown, a node turned to another chain. What is
found refuses the posts of one registry, or of one fund, with the reason and what to do; the funds are valued all the
same.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from navoracle.domain.errors import ChainError
from navoracle.ports import Address
from navoracle.registry_port import Registration, RegistryInspector, RegistryState

POSTER: Final = "poster"
FORBIDDEN: Final = ("admin", "risk")
"""Roles that a poster must not have: with one of them a stolen key lifts the guards."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why nothing may be posted, and what an operator can do.

    `reason`: unreadable, wrong_chain, no_contract, unknown_code, paused, not_poster, poster_has_other_roles; of a fund
    not_registered, closed.
    """

    reason: str
    message: str
    advice: str


@dataclass(frozen=True, slots=True)
class Preflight:
    """What was found of one registry: `refusal` stops all posts to it, `funds` those of single funds.

    `state` is None when it could not be read.
    """

    chain: str
    refusal: Refusal | None
    funds: Mapping[str, Refusal] = field(default_factory=dict)
    state: RegistryState | None = None

    @property
    def ok(self) -> bool:
        """Whether posts to the registry may go out; single funds may be refused all the same."""
        return self.refusal is None

    def of(self, fund: str) -> Refusal | None:
        """Why this fund must not be posted; None where nothing speaks against it."""
        return self.funds.get(fund) if self.refusal is None else self.refusal


async def preflight(
    inspector: RegistryInspector,
    *,
    chain: str,
    chain_id: int,
    fund_ids: Mapping[str, int],
    sender: Address | None,
) -> Preflight:
    """Look at a registry at one block and judge it; a node that fails is a refusal, never an error.

    Args:
        chain, chain_id: the chain by the configuration.
        fund_ids: the funds that are posted there.
        sender: the poster; None where nothing is sent (a dry run), and its roles do not matter.
    """
    try:
        state = await inspector.inspect(fund_ids, sender)
    except ChainError as error:
        return Preflight(chain, Refusal("unreadable", error.message, error.advice))
    return judge_registry(state, chain=chain, chain_id=chain_id, sender=sender)


def judge_registry(state: RegistryState, *, chain: str, chain_id: int, sender: Address | None) -> Preflight:
    """Judge a registry's state. Pure."""
    refusal = _refusal(state, chain, chain_id, sender)
    if refusal is not None:
        return Preflight(chain, refusal, {}, state)
    funds = {fund: found for fund, kind in state.funds.items() if (found := _fund_refusal(fund, kind)) is not None}
    return Preflight(chain, None, funds, state)


def _refusal(state: RegistryState, chain: str, chain_id: int, sender: Address | None) -> Refusal | None:
    if state.at.chain_id != chain_id:
        return Refusal(
            "wrong_chain",
            f"the nodes of {chain} serve chain {state.at.chain_id}, not {chain_id}",
            "Correct the endpoints, or the chain's `chain_id`.",
        )
    if state.known_code is None:
        return Refusal(
            "no_contract",
            f"there is no contract where the registry of {chain} was",
            "Check the address, and whether the chain was reset or reorganized.",
        )
    if not state.known_code:
        return Refusal(
            "unknown_code",
            f"the registry of {chain} is not the contract that this navoracle knows",
            "If it was replaced on purpose, use the navoracle version of it; else hold the funds and find out who did.",
        )
    if state.paused:
        return Refusal(
            "paused",
            f"the registry of {chain} is paused: it refuses every post",
            "Find out why it was paused; the RISK role resumes it with setPaused(false).",
        )
    roles = state.sender_roles
    if roles is None:
        return None
    if POSTER not in roles:
        return Refusal(
            "not_poster",
            f"{sender} is no poster of the registry of {chain}",
            "Let ADMIN give it the role (replacePoster, setRole), or use the poster's key.",
        )
    if held := sorted(roles.intersection(FORBIDDEN)):
        return Refusal(
            "poster_has_other_roles",
            f"{sender} also holds {' and '.join(held).upper()} on {chain}",
            "Post with a key that has no other role: a stolen one must not lift the guards.",
        )
    return None


def _fund_refusal(fund: str, registration: Registration) -> Refusal | None:
    if registration is Registration.LIVE:
        return None
    if registration is Registration.CLOSED:
        return Refusal(
            "closed",
            f"fund {fund} is closed on its registry",
            "Let ADMIN reopen it, or take it out of the configuration.",
        )
    return Refusal(
        "not_registered", f"fund {fund} is not registered", "Correct its id, or let ADMIN register it (registerFund)."
    )
