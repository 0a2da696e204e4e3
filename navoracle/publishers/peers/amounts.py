"""Amounts in the base asset's units, the end of a wait, and what a share token's supply makes of a price."""

from __future__ import annotations

from typing import Final

from navoracle.abi import decode_uint256, encode_call
from navoracle.domain.conversions import IntegerType, from_units
from navoracle.domain.errors import OutOfRange
from navoracle.domain.units import SCALES, Rounding, Timestamp, Wad, divide, mul_div
from navoracle.ports import Address, Call, Read
from navoracle.publisher_port import FundPost
from navoracle.publishers.peers.base import PeerModel
from navoracle.readers import decimals_call, decode_decimals

_TOTAL_SUPPLY: Final = encode_call("totalSupply()")


def price_units(peer: PeerModel, post: FundPost, decimals: int, field: IntegerType) -> int:
    """The price per share in units of 1/10**decimals of the base asset, in one division, rounded down.

    Raises:
        OutOfRange: it is not positive, rounds to zero, or does not fit the field.
        DomainError: the post has no price of the base asset.
    """
    value = mul_div(post.price_per_share, SCALES[decimals], peer.price_of_base(post), Rounding.DOWN)
    if value <= 0:
        raise OutOfRange(
            f"{post.fund}: a price of {post.price_per_share} is {value} at {decimals} decimals",
            advice="A price of zero or less is never posted; look at the NAV, and at the decimals of the contract.",
        )
    return field.check(value, f"{post.fund}: price per share at {decimals} decimals")


def waits_until(since: Timestamp, seconds: int, margin: int) -> Timestamp:
    """When a wait of so many seconds is over for certain: `margin` seconds after the contract's own time."""
    return Timestamp(since + seconds + margin)


def heartbeat_due(peer: PeerModel, last: Timestamp, now: Timestamp) -> bool:
    """Whether a post is due although its rounded value is unchanged."""
    return now - last >= peer.heartbeat


def nav_by_supply(peer: PeerModel, token: Address | None, price: Wad) -> Read[Wad | None]:
    """price x shares (both of the block that is read), rounded down; None where no share token is configured."""
    if token is None:
        return None
    shares = yield from supply(peer, token)
    return Wad(mul_div(price, shares, 10**18, Rounding.DOWN))


def price_by_supply(peer: PeerModel, token: Address, nav: Wad) -> Read[Wad | None]:
    """nav / shares, rounded down; None while there are no shares."""
    shares = yield from supply(peer, token)
    return None if shares == 0 else Wad(divide(nav * 10**18, shares, Rounding.DOWN))


def supply(peer: PeerModel, token: Address) -> Read[Wad]:
    """The shares of a token (1e18 scale), rounded down where it has more than 18 decimals.

    Raises:
        ReadError: the token does not answer as an ERC-20.
    """
    total, decimals = yield (Call(token, _TOTAL_SUPPLY), decimals_call(token))
    return from_units(decode_uint256(total), decode_decimals(peer, token, decimals), Rounding.DOWN)
