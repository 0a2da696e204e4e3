"""Lido's withdrawal queue: stETH that was handed in, and the ether that is owed for it.

A request earns nothing more: it pays the smaller of the stETH handed in and what its shares are worth when it is
finalised. Source: Lido's WithdrawalQueue and WithdrawalQueueBase.
"""

from __future__ import annotations

from typing import Any, Final, Literal, NamedTuple

from navoracle.abi import decode_result, decode_uint256, encode_call
from navoracle.domain.errors import MalformedResult, SourceRefused
from navoracle.domain.positions import Position
from navoracle.ports import Call, Read, ReadPoint
from navoracle.positions.base import Claim
from navoracle.positions.queue import QueuePosition
from navoracle.readers import ChecksumAddress, check_names

DECIMALS: Final = 18
"""Of ether and of stETH, by the protocol."""
STETH: Final = encode_call("STETH()")
LAST_FINALIZED: Final = encode_call("getLastFinalizedRequestId()")
LAST_CHECKPOINT: Final = encode_call("getLastCheckpointIndex()")
STATUS_TYPES: Final = ("(uint256,uint256,address,uint256,bool,bool)[]",)


class RequestStatus(NamedTuple):
    """One request: stETH and shares handed in (wei), who owns it, when it was made, and how far it has come."""

    amount: int
    shares: int
    owner: str
    timestamp: int
    finalized: bool
    claimed: bool


class LidoWithdrawals(QueuePosition, frozen=True):
    """All open withdrawal requests of the holder, in ether.

    - waiting: for each request the smaller of its stETH and `getPooledEthByShares` of its shares;
    - claimable: `getClaimableEther`, which has the discount of the finalisation in it. A claimed request is nothing.

    The queue enumerates the holder's requests itself, transferred ones (they are NFTs) included. Three rounds: the
    requests, their status and checkpoints, then what they are worth.

    Attributes:
        asset: the configured asset that prices ether.
        queue: the WithdrawalQueueERC721.
        steth: the token that the queue's `STETH()` must be.
    """

    kind: Literal["lido_withdrawals"]
    queue: ChecksumAddress
    steth: ChecksumAddress

    @property
    def claims(self) -> tuple[Claim, ...]:
        """The holder's requests."""
        return (Claim(self.chain, self.queue, self.holder, "withdrawal requests"),)

    def read(self, at: ReadPoint) -> Read[tuple[Position, ...]]:
        """Read the requests and what they are worth at one block.

        Raises:
            SourceRefused: a queue of another token, or a request that the queue gives to somebody else.
            MalformedResult: fewer or more answers than requests.
        """
        found, steth, finalized, checkpoint = yield (
            Call(self.queue, encode_call("getWithdrawalRequests(address)", self.holder)),
            Call(self.queue, STETH),
            Call(self.queue, LAST_FINALIZED),
            Call(self.queue, LAST_CHECKPOINT),
        )
        check_names(self, f"STETH() of {self.queue}", self.steth, decode_result(("address",), steth)[0])
        # The hints are looked up in ascending order, and the set of a holder's requests has none.
        ids = sorted(decode_result(("uint256[]",), found)[0])
        last = decode_uint256(finalized)
        ready = [request for request in ids if request <= last]
        waiting = [request for request in ids if request > last]
        if not ids:
            return (self.part("waiting", 0, DECIMALS), self.part("claimable", 0, DECIMALS))
        status, *hints = yield (
            Call(self.queue, encode_call("getWithdrawalStatus(uint256[])", ids)),
            *self._hint_calls(ready, decode_uint256(checkpoint)),
        )
        statuses = dict(zip(ids, self._statuses(status, len(ids)), strict=True))
        answers = yield (
            *(self._shares_call(statuses[request].shares) for request in waiting),
            *(self._claimable_call(ready, hint) for hint in hints),
        )
        owed = sum(
            min(statuses[request].amount, decode_uint256(answer))
            for request, answer in zip(waiting, answers, strict=False)
        )
        claimable = self._numbers(answers[-1], len(ready)) if ready else []
        paid = sum(ether for request, ether in zip(ready, claimable, strict=True) if not statuses[request].claimed)
        return (self.part("waiting", owed, DECIMALS), self.part("claimable", paid, DECIMALS))

    def _hint_calls(self, ready: list[int], checkpoint: int) -> tuple[Call, ...]:
        if not ready:
            return ()
        return (Call(self.queue, encode_call("findCheckpointHints(uint256[],uint256,uint256)", ready, 1, checkpoint)),)

    def _shares_call(self, shares: int) -> Call:
        return Call(self.steth, encode_call("getPooledEthByShares(uint256)", shares))

    def _claimable_call(self, ready: list[int], hints: bytes) -> Call:
        numbers = self._numbers(hints, len(ready))
        return Call(self.queue, encode_call("getClaimableEther(uint256[],uint256[])", ready, numbers))

    def _statuses(self, data: bytes, count: int) -> list[RequestStatus]:
        statuses = [RequestStatus(*found) for found in self._all(decode_result(STATUS_TYPES, data)[0], count)]
        for status in statuses:
            if status.owner != self.holder.lower():
                raise SourceRefused(
                    f"{self.id}: a request that {self.queue} lists for {self.holder} belongs to {status.owner}",
                    advice="Check the queue's address: Lido's own lists the requests that the holder owns.",
                )
        return statuses

    def _numbers(self, data: bytes, count: int) -> list[int]:
        return list(self._all(decode_result(("uint256[]",), data)[0], count))

    def _all(self, found: tuple[Any, ...], count: int) -> tuple[Any, ...]:
        if len(found) != count:
            raise MalformedResult(
                f"{self.id}: {self.queue} gave {len(found)} answers for {count} requests",
                advice="Check the queue's address.",
            )
        return found
