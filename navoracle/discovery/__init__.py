"""What stands at an address: vaults, registries, contracts of other systems, tokens and feeds, by what they answer."""

from navoracle.discovery.feeds import OWN_VIEWS, FeedKind, FoundFeed, read_feed
from navoracle.discovery.found import Found, FoundToken, Holding, RegisteredFund, Role
from navoracle.discovery.holdings import read_holding
from navoracle.discovery.kinds import ELSEWHERE, PROBES, VAULTS
from navoracle.discovery.views import Probe

__all__ = [
    "ELSEWHERE",
    "OWN_VIEWS",
    "PROBES",
    "VAULTS",
    "FeedKind",
    "Found",
    "FoundFeed",
    "FoundToken",
    "Holding",
    "Probe",
    "RegisteredFund",
    "Role",
    "read_feed",
    "read_holding",
]
