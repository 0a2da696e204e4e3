"""A tree of Merkl rewards, built as its Distributor checks it, and the service's answer about it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from eth_utils.crypto import keccak

from navoracle.ports import Address
from navoracle.positions.rewards_merkl import reward_leaf

Earned = tuple[Address, Address, int]
"""User, token and cumulative amount."""


def parent(one: bytes, other: bytes) -> bytes:
    return keccak(min(one, other) + max(one, other))


class RewardTree:
    """A tree over what users earned; a level's last node without a partner moves up as it is."""

    def __init__(self, earned: Sequence[Earned]) -> None:
        self.earned = tuple(earned)
        self.levels = [[reward_leaf(*entry) for entry in earned]]
        while len(self.levels[-1]) > 1:
            level = self.levels[-1]
            pairs = [level[place : place + 2] for place in range(0, len(level), 2)]
            self.levels.append([parent(*pair) if len(pair) == 2 else pair[0] for pair in pairs])

    @property
    def root(self) -> bytes:
        return self.levels[-1][0]

    def proof(self, entry: Earned) -> list[str]:
        place = self.earned.index(entry)
        proof = []
        for level in self.levels[:-1]:
            if place ^ 1 < len(level):
                proof.append("0x" + level[place ^ 1].hex())
            place //= 2
        return proof

    def listed(self, entry: Earned, **changes: Any) -> dict[str, Any]:
        """A reward as the service lists it."""
        user, token, amount = entry
        return {
            "root": "0x" + self.root.hex(),
            "recipient": user,
            "amount": str(amount),
            "claimed": "0",
            "pending": "999999999999999999999",
            "proofs": self.proof(entry),
            "token": {"address": token, "decimals": 18, "symbol": "MORPHO", "price": 1.5},
            **changes,
        }


def body(rewards: Sequence[dict[str, Any]], chain_id: int = 1) -> bytes:
    """The service's answer: one entry per chain."""
    other = {"chain": {"id": chain_id + 1, "name": "another"}, "rewards": []}
    return json.dumps([other, {"chain": {"id": chain_id, "name": "this"}, "rewards": list(rewards)}]).encode()
