"""Transactions of one sender on one chain, from the intent to the confirmed block.

`lane` is the way in. `submitting` makes a transaction's first form, `watching` follows its forms into blocks,
`replacing` pushes those that are not mined, `gaps` fills nonces that are missing; they share a `desk`. `nodes` is what
is asked of the chain, `broadcasting` how bytes go out, `nonces` and `navoracle.domain.gas_fees` are the arithmetic.
"""

from navoracle.chain.transactions.lane import TransactionLane
from navoracle.chain.transactions.policy import LanePolicy, Relay

__all__ = ["LanePolicy", "Relay", "TransactionLane"]
