"""Rates that a contract states in one word of 1e18 scale: staked ether, and whatever has a Balancer rate provider.

All of them count in what the protocol holds (stETH, eETH, ether in the beacon chain), which is another thing than what
the market pays: a rate is multiplied by the price of its base, once, and never votes. None of them carries a time.
"""

from __future__ import annotations

from typing import ClassVar, Final, Literal

from navoracle.abi import decode_uint256, encode_call
from navoracle.domain.errors import SourceRefused
from navoracle.ports import Call, ProtocolRate, Read, ReadPoint
from navoracle.prices.rates import RateBase
from navoracle.readers import ChecksumAddress

GET_RATE: Final = encode_call("getRate()")
TOTAL_SUPPLY: Final = encode_call("totalSupply()")


class RateCall(RateBase, frozen=True):
    """One call, answered by whole base tokens per whole token (1e18).

    Class attributes:
        question: the call's data.
        backed_by_supply: whether the contract is the token itself and answers 1 while none exist.

    Attributes:
        contract: which states the rate.
    """

    question: ClassVar[bytes]
    backed_by_supply: ClassVar[bool] = False

    contract: ChecksumAddress

    def read(self, at: ReadPoint) -> Read[ProtocolRate]:
        """Read the rate.

        Raises:
            SourceRefused: a rate of zero or beyond `growth`, or no tokens that it could be of.
        """
        calls = [Call(self.contract, self.question)]
        if self.backed_by_supply:
            calls.append(Call(self.contract, TOTAL_SUPPLY))
        answers = yield tuple(calls)
        if self.backed_by_supply and decode_uint256(answers[1]) == 0:
            raise SourceRefused(
                f"{self.id}: {self.contract} has no supply, so its rate is one for one whatever it holds",
                advice="Check the address; a token that nobody holds has no rate.",
            )
        rate = decode_uint256(answers[0])
        if rate == 0:
            raise SourceRefused(
                f"{self.id}: {self.contract} states a rate of zero",
                advice="Check the address, and whether the contract is paused or was never set.",
            )
        return self.protocol_rate(rate, at)


class WstethRate(RateCall, frozen=True):
    """stETH per wstETH (Lido). `base` is stETH, not ether."""

    question: ClassVar[bytes] = encode_call("stEthPerToken()")

    kind: Literal["wsteth"]


class WeethRate(RateCall, frozen=True):
    """eETH per weETH (ether.fi). `base` is eETH, not ether."""

    question: ClassVar[bytes] = GET_RATE

    kind: Literal["weeth"]


class RethRate(RateCall, frozen=True):
    """Ether in the protocol per rETH (Rocket Pool)."""

    question: ClassVar[bytes] = encode_call("getExchangeRate()")
    backed_by_supply: ClassVar[bool] = True

    kind: Literal["reth"]


class CbethRate(RateCall, frozen=True):
    """Ether in the protocol per cbETH (Coinbase)."""

    question: ClassVar[bytes] = encode_call("exchangeRate()")

    kind: Literal["cbeth"]


class BalancerRate(RateCall, frozen=True):
    """What a Balancer rate provider states. Who sets it, when and from what is the provider's matter."""

    question: ClassVar[bytes] = GET_RATE

    kind: Literal["balancer_rate"]
