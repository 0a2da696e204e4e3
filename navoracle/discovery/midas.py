"""Midas's feeds, plain and growing. Source: `CustomAggregatorV3CompatibleFeed.sol` and `...FeedGrowth.sol`."""

from __future__ import annotations

from navoracle.discovery.found import Found
from navoracle.discovery.views import roles, view
from navoracle.ports import Address, Read


def midas(contract: Address) -> Read[Found]:
    """A plain feed; which token it prices, it does not say."""
    return (yield from _feed("midas", contract, {}))


def midas_growth(contract: Address) -> Read[Found]:
    """A feed that grows, at the rate that it has now."""
    yield from view(contract, "minGrowthApr()", "int80")
    apr = yield from view(contract, "lastGrowthApr()", "int80")
    return (yield from _feed("midas_growth", contract, {"growth_apr": apr}))


def _feed(kind: str, contract: Address, settings: dict[str, int]) -> Read[Found]:
    yield from view(contract, "feedAdminRole()", "bytes32")
    yield from view(contract, "maxAnswerDeviation()", "uint256")
    yield from view(contract, "minAnswer()", "int192")
    told = yield from roles(contract, access_control="accessControl()")
    return Found(kind, contract, roles=told, settings=settings)
