"""Frames: what each found, its evidence, and the state that the next one starts from."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, Table, delete, insert, select

from navoracle import __version__
from navoracle.domain.errors import StoreError
from navoracle.domain.fees import Basis, FeeState, raise_high_water_mark
from navoracle.domain.frame import FundFrame, NavFrame
from navoracle.domain.nav import FundValuation
from navoracle.domain.prices import LastValid, PriceStatus
from navoracle.domain.prior import FundPrior, PriorPosition, PriorPrice, Sample
from navoracle.domain.risk.gates import PeakState
from navoracle.domain.units import Timestamp, Wad
from navoracle.storage import tables
from navoracle.storage.columns import ByteOrder
from navoracle.storage.database import Database
from navoracle.storage.peaks import keep_peaks
from navoracle.storage.rows import breakdown_json, failure_json, gate_json, stamp_json, verdict_json
from navoracle.storage.upsert import keeping, replacing

Row = dict[str, Any]


# Built once: a sampler's frame is to cost less than a millisecond.
_ADD_SAMPLED_FRAME = keeping(tables.frames, "id")
_ADD_SAMPLE = keeping(tables.samples, "time", "asset")
_KEEP_LAST_VALID = replacing(
    tables.last_valid,
    ("asset", "side"),
    ("price", "confidence", "observed_at", "frame"),
    not_older="observed_at",  # an older observation never replaces a newer one
)
_KEEP_POSITION = replacing(tables.position_values, ("fund", "position"), ("value", "frame"))


class FrameStore:
    """The part of the store that keeps frames and makes priors."""

    _database: Database

    def record_frame(
        self,
        frame: NavFrame,
        *,
        hashes: Mapping[str, str],
        fee_bases: Mapping[str, Basis] | None = None,
        peaks: Mapping[str, PeakState] | None = None,
    ) -> None:
        """Keep a frame whole, in one transaction. See `navoracle.store_port.Store`.

        Last known position values and the start of fee clocks and high-water marks are taken from funds that may be
        posted only: a doubtful frame must not become the measure of the one that verifies it.

        Raises:
            StoreError: it is already recorded, a document lacks its hash, or the database failed; nothing is kept.
        """
        if set(hashes) != set(frame.evidence):
            raise StoreError(
                f"frame {frame.id}: evidence of {sorted(frame.evidence)} with hashes of {sorted(hashes)}",
                advice="Report this as a defect; nothing was written.",
            )
        bases = fee_bases or {}
        with self._database.write() as connection:
            connection.execute(insert(tables.frames), _frame(frame, stop_after=None))
            _insert(connection, tables.quotes, _quotes(frame))
            _insert(connection, tables.estimates, _estimates(frame))
            _insert(connection, tables.fund_frames, [_fund_frame(frame, part, hashes) for part in frame.funds])
            _insert(connection, tables.evidence, _evidence(frame, hashes))
            _keep_live_prices(connection, frame)
            keep_peaks(connection, frame.id, peaks or {})
            for part in frame.funds:
                if part.postable and part.valuation is not None:
                    _keep_positions(connection, frame, part, part.valuation)
                    _start_fees(connection, frame, part.fund, part.valuation, bases.get(part.fund, "per_share"))

    def record_sample(self, frame: NavFrame) -> None:
        """Keep a sampler's frame: its blocks and its live prices. The same frame twice is one."""
        with self._database.write() as connection:
            connection.execute(_ADD_SAMPLED_FRAME, _frame(frame, stop_after="price"))
            _keep_live_prices(connection, frame)

    def load_prior_prices(self) -> tuple[PriorPrice, ...]:
        """The last valid price of every asset and side, sorted, each with the time at which it held."""
        table = tables.last_valid
        with self._database.read() as connection:
            rows = connection.execute(select(table).order_by(ByteOrder(table.c.asset), table.c.side)).all()
        return tuple(
            PriorPrice(row.asset, row.side, LastValid(Wad(row.price), row.confidence, row.observed_at), row.frame)
            for row in rows
        )

    def load_samples(self, since: Timestamp) -> tuple[Sample, ...]:
        """Samples at `since` or later, oldest first."""
        table = tables.samples
        query = select(table).where(table.c.time >= since).order_by(table.c.time, ByteOrder(table.c.asset))
        with self._database.read() as connection:
            rows = connection.execute(query).all()
        return tuple(Sample(row.asset, row.time, Wad(row.price), row.frame) for row in rows)

    def load_fund(self, fund: str) -> FundPrior:
        """The fund's fee state and last known positions, sorted; an unknown fund has neither."""
        fees, positions = tables.fee_states, tables.position_values
        with self._database.read() as connection:
            state = connection.execute(select(fees).where(fees.c.fund == fund)).one_or_none()
            known = connection.execute(
                select(positions).where(positions.c.fund == fund).order_by(ByteOrder(positions.c.position))
            ).all()
        return FundPrior(
            fees=FeeState() if state is None else FeeState(state.high_water_mark, state.accrued_since),
            fees_frame=None if state is None else state.frame,
            positions=tuple(PriorPosition(row.position, Wad(row.value), row.frame) for row in known),
        )


def _insert(connection: Connection, table: Table, rows: list[Row]) -> None:
    if rows:
        connection.execute(insert(table), rows)


def _frame(frame: NavFrame, *, stop_after: str | None) -> Row:
    return {
        "id": frame.id,
        "slot_time": frame.slot_time,
        "cadence": frame.cadence.value,
        "clock": frame.clock,
        "now": frame.now,
        "stamps": [stamp_json(stamp) for stamp in frame.stamps],
        "verifies": frame.verifies,
        "stop_after": stop_after,
        "code_version": __version__,
    }


def _quotes(frame: NavFrame) -> list[Row]:
    used: set[tuple[str, str]] = set()
    excluded: dict[tuple[str, str], str] = {}
    for (asset, _), estimate in frame.estimates.items():
        used.update((asset, source) for source in estimate.used)
        excluded.update(((asset, source), reason) for source, reason in estimate.excluded)
    return [
        {
            "frame": frame.id,
            "asset": quote.asset,
            "source": quote.source,
            "group": quote.group,
            "price": quote.price,
            "confidence": quote.confidence,
            "observed_at": quote.observed_at,
            "published_at": quote.published_at,
            "used": (quote.asset, quote.source) in used,
            "excluded_reason": excluded.get((quote.asset, quote.source)),
        }
        for quote in frame.quotes
    ]


def _estimates(frame: NavFrame) -> list[Row]:
    return [
        {
            "frame": frame.id,
            "asset": asset,
            "side": side,
            "price": estimate.price,
            "confidence": estimate.confidence,
            "status": estimate.status.value,
            "reason": estimate.reason,
            "spread_bps": estimate.spread_bps,
            "as_of": estimate.as_of,
        }
        for (asset, side), estimate in frame.estimates.items()
    ]


def _fund_frame(frame: NavFrame, part: FundFrame, hashes: Mapping[str, str]) -> Row:
    found = part.valuation
    return {
        "frame": frame.id,
        "fund": part.fund,
        "status": part.status.value,
        "reason": part.reason,
        "nav_before": None if found is None else found.before.nav,
        "nav_after": None if found is None else found.after.nav,
        "price_per_share": None if found is None else found.price_per_share,
        "shares": None if found is None else found.shares,
        "confidence": None if found is None else found.confidence,
        "undecayed_nav": None if found is None else found.undecayed_nav,
        "estimated": None if found is None else found.estimated,
        "fees": None if found is None else found.fees.total,
        "components": None
        if found is None
        else {"before": breakdown_json(found.before), "after": breakdown_json(found.after)},
        "verdicts": [verdict_json(verdict) for verdict in part.verdicts],
        "failures": [failure_json(failure) for failure in part.failures],
        "immaterial": list(part.immaterial),
        "gate": None if part.gate is None else gate_json(part.gate),
        "evidence_hash": hashes.get(part.fund),
    }


def _evidence(frame: NavFrame, hashes: Mapping[str, str]) -> list[Row]:
    return [
        {"frame": frame.id, "fund": fund, "hash": hashes[fund], "document": zlib.compress(document)}
        for fund, document in frame.evidence.items()
    ]


def _keep_live_prices(connection: Connection, frame: NavFrame) -> None:
    """Keep last valid prices and samples exactly as the planner does in memory: a restart changes no prior."""
    # In order, so that two keepers that write the same rows never wait for each other.
    live = [
        {
            "asset": asset,
            "side": side,
            "price": estimate.price,
            "confidence": estimate.confidence,
            "observed_at": estimate.as_of,
            "frame": frame.id,
        }
        for (asset, side), estimate in sorted(frame.estimates.items())
        if estimate.status is PriceStatus.LIVE and estimate.price is not None and estimate.as_of is not None
    ]
    if not live:
        return
    connection.execute(_KEEP_LAST_VALID, live)
    samples = [
        {"asset": row["asset"], "time": frame.now, "price": row["price"], "frame": frame.id}
        for row in live
        if row["side"] == "asset"
    ]
    if samples:
        connection.execute(_ADD_SAMPLE, samples)


def _keep_positions(connection: Connection, frame: NavFrame, part: FundFrame, valuation: FundValuation) -> None:
    """Replace the fund's last known values; unpriced positions that counted as zero keep the one they have."""
    values: dict[str, int] = {}
    for row in valuation.positions:
        values[row.position] = values.get(row.position, 0) + row.value
    table = tables.position_values
    connection.execute(delete(table).where(table.c.fund == part.fund, table.c.position.not_in(part.immaterial)))
    rows = [
        {"fund": part.fund, "position": position, "value": value, "frame": frame.id}
        for position, value in sorted(values.items())
    ]
    if rows:
        connection.execute(_KEEP_POSITION, rows)


def _start_fees(connection: Connection, frame: NavFrame, fund: str, valuation: FundValuation, basis: Basis) -> None:
    """Start the fee clock, and the mark at the first valuation worth something; neither moves once started."""
    measure = valuation.price_per_share if basis == "per_share" else valuation.before.nav
    table = tables.fee_states
    known = connection.execute(select(table).where(table.c.fund == fund)).one_or_none()
    mark = raise_high_water_mark(None, measure) if measure > 0 else None
    if known is None:
        connection.execute(
            insert(table), {"fund": fund, "high_water_mark": mark, "accrued_since": frame.now, "frame": frame.id}
        )
    elif known.high_water_mark is None and mark is not None:
        connection.execute(table.update().where(table.c.fund == fund).values(high_water_mark=mark, frame=frame.id))
