"""USDe that cools down after sUSDe was unstaked.

The shares are burned when the cooldown begins, so the amount is in no balance until it is taken out. Source: Ethena's
StakedUSDeV2; `cooldowns(account)` is (end in Unix seconds, amount of USDe).
"""

from __future__ import annotations

from typing import ClassVar, Final, Literal, Self

from navoracle.abi import decode_result, encode_call
from navoracle.domain.positions import Position
from navoracle.ports import Call, Read, ReadPoint
from navoracle.positions.base import Claim
from navoracle.positions.erc4626 import ASSET
from navoracle.positions.queue import QueuePosition
from navoracle.readers import (
    DECIMALS,
    ChecksumAddress,
    Decimals,
    block_of,
    check_decimals,
    check_names,
    decode_decimals,
    resolved_decimals,
)

# uint104 and uint152 are one word each.
COOLDOWN_TYPES: Final = ("uint256", "uint256")


class SusdeCooldown(QueuePosition, frozen=True):
    """The holder's USDe in cooldown: `cooling` until its end, `claimable` from then on; both are counted whole.

    The amount is fixed when the cooldown begins and earns nothing more. A holder has one cooldown: adding a single
    share to it starts the full term anew for all of it, so nothing here is cash before it is taken out.

    Attributes:
        asset: the configured asset that prices USDe.
        vault: sUSDe.
        underlying: USDe, as the vault's `asset()` must name it.
        underlying_decimals: filled by `resolve`.
    """

    resolved_fields: ClassVar[tuple[str, ...]] = ("underlying_decimals",)

    kind: Literal["susde_cooldown"]
    vault: ChecksumAddress
    underlying: ChecksumAddress
    underlying_decimals: Decimals | None = None

    @property
    def claims(self) -> tuple[Claim, ...]:
        """The holder's cooldown."""
        return (Claim(self.chain, self.vault, self.holder, "cooldown"),)

    def resolve(self, at: ReadPoint) -> Read[Self]:
        """Read USDe's decimals."""
        (data,) = yield (Call(self.underlying, DECIMALS),)
        return self.model_copy(update={"underlying_decimals": decode_decimals(self, self.underlying, data)})

    def read(self, at: ReadPoint) -> Read[tuple[Position, ...]]:
        """Read the cooldown at one block; the block's time decides whether it is over.

        Raises:
            SourceRefused: the vault's asset is not the configured one.
            DecimalsChanged: USDe changed its scale.
            ConfigurationError: the position is not resolved.
        """
        now = block_of(self, at).timestamp
        decimals = resolved_decimals(self, self.underlying_decimals)
        cooldown, asset, scale = yield (
            Call(self.vault, encode_call("cooldowns(address)", self.holder)),
            Call(self.vault, ASSET),
            Call(self.underlying, DECIMALS),
        )
        check_names(self, f"asset() of {self.vault}", self.underlying, decode_result(("address",), asset)[0])
        check_decimals(self, self.underlying, scale, decimals)
        end, amount = decode_result(COOLDOWN_TYPES, cooldown)
        over = now >= end
        return (
            self.part("cooling", 0 if over else amount, decimals),
            self.part("claimable", amount if over else 0, decimals),
        )
