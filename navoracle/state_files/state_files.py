"""The state files of all funds: hears of frames, and writes each fund's set when it is told to.

Hearing is quick and never waits for a disk; writing may be done by another thread, one at a time. What could not be
written stays due, and is written when it can be: a frame that came meanwhile takes its place.
"""

from __future__ import annotations

import errno
import json
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from navoracle.domain.frame import FundFrame, NavFrame
from navoracle.domain.prices import PriceStatus
from navoracle.domain.prior import ConfirmedNav, Sample
from navoracle.domain.units import Timestamp
from navoracle.state_files.documents import documents_of
from navoracle.state_files.documents.header import FORMAT
from navoracle.state_files.documents.index import entry_json, index_entry, is_entry
from navoracle.state_files.external import ExternalFiles
from navoracle.state_files.facts import Facts, FundView, MonitorHealth, NavPoint, Source, StressLine
from navoracle.state_files.kept import Kept, kept_of
from navoracle.state_files.price_ranges import PriceRanges
from navoracle.state_files.reader import read_index, read_set
from navoracle.state_files.status_page import status_files
from navoracle.state_files.writer import SetWriter

NO_EXTERNAL: Final = ExternalFiles()
NO_PAST: Final[Mapping[str, Sequence[NavPoint]]] = {}


_DISK: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO})
"""Failures that no other fund's folder is spared."""

MOST_HEARD: Final = 500
"""Frames that are remembered while nothing can be written; of more the oldest are forgotten."""


@dataclass(frozen=True, slots=True)
class Heard:
    """A frame as it was heard of, without its evidence, with what the chain served and what was overridden then.

    `slots` are the funds of which it is a slot's frame: a look between slots makes no evidence.
    """

    frame: NavFrame
    slots: frozenset[str]
    served: Mapping[str, ConfirmedNav]
    overrides: Mapping[str, Any]


@dataclass(slots=True)
class _Fund:
    """What a fund's files say now; `shown` is what of the chain is in them."""

    kept: Kept
    heard: Heard | None = None
    source: Source = "confirmed"
    served: ConfirmedNav | None = None
    is_due: bool = False


class StateFiles:
    """The files of all funds.

    Args:
        view_of: a fund as it is configured now; None for one that has no files.
        served: what the chain serves, by fund, as it is known at any time.
        overrides: limits that are overridden now, by path.
        stress: the stress table of a fund at a frame; None where it has none.
        monitor: the risk monitor's health now; None where none runs.
        past: earlier points of funds, oldest first, for those that have no files of an earlier run.
        samples: live prices of the last day, oldest first.
        history: most points of a series.

    Attributes:
        trouble: why not everything could be written the last time; None where it could.
    """

    def __init__(
        self,
        writer: SetWriter,
        *,
        now: Callable[[], Timestamp],
        view_of: Callable[[str], FundView | None],
        served: Mapping[str, ConfirmedNav],
        overrides: Callable[[], Mapping[str, Any]] = dict,
        stress: Callable[[NavFrame, FundFrame], Sequence[StressLine] | None] = lambda _frame, _part: None,
        monitor: Callable[[], MonitorHealth | None] = lambda: None,
        past: Mapping[str, Sequence[NavPoint]] = NO_PAST,
        samples: Iterable[Sample] = (),
        external: ExternalFiles = NO_EXTERNAL,
        history: int = 500,
    ) -> None:
        self._writer = writer
        self._now = now
        self._view_of = view_of
        self._served = served
        self._overrides = overrides
        self._stress = stress
        self._monitor = monitor
        self._past = past
        self._external = external
        self._history = history
        self._heard: deque[Heard] = deque(maxlen=MOST_HEARD)
        self._funds: dict[str, _Fund] = {}
        self._index: dict[str, Any] | None = None
        self.trouble: str | None = None
        self._ranges = PriceRanges()
        for sample in samples:
            self._ranges.observe(sample.asset, sample.time, sample.price)

    def hear(self, frame: NavFrame) -> None:
        """A frame was run: a slot's, a look's, or a sample's, which has no funds."""
        served = {part.fund: self._served[part.fund] for part in frame.funds if part.fund in self._served}
        bare = replace(frame, evidence={}, quotes=())
        self._heard.append(Heard(bare, frozenset(frame.evidence), served, dict(self._overrides())))

    @property
    def is_behind(self) -> bool:
        """Whether anything was heard of, or could not be written, that is not in the files."""
        return bool(self._heard) or any(fund.is_due for fund in self._funds.values())

    def write(self) -> None:
        """Write what is due. Where a disk fails, `trouble` says so, and what is due stays due."""
        troubles: list[OSError] = []
        try:
            self._writer.own()  # before an earlier run's files are read: it may still be writing them
        except OSError as error:
            troubles.append(error)
        else:
            for step in (self._take_in, self._write_due):
                try:
                    step()
                except OSError as error:
                    troubles.append(error)
        self.trouble = _told(troubles[0]) if troubles else None

    def close(self) -> None:
        """Write what is due, and give the folder up."""
        self.write()
        self._writer.close()

    # ---- what is heard

    def _take_in(self) -> None:
        """Everything that was heard. Raises the first OSError, and keeps what it kept from being taken in."""
        first: OSError | None = None
        left: list[Heard] = []
        for _ in range(len(self._heard)):
            heard = self._heard.popleft()
            self._observe_prices(heard.frame)
            parts: list[FundFrame] = []
            for part in heard.frame.funds:
                try:
                    if self._view_of(part.fund) is not None:
                        self._take_part(heard, part)
                except OSError as error:
                    first = first or error
                    parts.append(part)
            if parts:
                left.append(replace(heard, frame=replace(heard.frame, funds=tuple(parts))))
        room = MOST_HEARD - len(self._heard)
        self._heard.extendleft(reversed(left[-room:] if room else []))
        for name, served in list(self._served.items()):
            self._take_served(name, served)
        if first is not None:
            raise first

    def _observe_prices(self, frame: NavFrame) -> None:
        for (asset, side), estimate in frame.estimates.items():
            if side == "asset" and estimate.status is PriceStatus.LIVE and estimate.price is not None:
                self._ranges.observe(asset, frame.now, estimate.price)

    def _take_part(self, heard: Heard, part: FundFrame) -> None:
        fund = self._fund(part.fund)
        source: Source = "slot" if part.fund in heard.slots else "look"
        fund.kept.add(heard.frame, part, source)
        if fund.heard is None or fund.heard.frame.now <= heard.frame.now:
            fund.heard, fund.source = heard, source
            fund.served = heard.served.get(part.fund, fund.served)
        fund.is_due = True

    def _take_served(self, name: str, served: ConfirmedNav) -> None:
        """What the chain serves has changed, or is all that is known."""
        known = self._funds.get(name)
        if (known is not None and known.served == served) or self._view_of(name) is None:
            return
        fund = self._fund(name)
        fund.served = served
        fund.kept.seed(served)
        # Files of an earlier run are better than what the chain serves alone, until there is a frame.
        fund.is_due = fund.is_due or fund.heard is not None or not self._has_files(name)

    def _fund(self, name: str) -> _Fund:
        known = self._funds.get(name)
        if known is None:
            try:
                kept = kept_of(read_set(self._writer.folder, name), self._history)
            except ValueError:  # not ours, or damaged: it is replaced by the first set
                kept = Kept(self._history)
            if not kept.series:
                kept.series.extend(self._past.get(name, ())[-self._history :])
            known = self._funds[name] = _Fund(kept)
        return known

    def _has_files(self, name: str) -> bool:
        try:
            return bool(read_set(self._writer.folder, name))
        except ValueError:
            return False

    # ---- what is written

    def _write_due(self) -> None:
        """Every fund that is due; one whose folder cannot be used holds back no other. Raises the first OSError."""
        due = [(name, fund) for name, fund in self._funds.items() if fund.is_due]
        first: OSError | None = None
        for name, fund in due:
            facts = self._facts(name, fund)
            try:
                if facts is not None:
                    self._writer.write(name, documents_of(facts))
                    self._entries()[name] = entry_json(index_entry(facts))
            except OSError as error:
                first = first or error
                if error.errno in _DISK:
                    break
            else:
                fund.is_due = False
        if first is not None:
            raise first
        if due:
            self._write_index()

    def _facts(self, name: str, fund: _Fund) -> Facts | None:
        view = self._view_of(name)
        heard = fund.heard
        if view is None or (heard is None and fund.served is None):
            return None
        frame = None if heard is None else heard.frame
        part = None if frame is None else frame.fund(name)
        now = self._now()
        assets = () if part is None or part.valuation is None else {row.asset for row in part.valuation.positions}
        return Facts(
            view=view,
            frame=frame,
            part=part,
            source=fund.source,
            confirmed=fund.served,
            now=now,
            series=tuple(fund.kept.series),
            risk_history=tuple(fund.kept.risks),
            ranges=self._ranges.known(assets, now),
            overrides={} if heard is None else heard.overrides,
            # Not as it was when the frame was heard of: the look that made it had not ended.
            monitor=None if heard is None else self._monitor(),
            stress=_lines(None if frame is None or part is None else self._stress(frame, part)),
            external=self._external.read(name, now),
        )

    def _entries(self) -> dict[str, Any]:
        """The index's funds; those of an earlier run stay until they are written anew."""
        if self._index is None:
            try:
                funds = read_index(self._writer.folder).get("funds", {})
            except ValueError:
                funds = {}
            self._index = {
                name: entry
                for name, entry in (funds.items() if isinstance(funds, dict) else ())
                if self._view_of(name) is not None and is_entry(entry)
            }
        return self._index

    def _write_index(self) -> None:
        now = self._now()
        entries = self._entries()
        newest = max((entry["updated_at"] for entry in entries.values()), default=now)
        document = {
            "format": FORMAT,
            "updated_at": newest,
            "age_s": now - newest,
            "funds": {name: entries[name] for name in sorted(entries)},
        }
        self._writer.write_index(json.dumps(document, separators=(",", ":")).encode() + b"\n")
        for name, content in status_files(document, now).items():
            self._writer.write_beside(name, content)


def _told(error: OSError) -> str:
    return str(error) if error.strerror is None else f"{error.strerror}: {error.filename}"


def _lines(found: Sequence[StressLine] | None) -> tuple[StressLine, ...] | None:
    return None if found is None else tuple(found)
