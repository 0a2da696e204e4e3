"""The NavRegistry's calls of GUARDIAN and RISK, and the record that they speak of."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from eth_utils.crypto import keccak

from navoracle.abi import decode_result, encode_call
from navoracle.domain.errors import DomainError
from navoracle.publisher_port import Batch
from navoracle.registry_port import Hold, PostedRecord

_POST_TYPES: Final = ("uint256", "bytes32", "bytes")
_WORD: Final = 32
_RECORD_SIZE_MASK: Final = 0xFF


class NavRegistryCalls:
    """Encodes calls of a NavRegistry. Implements `registry_port.RegistryCalls`."""

    def posted(self, batch: Batch, fund: str) -> PostedRecord:
        """A fund's record out of the bytes of a batch.

        Raises:
            DomainError: the batch does not have the fund, or its bytes are not those of its posts.
        """
        header, _, records = decode_result(_POST_TYPES, batch.data[4:])
        size = header & _RECORD_SIZE_MASK
        found = [records[start : start + size] for start in range(0, len(records), size)]
        for post, record in zip(batch.posts, found, strict=False):
            if post.fund == fund and int.from_bytes(record[:2], "big") == post.fund_id:
                return PostedRecord(post.fund_id, header, record)
        raise DomainError(
            f"the post to {batch.to} on {batch.chain} has no record of fund {fund}",
            advice="Look up which post carried the fund with `navoracle history`.",
        )

    def is_held(self, posted: PostedRecord, hold: Hold) -> bool:
        """Whether keccak(header, record, first reason) is the digest that the registry keeps."""
        if hold.digest is None:
            return False
        header, reason = (number.to_bytes(_WORD, "big") for number in (posted.header, hold.first_reason))
        return keccak(header + posted.record + reason) == hold.digest

    def accept(self, posted: PostedRecord) -> bytes:
        """accept(fundId, header, record)."""
        return encode_call("accept(uint256,uint256,bytes)", posted.fund_id, posted.header, posted.record)

    def discard(self, fund_id: int) -> bytes:
        """discard(fundId)."""
        return encode_call("discard(uint256)", fund_id)

    def release(self, fund_ids: Sequence[int]) -> bytes:
        """release(fundIds)."""
        return encode_call("release(uint256[])", list(fund_ids))

    def hold(self, fund_ids: Sequence[int]) -> bytes:
        """hold(fundIds)."""
        return encode_call("hold(uint256[])", list(fund_ids))
