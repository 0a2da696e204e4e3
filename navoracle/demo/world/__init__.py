"""The demo's world: tokens, feeds, a principal token's market, a lending market, a vault and a registry.

It is what `config/three-funds.yaml` describes, on an embedded chain. Account 0 deploys and does everything that is
nobody else's; `cast` says who the other accounts are.
"""

from navoracle.demo.world.cast import (
    ALICE,
    BOB,
    CHAIN,
    CUSTODIAN,
    FUNDS,
    GUARDIAN,
    MANAGER,
    OPENING_NAV,
    OPERATOR,
    POSTER,
    RISK,
    holder_of,
)
from navoracle.demo.world.demo_world import SETUP_SECONDS, DemoWorld
from navoracle.demo.world.feeds import GROUPS, PRICES
from navoracle.demo.world.lending import BORROW_RATE, LOAN
from navoracle.demo.world.principal import PT_RATE

__all__ = [
    "ALICE",
    "BOB",
    "BORROW_RATE",
    "CHAIN",
    "CUSTODIAN",
    "FUNDS",
    "GROUPS",
    "GUARDIAN",
    "LOAN",
    "MANAGER",
    "OPENING_NAV",
    "OPERATOR",
    "POSTER",
    "PRICES",
    "PT_RATE",
    "RISK",
    "SETUP_SECONDS",
    "DemoWorld",
    "holder_of",
]
