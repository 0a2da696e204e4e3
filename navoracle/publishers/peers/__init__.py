"""Contracts of other vault systems that take a NAV: what each is told, what it answers, what harm it could do."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from navoracle.publishers.peers.generic import GenericPeer
from navoracle.publishers.peers.lagoon import LagoonPeer
from navoracle.publishers.peers.mellow import MellowPeer, MellowSubmitterPeer
from navoracle.publishers.peers.mellow_feed import MellowFeedPeer
from navoracle.publishers.peers.midas import MidasPeer
from navoracle.publishers.peers.midas_growth import MidasGrowthPeer
from navoracle.publishers.peers.veda import VedaPeer

PeerModelUnion = Annotated[
    GenericPeer
    | LagoonPeer
    | MellowFeedPeer
    | MellowPeer
    | MellowSubmitterPeer
    | MidasGrowthPeer
    | MidasPeer
    | VedaPeer,
    Field(discriminator="kind"),
]
"""Any contract of another vault system, told apart by `kind`."""

__all__ = [
    "GenericPeer",
    "LagoonPeer",
    "MellowFeedPeer",
    "MellowPeer",
    "MellowSubmitterPeer",
    "MidasGrowthPeer",
    "MidasPeer",
    "PeerModelUnion",
    "VedaPeer",
]
