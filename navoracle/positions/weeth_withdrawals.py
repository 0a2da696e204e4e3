"""ether.fi's withdrawal requests: eETH that was handed in for an NFT, and the ether that the NFT is owed.

Source: ether.fi's WithdrawRequestNFT. The NFT cannot be enumerated, so token ids are configured, and the holder's
balance of NFTs shows when one is missing. `getClaimableAmount` reverts until a request is finalised. rETH has no queue.
"""

from __future__ import annotations

from typing import Annotated, Final, Literal, NamedTuple, Self

from pydantic import Field, model_validator

from navoracle.abi import decode_result, decode_uint256, encode_call
from navoracle.domain.errors import SourceRefused
from navoracle.domain.positions import Position
from navoracle.ports import Call, Read, ReadPoint
from navoracle.positions.base import BALANCE_OF, Claim
from navoracle.positions.queue import QueuePosition
from navoracle.readers import ChecksumAddress, check_names

DECIMALS: Final = 18
"""Of ether and of eETH, by the protocol."""
GWEI: Final = 10**9
LIQUIDITY_POOL: Final = encode_call("liquidityPool()")
NEXT_REQUEST: Final = encode_call("nextRequestId()")
REQUEST_TYPES: Final = ("uint96", "uint96", "bool", "uint32")

TokenId = Annotated[int, Field(ge=1, lt=2**32)]


class WithdrawRequest(NamedTuple):
    """A request: eETH and shares handed in (wei), whether it is valid, and its fee (gwei)."""

    amount: int
    shares: int
    valid: bool
    fee_gwei: int


class WeethWithdrawals(QueuePosition, frozen=True):
    """The holder's withdrawal requests, in ether: one holding per configured token id.

    - finalised: `getClaimableAmount`, which has a discount and the fee in it;
    - waiting: the smaller of the eETH handed in and `amountForShare` of its shares, less the fee;
    - invalidated: nothing, in a holding whose name says so; claimed: nothing.

    Attributes:
        asset: the configured asset that prices ether.
        nft: the WithdrawRequestNFT.
        liquidity_pool: the pool that the NFT must name.
        token_ids: the holder's requests; a claimed one may stay until the configuration is next changed.
        unlisted: what to do when the holder has more NFTs than are listed. Nothing says what such a one is worth, so it
            is refused; but anybody can send one and stop the fund with it. "ignore" counts only what is listed, and
            shows by a holding of zero that there is more.
    """

    kind: Literal["weeth_withdrawals"]
    nft: ChecksumAddress
    liquidity_pool: ChecksumAddress
    token_ids: tuple[TokenId, ...]
    unlisted: Literal["refuse", "ignore"] = "refuse"

    @model_validator(mode="after")
    def _check_ids(self) -> Self:
        if len(set(self.token_ids)) != len(self.token_ids):
            raise ValueError(f"token_ids {list(self.token_ids)} name a request twice: it would be counted twice")
        return self

    @property
    def claims(self) -> tuple[Claim, ...]:
        """The holder's requests."""
        return (Claim(self.chain, self.nft, self.holder, "withdrawal requests"),)

    def read(self, at: ReadPoint) -> Read[tuple[Position, ...]]:
        """Read the requests in one round, and at the same block owner and worth of the open ones in a second one.

        Raises:
            SourceRefused: another pool, an id that was never given out, a request of somebody else, or one of the
                holder's that is not listed.
        """
        pool, next_id, held, *answers = yield (
            Call(self.nft, LIQUIDITY_POOL),
            Call(self.nft, NEXT_REQUEST),
            Call(self.nft, encode_call(BALANCE_OF, self.holder)),
            *(Call(self.nft, encode_call("getRequest(uint256)", token)) for token in self.token_ids),
            *(Call(self.nft, encode_call("isFinalized(uint256)", token)) for token in self.token_ids),
        )
        check_names(self, f"liquidityPool() of {self.nft}", self.liquidity_pool, decode_result(("address",), pool)[0])
        self._check_given_out(decode_uint256(next_id))
        count = len(self.token_ids)
        requests = {
            token: WithdrawRequest(*decode_result(REQUEST_TYPES, answer))
            for token, answer in zip(self.token_ids, answers[:count], strict=True)
        }
        finalized = {
            token: decode_result(("bool",), answer)[0]
            for token, answer in zip(self.token_ids, answers[count:], strict=True)
        }
        # A claim deletes the request and burns its NFT.
        opened = [token for token, request in requests.items() if request.amount > 0]
        worth: dict[int, int] = {}
        mine = 0
        if opened:
            found = yield (
                *(Call(self.nft, encode_call("ownerOf(uint256)", token)) for token in opened),
                *(
                    self._worth_call(token, requests[token], finalized[token])
                    for token in opened
                    if requests[token].valid
                ),
            )
            for token, answer in zip(opened, found, strict=False):
                mine += self._is_mine(token, requests[token], decode_result(("address",), answer)[0])
            valid = [token for token in opened if requests[token].valid]
            for token, answer in zip(valid, found[len(opened) :], strict=True):
                amount = decode_uint256(answer)
                worth[token] = amount if finalized[token] else waiting_worth(requests[token], amount)
        more = decode_uint256(held) > mine
        if more:
            self._check_listed(decode_uint256(held), mine)
        return (
            *(
                self.part(
                    f"{token} invalidated" if token in opened and not request.valid else str(token),
                    worth.get(token, 0),
                    DECIMALS,
                )
                for token, request in requests.items()
            ),
            *((self.part("not listed", 0, DECIMALS),) if more else ()),
        )

    def _worth_call(self, token: int, request: WithdrawRequest, finalized: bool) -> Call:
        if finalized:
            return Call(self.nft, encode_call("getClaimableAmount(uint256)", token))
        return Call(self.liquidity_pool, encode_call("amountForShare(uint256)", request.shares))

    def _check_given_out(self, next_id: int) -> None:
        for token in self.token_ids:
            if token >= next_id:
                raise SourceRefused(
                    f"{self.id}: {self.nft} has not given out request {token}; its next one is {next_id}",
                    advice="Correct `token_ids`.",
                )

    def _is_mine(self, token: int, request: WithdrawRequest, owner: str) -> bool:
        """Whether the holder owns it. An invalidated request may have been seized: it is worth nothing anyhow."""
        if owner == self.holder.lower():
            return True
        if request.valid:
            raise SourceRefused(
                f"{self.id}: request {token} of {self.nft} belongs to {owner}, not to {self.holder}",
                advice="Find out who moved it; then remove it from `token_ids`.",
            )
        return False

    def _check_listed(self, held: int, listed: int) -> None:
        if self.unlisted == "refuse":
            raise SourceRefused(
                f"{self.id}: {self.holder} holds {held} requests of {self.nft}, and {listed} of them are listed",
                advice="Add the missing id to `token_ids`, or set `unlisted: ignore` where a stranger sent it.",
            )


def waiting_worth(request: WithdrawRequest, amount_for_shares: int) -> int:
    """What a request would pay if it were finalised now (wei): never more than was handed in, never below zero."""
    return max(0, min(request.amount, amount_for_shares) - request.fee_gwei * GWEI)
