"""Posts: stored before they are signed, signed bytes before they are sent, outcomes after the contract was read back.

What must be known after a loss of power, because it may be on its way to the chain, is written durably.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from sqlalchemy import Connection, insert, select, update

from navoracle.domain.errors import StoreError
from navoracle.domain.units import Timestamp
from navoracle.ports import Batch, FundPost, ReadBack, Receipt, SignedTransaction
from navoracle.storage import tables
from navoracle.storage.database import Database
from navoracle.store_records import FundOutcome, PostState

_DEFECT: Final = "Report this as a defect of the keeper; nothing was written."
_UNFINISHED: Final = (PostState.PREPARED, PostState.SENT)


class PostStore:
    """The part of the store that keeps posts."""

    _database: Database

    def prepare_post(
        self, batch: Batch, frame_id: str, evidence: Mapping[str, str], proofs: Mapping[str, Sequence[str]]
    ) -> int:
        """Store a post with its frame, before it is signed; returns its number. It is dated by the frame's clock.

        Args:
            evidence: the evidence hash of every fund of the batch.
            proofs: the Merkle proof of every fund of the batch.

        Raises:
            StoreError: the frame is not recorded, the batch is empty, or a fund lacks its hash or proof.
        """
        funds = {post.fund for post in batch.posts}
        if not funds or funds != set(evidence) or funds != set(proofs):
            raise StoreError(
                f"post of {sorted(funds)} with hashes of {sorted(evidence)} and proofs of {sorted(proofs)}",
                advice=_DEFECT,
            )
        with self._database.write(durable=True) as connection:
            clock = connection.execute(
                select(tables.frames.c.clock).where(tables.frames.c.id == frame_id)
            ).scalar_one_or_none()
            if clock is None:
                raise StoreError(f"post of frame {frame_id}, which is not recorded", advice=_DEFECT)
            post: int = connection.execute(
                insert(tables.posts).returning(tables.posts.c.id),
                {
                    "frame": frame_id,
                    "chain": batch.chain,
                    "registry": batch.to,
                    "valuation_time": batch.valuation_time,
                    "evidence_root": batch.evidence_root,
                    "calldata": "0x" + batch.data.hex(),
                    "state": PostState.PREPARED.value,
                    "created_at": clock,
                },
            ).scalar_one()
            connection.execute(
                insert(tables.post_funds),
                [
                    _post_fund(post, place, fund_post, evidence[fund_post.fund], proofs[fund_post.fund])
                    for place, fund_post in enumerate(batch.posts)
                ],
            )
        return post

    def save_attempt(self, post: int, transaction: SignedTransaction, at: Timestamp) -> None:
        """Store signed bytes before they are sent.

        Raises:
            StoreError: the post is unknown or finished, or the transaction is already stored.
        """
        with self._database.write(durable=True) as connection:
            _require_state(connection, post, _UNFINISHED)
            connection.execute(
                insert(tables.attempts),
                {
                    "post": post,
                    "hash": transaction.hash,
                    "raw": transaction.raw,
                    "nonce": transaction.nonce,
                    "sender": transaction.sender,
                    "to": transaction.to,
                    "signed_at": at,
                },
            )

    def mark_sent(self, post: int, at: Timestamp) -> None:
        """The newest attempt was broadcast: the post is SENT and an earlier ambiguous send is settled.

        Raises:
            StoreError: the post is unknown or finished, or nothing was signed for it.
        """
        with self._database.write() as connection:
            _require_state(connection, post, _UNFINISHED)
            _sent_at(connection, post, at)
            _update(connection, post, state=PostState.SENT.value, error=None)

    def note_ambiguous_send(self, post: int, error: str, at: Timestamp) -> None:
        """The newest attempt's broadcast failed and may have arrived all the same: the post stays unfinished.

        Raises:
            StoreError: the post is unknown or finished, or nothing was signed for it.
        """
        with self._database.write(durable=True) as connection:
            _require_state(connection, post, _UNFINISHED)
            _sent_at(connection, post, at)
            _update(connection, post, error=error)

    def finish_post(self, post: int, receipt: Receipt | None, read_backs: Sequence[ReadBack], at: Timestamp) -> None:
        """Record what the contract holds after the post, fund by fund. A post given up as failed may still land.

        CONFIRMED when its transaction succeeded, or without a receipt when the contract accepted a fund of it; FAILED
        otherwise. A fund that was not read back is MISSING.

        Raises:
            StoreError: the post is unknown or confirmed, the receipt is of another transaction, or a fund that is read
                back is not part of it.
        """
        outcomes = {read_back.fund: read_back for read_back in read_backs}
        with self._database.write(durable=True) as connection:
            _require_state(connection, post, (*_UNFINISHED, PostState.FAILED))
            funds = set(
                connection.execute(select(tables.post_funds.c.fund).where(tables.post_funds.c.post == post)).scalars()
            )
            if not set(outcomes) <= funds:
                raise StoreError(f"post {post} has no fund {', '.join(sorted(set(outcomes) - funds))}", advice=_DEFECT)
            if receipt is not None:
                _require_attempt(connection, post, receipt.hash)
            for fund in sorted(funds):
                outcome, reason = _outcome(outcomes.get(fund))
                connection.execute(
                    update(tables.post_funds)
                    .where(tables.post_funds.c.post == post, tables.post_funds.c.fund == fund)
                    .values(outcome=outcome.value, reason=reason)
                )
            landed = any(read_back.accepted for read_back in read_backs) if receipt is None else receipt.success
            _update(
                connection,
                post,
                state=(PostState.CONFIRMED if landed else PostState.FAILED).value,
                error=None if landed else "no transaction landed" if receipt is None else "the transaction reverted",
                transaction_hash=None if receipt is None else receipt.hash,
                block_number=None if receipt is None else receipt.block_number,
                finished_at=at,
            )

    def fail_post(self, post: int, error: str, at: Timestamp) -> None:
        """The post will not land.

        Raises:
            StoreError: the post is unknown or confirmed.
        """
        with self._database.write(durable=True) as connection:
            _require_state(connection, post, (*_UNFINISHED, PostState.FAILED))
            _update(connection, post, state=PostState.FAILED.value, error=error, finished_at=at)

    def frame_of_post(self, fund: str, valuation_time: Timestamp) -> str | None:
        """The frame whose post gave the contract this fund's value of this time; None when it was not ours.

        An accepted post comes first, then the newest one that is not known to have been refused.
        """
        posts, funds = tables.posts, tables.post_funds
        refused = [FundOutcome.REFUSED.value, FundOutcome.MISSING.value]
        query = (
            select(posts.c.frame)
            .join(funds, funds.c.post == posts.c.id)
            .where(funds.c.fund == fund, posts.c.valuation_time == valuation_time)
            .where(funds.c.outcome.is_(None) | funds.c.outcome.not_in(refused))
            .order_by((funds.c.outcome == FundOutcome.ACCEPTED.value).is_(True).desc(), posts.c.id.desc())
            .limit(1)
        )
        with self._database.read() as connection:
            frame: str | None = connection.execute(query).scalar_one_or_none()
            return frame


def _post_fund(post: int, place: int, fund: FundPost, evidence_hash: str, proof: Sequence[str]) -> dict[str, Any]:
    return {
        "post": post,
        "fund": fund.fund,
        "place": place,
        "fund_id": fund.fund_id,
        "nav": fund.nav,
        "price_per_share": fund.price_per_share,
        "nav_before": fund.nav_before,
        "components": [str(component) for component in fund.components],
        "confidence": fund.confidence,
        "estimated": fund.estimated,
        "proof": list(proof),
        "evidence_hash": evidence_hash,
    }


def _outcome(read_back: ReadBack | None) -> tuple[FundOutcome, str | None]:
    if read_back is None:
        return FundOutcome.MISSING, None
    if read_back.accepted:
        return FundOutcome.ACCEPTED, read_back.reason
    return FundOutcome.HELD if read_back.confirmed.held else FundOutcome.REFUSED, read_back.reason


def _require_state(connection: Connection, post: int, allowed: Sequence[PostState]) -> None:
    state = connection.execute(select(tables.posts.c.state).where(tables.posts.c.id == post)).scalar_one_or_none()
    if state is None:
        raise StoreError(f"post {post} is not recorded", advice=_DEFECT)
    if PostState(state) not in allowed:
        raise StoreError(
            f"post {post} is {state} already", advice="Another keeper finished it; see `navoracle history`."
        )


def _require_attempt(connection: Connection, post: int, transaction_hash: str) -> None:
    attempts = tables.attempts
    query = select(attempts.c.id).where(attempts.c.post == post, attempts.c.hash == transaction_hash)
    if connection.execute(query).one_or_none() is None:
        raise StoreError(f"transaction {transaction_hash} is not one of post {post}", advice=_DEFECT)


def _sent_at(connection: Connection, post: int, at: Timestamp) -> None:
    attempts = tables.attempts
    newest = select(attempts.c.id).where(attempts.c.post == post).order_by(attempts.c.id.desc()).limit(1)
    found = connection.execute(newest).scalar_one_or_none()
    if found is None:
        raise StoreError(f"post {post} has no signed transaction", advice=_DEFECT)
    connection.execute(update(attempts).where(attempts.c.id == found).values(sent_at=at))


def _update(connection: Connection, post: int, **values: object) -> None:
    connection.execute(update(tables.posts).where(tables.posts.c.id == post).values(**values))
