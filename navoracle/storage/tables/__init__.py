"""The tables. `migrations/` builds them; a test holds the two against each other.

Money is decimal text (`IntegerText`), times are Unix seconds, states are the enums' values. A frame's id is text.
Leases end at a time of the database's clock, in milliseconds.
"""

from navoracle.storage.tables.base import metadata
from navoracle.storage.tables.frame import estimates, evidence, frames, fund_frames, quotes
from navoracle.storage.tables.journal import alerts, events, flows
from navoracle.storage.tables.prior import fee_states, last_valid, peaks, position_values, samples
from navoracle.storage.tables.request import breakers, rebases, requests
from navoracle.storage.tables.slot import slots
from navoracle.storage.tables.transaction import OPEN_STATES, attempts, lanes, post_funds, posts, transactions

__all__ = [
    "OPEN_STATES",
    "alerts",
    "attempts",
    "breakers",
    "estimates",
    "events",
    "evidence",
    "fee_states",
    "flows",
    "frames",
    "fund_frames",
    "lanes",
    "last_valid",
    "metadata",
    "peaks",
    "position_values",
    "post_funds",
    "posts",
    "quotes",
    "rebases",
    "requests",
    "samples",
    "slots",
    "transactions",
]
