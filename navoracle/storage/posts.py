"""Posts: stored with their transaction before anything is signed; outcomes after the contract was read back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final
from uuid import uuid4

from sqlalchemy import Connection, insert, select, update

from navoracle.domain.errors import StoreError
from navoracle.domain.units import Timestamp
from navoracle.publisher_port import Batch, FundPost, ReadBack
from navoracle.storage import tables
from navoracle.storage.database import Database
from navoracle.storage.failures import defect
from navoracle.storage.history import POSTS, post_rows
from navoracle.storage.lanes import lock_lane
from navoracle.storage.slots import link_post, lock_claims
from navoracle.storage.transactions import insert_transaction
from navoracle.store_port.records import FundOutcome, PostRow
from navoracle.store_port.slots import Claim
from navoracle.store_port.transactions import LaneLease, NewTransaction, TransactionKind, Urgency

_POSTS: Final = tables.posts
_FUNDS: Final = tables.post_funds


class PostStore:
    """The part of the store that keeps posts."""

    _database: Database

    def prepare_post(
        self,
        batch: Batch,
        frame_id: str,
        evidence: Mapping[str, str],
        proofs: Mapping[str, Sequence[str]],
        *,
        claims: Sequence[Claim],
        lane: LaneLease,
        urgency: Urgency,
        valid_until: Timestamp | None,
    ) -> PostRow:
        """Store a post and its transaction before anything is signed, and link the claimed slots to it.

        It is dated by the frame's clock. The same post for the same slots again is the one that is stored.

        Args:
            evidence: the evidence hash of every fund of the batch.
            proofs: the Merkle proof of every fund of the batch.
            claims: the slots that the post is to end, at least one for each fund of the batch.

        Raises:
            LeaseLost: a claim or the lane is no longer this keeper's; nothing was stored.
            StoreError: the frame is not recorded; the batch is empty or of another chain than the lane; a fund lacks
                its hash, proof or claim; or a slot has another post that may still be mined.
        """
        funds = {post.fund for post in batch.posts}
        if not funds or funds != set(evidence) or funds != set(proofs) or funds != {claim.fund for claim in claims}:
            raise defect(
                f"post of {sorted(funds)} with hashes of {sorted(evidence)}, proofs of {sorted(proofs)} and slots of "
                f"{sorted({claim.fund for claim in claims})}"
            )
        if batch.chain != lane.chain:
            raise defect(f"post on {batch.chain} in a lane of {lane.chain}")
        with self._database.write(durable=True) as connection:
            lock_lane(connection, lane)
            slots = lock_claims(connection, claims)
            clock = connection.execute(
                select(tables.frames.c.clock).where(tables.frames.c.id == frame_id)
            ).scalar_one_or_none()
            if clock is None:
                raise defect(f"post of frame {frame_id}, which is not recorded")
            stored = _open_post(connection, {slot["post"] for slot in slots} - {None}, batch, frame_id)
            if stored is not None:
                return stored
            post = _insert_post(connection, batch, frame_id, clock, lane, urgency, valid_until)
            connection.execute(
                insert(_FUNDS),
                [
                    _post_fund(post, place, fund_post, evidence[fund_post.fund], proofs[fund_post.fund])
                    for place, fund_post in enumerate(batch.posts)
                ],
            )
            link_post(connection, claims, post, frame_id)
            return _find(connection, post)

    def finish_post(self, lane: LaneLease, post: int, read_backs: Sequence[ReadBack], at: Timestamp) -> None:
        """Record what the contract holds after the post, fund by fund; a fund that was not read back is MISSING.

        The same again changes nothing.

        Raises:
            LeaseLost: the lane is another keeper's.
            StoreError: the post is unknown, of another lane, or was read back otherwise; or a fund that is read back
                is not part of it.
        """
        outcomes = {read_back.fund: read_back for read_back in read_backs}
        with self._database.write(durable=True) as connection:
            lock_lane(connection, lane)
            row = _find(connection, post)
            sender = connection.execute(
                select(tables.transactions.c.sender).where(tables.transactions.c.id == row.transaction)
            ).scalar_one()
            if (row.batch.chain, sender) != (lane.chain, lane.sender):
                raise defect(f"post {post} is of {sender} on {row.batch.chain}, not of this lane")
            funds = {fund.fund for fund in row.funds}
            if not set(outcomes) <= funds:
                raise defect(f"post {post} has no fund {', '.join(sorted(set(outcomes) - funds))}")
            found = {fund: _outcome(outcomes.get(fund)) for fund in sorted(funds)}
            if row.finished_at is not None:
                if found != {fund.fund: (fund.outcome, fund.reason) for fund in row.funds}:
                    raise defect(f"post {post} was read back before, and the contract held something else")
                return
            for fund, (outcome, reason) in found.items():
                connection.execute(
                    update(_FUNDS)
                    .where(_FUNDS.c.post == post, _FUNDS.c.fund == fund)
                    .values(outcome=outcome.value, reason=reason)
                )
            connection.execute(update(_POSTS).where(_POSTS.c.id == post).values(finished_at=at))

    def find_post(self, post: int) -> PostRow:
        """One post. Raises StoreError for an unknown number."""
        with self._database.read() as connection:
            return _find(connection, post)

    def frame_of_post(self, fund: str, valuation_time: Timestamp) -> str | None:
        """The frame whose post gave the contract this fund's value of this time; None when it was not ours.

        An accepted post comes first, then the newest one that is not known to have been refused.
        """
        refused = [FundOutcome.REFUSED.value, FundOutcome.MISSING.value]
        query = (
            select(_POSTS.c.frame)
            .join(_FUNDS, _FUNDS.c.post == _POSTS.c.id)
            .where(_FUNDS.c.fund == fund, _POSTS.c.valuation_time == valuation_time)
            .where(_FUNDS.c.outcome.is_(None) | _FUNDS.c.outcome.not_in(refused))
            .order_by((_FUNDS.c.outcome == FundOutcome.ACCEPTED.value).is_(True).desc(), _POSTS.c.id.desc())
            .limit(1)
        )
        with self._database.read() as connection:
            frame: str | None = connection.execute(query).scalar_one_or_none()
            return frame


def _open_post(connection: Connection, known: set[int], batch: Batch, frame_id: str) -> PostRow | None:
    """The post that the slots have already, if it is this very one. Raises StoreError for another that may be mined."""
    for row in post_rows(connection, POSTS.where(_POSTS.c.id.in_(known)).order_by(_POSTS.c.id)):
        if row.state.is_end:
            continue
        if (row.frame, row.batch) != (frame_id, batch):
            raise StoreError(
                f"post {row.id} of frame {row.frame} may still be mined for one of these slots",
                advice="Nothing was written. The keeper goes on with that post; it ends it before it makes another.",
            )
        return row
    return None


def _insert_post(
    connection: Connection,
    batch: Batch,
    frame_id: str,
    clock: Timestamp,
    lane: LaneLease,
    urgency: Urgency,
    valid_until: Timestamp | None,
) -> int:
    # A post refers to its transaction, whose key is the post's number: the key is set last.
    provisional = f"post of {frame_id}: {uuid4()}"
    intent = NewTransaction(provisional, TransactionKind.POST, batch.to, batch.data, urgency, valid_until)
    transaction = insert_transaction(connection, lane, intent, clock)
    post: int = connection.execute(
        insert(_POSTS).returning(_POSTS.c.id),
        {
            "frame": frame_id,
            "transaction": transaction,
            "chain": batch.chain,
            "registry": batch.to,
            "valuation_time": batch.valuation_time,
            "evidence_root": batch.evidence_root,
            "calldata": "0x" + batch.data.hex(),
            "created_at": clock,
        },
    ).scalar_one()
    table = tables.transactions
    connection.execute(update(table).where(table.c.id == transaction).values(key=f"post:{post}"))
    return post


def _find(connection: Connection, post: int) -> PostRow:
    found = post_rows(connection, POSTS.where(_POSTS.c.id == post))
    if not found:
        raise defect(f"post {post} is not recorded")
    return found[0]


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
