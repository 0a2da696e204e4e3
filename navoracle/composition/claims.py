"""The guard against counting one thing twice: no two readers of a fund may claim the same balance or request."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from navoracle.domain.errors import ConfigurationError
from navoracle.keeper.plan import FundPlan
from navoracle.positions.base import Claim


def check_claims(funds: Iterable[FundPlan], chain_ids: Mapping[str, int]) -> tuple[str, ...]:
    """Compare what all position readers count; to be called with resolved readers, which know what they count.

    Args:
        chain_ids: by the configuration's name of a chain; two names of one chain are one chain, and a name without an
            id stands for itself.

    Returns:
        A warning for each thing that two funds count: right where a holder is shared on purpose, wrong where an address
        was copied.

    Raises:
        ConfigurationError: two readers of one fund count the same thing; the message names fund, readers and thing.
    """
    readers_by_fund: dict[Claim, dict[str, str]] = {}
    for fund in funds:
        for reader in fund.positions:
            for claim in dict.fromkeys(getattr(reader, "claims", ())):
                known = readers_by_fund.setdefault(_comparable(claim, chain_ids), {})
                if fund.fund in known:
                    raise ConfigurationError(
                        f"fund {fund.fund}: {known[fund.fund]} and {reader.id} both count {_name(claim)}",
                        advice=f"Remove one of them from `funds.{fund.fund}.positions`, or correct its address; "
                        "what is counted twice is in the NAV twice.",
                    )
                known[fund.fund] = reader.id
    return tuple(
        f"{' and '.join(known.values())} of different funds all count {_name(claim)}: "
        "check that the holder is meant to be shared"
        for claim, known in readers_by_fund.items()
        if len(known) > 1
    )


def _comparable(claim: Claim, chain_ids: Mapping[str, int]) -> Claim:
    chain = claim.chain
    if chain is not None and chain in chain_ids:
        chain = f"chain {chain_ids[chain]}"
    return Claim(chain, claim.contract.lower(), claim.account.lower(), claim.what)


def _name(claim: Claim) -> str:
    place = "off chain" if claim.chain is None else f"on {claim.chain}"
    return f"{claim.what} of {claim.account} in {claim.contract} {place}"
