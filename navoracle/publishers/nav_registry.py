"""Publishing to a NavRegistry: what it serves, what it would do with a batch, what it did with it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from navoracle.abi import decode_result, encode_call, selector
from navoracle.domain.errors import CallReverted, ChainError, DomainError, ReadError
from navoracle.domain.frame import BlockStamp
from navoracle.domain.prior import ConfirmedNav, PostBounds
from navoracle.domain.units import Timestamp
from navoracle.ports import Address, Answer, Call, ChainReader
from navoracle.publisher_port import Batch, FundPost, Preview, ReadBack, Receipt
from navoracle.publishers.nav_registry_codec import (
    FundWord,
    Reason,
    RecordSize,
    Status,
    decode_word,
    encode_header,
    encode_record,
    reason_names,
)

_POST: Final = "post(uint256,bytes32,bytes)"
_POST_TYPES: Final = ("uint256", "bytes32", "bytes")
_BOUNDS_TYPES: Final = ("uint16", "uint16", "uint16", "uint32", "uint32")
_READ_MANY: Final = "readMany(uint256[])"

# Breaches of a real NAV: the contract records them for the RISK role. Any other reason would only cost gas.
_WORTH_SENDING: Final = Reason.STEP | Reason.DAY_DRIFT

# What refuses a batch as a whole; the same for every fund in it.
_BATCH_REFUSALS: Final = {
    selector("Paused()"): "paused",
    selector("StaleHeader(uint256,uint256)"): "stale_header",
    selector("FutureHeader(uint256,uint256)"): "future_header",
}


class NavRegistryPublisher:
    """One NavRegistry on one chain.

    Args:
        reader: the chain.
        chain: the configuration's name of the chain.
        registry: the contract's address. That its code is the known one is checked where the publisher is built.
        record_size: what is posted beside NAV and price per share.
    """

    def __init__(
        self, reader: ChainReader, *, chain: str, registry: Address, record_size: RecordSize = RecordSize.COMPONENTS
    ) -> None:
        self._reader = reader
        self._chain = chain
        self._registry = registry
        self._record_size = record_size

    @property
    def chain(self) -> str:
        """The configuration's name of the registry's chain."""
        return self._chain

    @property
    def one_by_one(self) -> bool:
        """It takes many funds at once."""
        return False

    async def confirmed(self, fund_ids: Mapping[str, int]) -> Mapping[str, ConfirmedNav]:
        """The NAVs that the registry serves at the chain's final block; a fund that it does not know is left out.

        Raises:
            ChainError: the chain or the registry cannot be read.
        """
        if not fund_ids:
            return {}
        at = await self._reader.stamp()
        (answer,) = await self._reader.read([Call(self._registry, _read_many(fund_ids.values()))], at)
        words = self._words(answer, len(fund_ids))
        bounds = await self._bounds({word.profile for word in words}, at)
        return {
            fund: replace(_confirmed(word, at.number), bounds=bounds[word.profile])
            for fund, word in zip(fund_ids, words, strict=True)
            if word.valuation_time != 0
        }

    async def _bounds(self, profiles: Iterable[int], at: BlockStamp) -> dict[int, PostBounds]:
        """The bounds of guard profiles."""
        ordered = sorted(profiles)
        calls = [Call(self._registry, encode_call("getProfile(uint256)", profile)) for profile in ordered]
        found: dict[int, PostBounds] = {}
        for profile, answer in zip(ordered, await self._reader.read(calls, at), strict=True):
            if answer.failure is not None:
                raise self._unknown(answer.failure)
            up, down, day, _, max_age = self._decode(_BOUNDS_TYPES, answer.data)
            found[profile] = PostBounds(up, down, day, max_age)
        return found

    def encode(self, posts: Sequence[FundPost], valuation_time: Timestamp, evidence_root: str) -> Batch:
        """Encode a batch.

        Raises:
            OutOfRange: a value does not fit its field; the message names the fund.
            DomainError: no posts, the same fund twice, components that do not add up, or no 32-byte root.
        """
        ids = [post.fund_id for post in posts]
        if not ids or len(set(ids)) != len(ids):
            raise DomainError(
                f"a batch of fund ids {ids}", advice="A batch holds at least one fund, and no fund id twice."
            )
        records = b"".join(encode_record(post, self._record_size) for post in posts)
        header = encode_header(valuation_time, self._record_size)
        return Batch(
            chain=self._chain,
            to=self._registry,
            data=encode_call(_POST, header, _root(evidence_root), records),
            valuation_time=valuation_time,
            evidence_root=evidence_root,
            posts=tuple(posts),
        )

    async def preview(self, batch: Batch) -> tuple[Preview, ...]:
        """What the registry would do with each fund's record in the newest block.

        Raises:
            ChainError: the chain cannot be read. CallReverted: the registry refuses the batch for a reason that only a
                fault in the batch can have.
        """
        header, _, records = decode_result(_POST_TYPES, batch.data[4:])
        try:
            answer = await self._reader.call(batch.to, encode_call("preview(uint256,bytes)", header, records))
        except CallReverted as error:
            refusal = _BATCH_REFUSALS.get(error.data[:4])
            if refusal is None:
                raise
            return tuple(Preview(post.fund, refusal, send=False) for post in batch.posts)
        (reasons,) = self._decode(("uint256[]",), answer)
        if len(reasons) != len(batch.posts):
            raise self._unknown(f"{len(reasons)} previews for {len(batch.posts)} records")
        return tuple(_preview(post.fund, bits) for post, bits in zip(batch.posts, reasons, strict=True))

    async def read_back(self, batch: Batch, receipt: Receipt) -> tuple[ReadBack, ...]:
        """What the registry held at the end of the block of a mined post.

        A fund's reason is None when the post is what the registry serves; else the hold's reasons ("step", "guardian",
        ...), "superseded" by a newer valuation, "not_live", "reverted", or "missing".

        Read at the receipt's own block, so that a node that lags cannot misreport it, nor one that lies where nodes
        are compared.

        Raises:
            ChainError: the chain cannot be read, or another block has taken the place of the receipt's.
        """
        at = await self._reader.stamp(receipt.block_number)
        if at.hash != receipt.block_hash:
            raise ChainError(
                f"block {receipt.block_number} of {self._chain} is no longer the one that holds {receipt.hash}",
                advice="The chain was reorganized; the post is looked up again.",
            )
        (answer,) = await self._reader.read([Call(batch.to, _read_many(post.fund_id for post in batch.posts))], at)
        words = self._words(answer, len(batch.posts))
        holds = await self._holds(batch.posts, words, at)
        return tuple(
            _classify(post, word, hold, batch.valuation_time, receipt)
            for post, word, hold in zip(batch.posts, words, holds, strict=True)
        )

    async def follow_up(self, batch: Batch) -> None:
        """Nothing: what a registry accepts is served."""

    async def _holds(self, posts: Sequence[FundPost], words: Sequence[FundWord], at: BlockStamp) -> list[int]:
        """The reasons that hold each fund; none for a fund that is not held."""
        held = [post.fund_id for post, word in zip(posts, words, strict=True) if word.status & Status.HELD]
        calls = [Call(self._registry, encode_call("heldOf(uint256)", number)) for number in held]
        reasons: dict[int, int] = {}
        for number, answer in zip(held, await self._reader.read(calls, at), strict=True):
            if answer.failure is not None:
                raise self._unknown(answer.failure)
            reasons[number] = self._decode(("bytes32", "uint256", "uint256", "uint256"), answer.data)[2]
        return [reasons.get(post.fund_id, 0) for post in posts]

    def _words(self, answer: Answer, count: int) -> list[FundWord]:
        if answer.failure is not None:
            raise self._unknown(answer.failure)
        (words,) = self._decode(("uint256[]",), answer.data)
        if len(words) != count:
            raise self._unknown(f"{len(words)} words for {count} funds")
        return [decode_word(word) for word in words]

    def _decode(self, types: tuple[str, ...], data: bytes) -> tuple[Any, ...]:
        try:
            return decode_result(types, data)
        except ReadError as error:
            raise self._unknown(error.message) from error

    def _unknown(self, what: str) -> ChainError:
        return ChainError(
            f"{self._registry} on {self._chain} does not answer as a NavRegistry: {what}",
            advice="Check the registry's address, and that this navoracle knows the version of the contract.",
        )


def _read_many(fund_ids: Iterable[int]) -> bytes:
    return encode_call(_READ_MANY, list(fund_ids))


def _confirmed(word: FundWord, block_number: int) -> ConfirmedNav:
    return ConfirmedNav(
        nav=word.nav,
        price_per_share=word.price_per_share,
        valuation_time=word.valuation_time,
        held=Status.HELD in word.status,
        block_number=block_number,
        frame=None,
        day_drift=word.day_drift,
        live=Status.LIVE in word.status,
    )


def _preview(fund: str, bits: int) -> Preview:
    if bits == 0:
        return Preview(fund, None, send=True)
    return Preview(fund, reason_names(bits), send=bits & ~_WORTH_SENDING == 0)


def _classify(post: FundPost, word: FundWord, hold: int, valuation_time: Timestamp, receipt: Receipt) -> ReadBack:
    ours = (word.nav, word.price_per_share, word.valuation_time) == (post.nav, post.price_per_share, valuation_time)
    reason: str | None
    if ours:
        reason = None
    elif not receipt.success:
        reason = "reverted"
    elif word.valuation_time >= valuation_time:
        reason = "superseded"
    elif hold:
        reason = reason_names(hold)
    elif not word.status & Status.LIVE:
        reason = "not_live"
    else:
        reason = "missing"
    return ReadBack(post.fund, accepted=ours, reason=reason, confirmed=_confirmed(word, receipt.block_number))


def _root(evidence_root: str) -> bytes:
    try:
        root = bytes.fromhex(evidence_root.removeprefix("0x"))
    except ValueError:
        root = b""
    if len(root) != 32:
        raise DomainError(f"evidence root {evidence_root!r}", advice="A Merkle root is 32 bytes in hex.")
    return root
