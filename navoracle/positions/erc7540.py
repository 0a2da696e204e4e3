"""Requests to an asynchronous vault (ERC-7540): shares on their way out and assets on their way in.

A request takes shares or assets out of the holder's balance, so what a balance loses must be found here, in every state
from pending over claimable to claimed. Shares that are still held are the business of the reader `erc4626`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, ClassVar, Final, Literal, Self

from pydantic import Field, model_validator

from navoracle.abi import decode_result, decode_uint256, encode_call
from navoracle.domain.errors import SourceRefused
from navoracle.domain.positions import Holding, Position
from navoracle.domain.units import Bps
from navoracle.ports import Call, Read, ReadPoint
from navoracle.positions.base import Claim
from navoracle.positions.erc4626 import ASSET
from navoracle.positions.queue import QueuePosition
from navoracle.readers import (
    DECIMALS,
    BasisPoints,
    ChecksumAddress,
    Decimals,
    check_decimals,
    check_names,
    decode_decimals,
    resolved_decimals,
)

AGGREGATE: Final = 0
"""The request id under which a vault that tells requests apart by controller alone answers for all of them."""

PENDING_REDEEM: Final = "pendingRedeemRequest(uint256,address)"
CLAIMABLE_REDEEM: Final = "claimableRedeemRequest(uint256,address)"
PENDING_DEPOSIT: Final = "pendingDepositRequest(uint256,address)"
CLAIMABLE_DEPOSIT: Final = "claimableDepositRequest(uint256,address)"

ROUNDING: Final = 1
"""Raw units of the asset that a claim in parts may leave behind."""

Flow = Literal["redeem", "deposit"]
RequestId = Annotated[int, Field(ge=0, lt=2**256)]


class Erc7540Requests(QueuePosition, frozen=True):
    """The requests of a controller, counted in `underlying`; every conversion is the vault's own, rounded down.

    - redeem, pending: `convertToAssets` of the shares. The rate is fixed only when the request is fulfilled, hence
      `pending_confidence`.
    - redeem, claimable: `maxWithdraw(controller)`. Its rate is fixed: a later loss of the vault does not touch it, and
      `convertToAssets` would be wrong. `previewRedeem` must revert on such a vault and is never asked.
    - deposit, pending: the assets.
    - deposit, claimable: `convertToAssets(maxMint(controller))`, the shares that wait to be minted.

    A claimable request of which nothing can be taken, and something to be taken without a claimable request, are
    refused: the first is a paused vault, the second a request id that is not configured. Pending requests under an
    unknown id cannot be seen: ids are events of the vault, and events are no reading at a block.

    Attributes:
        holder: the controller of the requests, which is not always their owner.
        request_ids: 0 alone where the vault aggregates; else every open id.
        flows: which of the two the vault handles by request.
        underlying: the token that the vault's `asset()` must be.
        underlying_decimals: filled by `resolve`.
        pending_confidence: of a pending redemption's amount.
    """

    resolved_fields: ClassVar[tuple[str, ...]] = ("underlying_decimals",)

    kind: Literal["erc7540"]
    vault: ChecksumAddress
    underlying: ChecksumAddress
    request_ids: Annotated[tuple[RequestId, ...], Field(min_length=1)] = (AGGREGATE,)
    flows: Literal["both", "redeem", "deposit"] = "both"
    underlying_decimals: Decimals | None = None
    pending_confidence: BasisPoints = Bps(9_000)

    @model_validator(mode="after")
    def _check_ids(self) -> Self:
        if len(set(self.request_ids)) != len(self.request_ids):
            raise ValueError(f"request_ids {list(self.request_ids)} name a request twice: it would be counted twice")
        if AGGREGATE in self.request_ids and len(self.request_ids) > 1:
            raise ValueError("request id 0 stands for all requests: write it alone, or leave it out and list every id")
        return self

    @property
    def claims(self) -> tuple[Claim, ...]:
        """The controller's requests of each flow."""
        return tuple(Claim(self.chain, self.vault, self.holder, f"{flow} requests") for flow in self._flows())

    def resolve(self, at: ReadPoint) -> Read[Self]:
        """Read the underlying token's decimals."""
        (data,) = yield (Call(self.underlying, DECIMALS),)
        return self.model_copy(update={"underlying_decimals": decode_decimals(self, self.underlying, data)})

    def read(self, at: ReadPoint) -> Read[tuple[Position, ...]]:
        """Read all requests in one round, and what shares convert to, at the same block, in a second one.

        Raises:
            SourceRefused: the vault's asset is another one, or requests and what can be taken contradict each other.
            DecimalsChanged: the underlying token changed its scale.
            ConfigurationError: the position is not resolved.
        """
        decimals = resolved_decimals(self, self.underlying_decimals)
        answers = yield (
            Call(self.vault, ASSET),
            Call(self.underlying, DECIMALS),
            *(call for flow in self._flows() for call in self._calls(flow)),
        )
        check_names(self, f"asset() of {self.vault}", self.underlying, decode_result(("address",), answers[0])[0])
        check_decimals(self, self.underlying, answers[1], decimals)
        figures = iter([decode_uint256(answer) for answer in answers[2:]])
        sums = {flow: self._sums(figures) for flow in self._flows()}
        worth = yield from self._worth(sums)
        parts: list[Holding] = []
        for flow, (pending, claimable, takeable) in sums.items():
            if flow == "redeem":
                self._check_takeable(flow, worth[claimable], takeable)
                parts.append(self.part("redeem pending", worth[pending], decimals, self.pending_confidence))
                parts.append(self.part("redeem claimable", takeable, decimals))
            else:
                self._check_takeable(flow, claimable, worth[takeable])
                parts.append(self.part("deposit pending", pending, decimals))
                parts.append(self.part("deposit claimable", worth[takeable], decimals))
        return tuple(parts)

    def _flows(self) -> tuple[Flow, ...]:
        return ("redeem", "deposit") if self.flows == "both" else (self.flows,)

    def _calls(self, flow: Flow) -> Iterator[Call]:
        pending, claimable, takeable = (
            (PENDING_REDEEM, CLAIMABLE_REDEEM, "maxWithdraw(address)")
            if flow == "redeem"
            else (PENDING_DEPOSIT, CLAIMABLE_DEPOSIT, "maxMint(address)")
        )
        for request_id in self.request_ids:
            yield Call(self.vault, encode_call(pending, request_id, self.holder))
            yield Call(self.vault, encode_call(claimable, request_id, self.holder))
        yield Call(self.vault, encode_call(takeable, self.holder))

    def _sums(self, figures: Iterator[int]) -> tuple[int, int, int]:
        """Pending and claimable over all ids, and what the vault says can be taken."""
        pending = claimable = 0
        for _ in self.request_ids:
            pending += next(figures)
            claimable += next(figures)
        return pending, claimable, next(figures)

    def _worth(self, sums: Mapping[Flow, tuple[int, int, int]]) -> Read[dict[int, int]]:
        """What each amount of shares in the sums converts to; one round, and none for nothing."""
        pending, claimable, _ = sums.get("redeem", (0, 0, 0))
        mintable = sums.get("deposit", (0, 0, 0))[2]
        shares = [amount for amount in dict.fromkeys((pending, claimable, mintable)) if amount > 0]
        if not shares:
            return {0: 0}
        answers = yield tuple(Call(self.vault, encode_call("convertToAssets(uint256)", amount)) for amount in shares)
        return {0: 0, **{amount: decode_uint256(assets) for amount, assets in zip(shares, answers, strict=True)}}

    def _check_takeable(self, flow: Flow, claimable: int, takeable: int) -> None:
        """Refuse a contradiction between requests and limits, both in assets."""
        limit = "maxWithdraw" if flow == "redeem" else "maxMint"
        if claimable > ROUNDING and takeable == 0:
            raise SourceRefused(
                f"{self.id}: a {flow} worth {claimable} is claimable in {self.vault}, and its {limit} is zero",
                advice="Find out whether the vault is paused; nothing is counted as gone while a request is open.",
            )
        if claimable == 0 and takeable > ROUNDING:
            raise SourceRefused(
                f"{self.id}: {limit} in {self.vault} is worth {takeable}, and no {flow} request of "
                f"{list(self.request_ids)} is claimable",
                advice=f"List the request's id in `request_ids`; or leave {flow} out of `flows` where the vault "
                "takes it at once.",
            )
