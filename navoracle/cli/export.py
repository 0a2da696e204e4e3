"""`navoracle export`: what the database holds, for spreadsheets and programs: events, slots, posts, frames."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from navoracle.cli.exit_codes import ExitCode
from navoracle.cli.output import console, count, print_json
from navoracle.cli.progress import tracking
from navoracle.cli.runtime import ConfigFile, DatabaseUrl, JsonFlag, database_of
from navoracle.cli.status import time_of
from navoracle.domain.errors import UsageError
from navoracle.domain.nav import Breakdown
from navoracle.domain.units import Timestamp, wad_text
from navoracle.redaction import redact_database_url

if TYPE_CHECKING:
    from navoracle.store_port import EventRow, FundFrameRow, History, PostRow, SlotRow

Row = Mapping[str, Any]

_POST_COLUMNS: Final = (
    "post", "fund", "fund_id", "frame", "chain", "registry", "valuation_time", "nav", "price_per_share", "state",
    "outcome", "reason", "transaction", "block", "attempts", "error", "created_at", "finished_at", "evidence_root",
    "evidence_hash",
)  # fmt: skip


class Subject(Enum):
    """What is exported."""

    EVENTS = "events"
    SLOTS = "slots"
    POSTS = "posts"
    FRAMES = "frames"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("export")(export)


def export(
    context: typer.Context,
    subject: Annotated[Subject, typer.Argument(metavar="events|slots|posts|frames", help="What.")],
    as_csv: Annotated[bool, typer.Option("--csv", help="A table with a header; the default.")] = False,
    as_lines: Annotated[bool, typer.Option("--jsonl", help="One JSON object a line.")] = False,
    fund: Annotated[str | None, typer.Option("--fund", metavar="FUND", help="Of one fund.")] = None,
    kind: Annotated[str | None, typer.Option("--kind", metavar="KIND", help="Events of one kind.")] = None,
    since: Annotated[str | None, typer.Option("--since", metavar="TIME", help="From then on (UTC).")] = None,
    until: Annotated[
        str | None, typer.Option("--until", metavar="TIME", help="Up to and including then (UTC).")
    ] = None,
    out: Annotated[Path | None, typer.Option("--out", metavar="FILE", help="A new file; else standard output.")] = None,
    config: ConfigFile = None,
    database: DatabaseUrl = None,
    as_json: JsonFlag = False,
) -> int:
    """Write events, slots, posts or frames, oldest first: integers of 18 decimals, Unix seconds, nothing rounded."""
    from navoracle.composition.stores import open_existing_store

    if as_csv + as_lines + as_json > 1:
        raise UsageError("one format at a time", advice="Give one of --csv, --jsonl and --json.")
    if kind is not None and subject is not Subject.EVENTS:
        raise UsageError("--kind is for events", advice="Leave it out, or export events.")
    start = None if since is None else time_of(since)
    end = None if until is None else time_of(until)
    url = database_of(context, config, database)
    with open_existing_store(url) as store:
        found = rows_of(store, subject, fund=fund, kind=kind, since=start, until=end)
        with tracking(f"exporting {subject.value}", total=None, quiet=as_json) as tracker:
            rows = list(tracker.each(found))
    if as_json and out is None:
        print_json({"database": redact_database_url(url), subject.value: rows})
        return ExitCode.OK
    write_out(rows, columns_of(subject), out, lines=as_lines or as_json)
    if out is not None:
        if as_json:
            print_json({"database": redact_database_url(url), "file": str(out), "rows": len(rows)})
        else:
            console(error=True).print(f"{count(len(rows), 'row')} in {out}", markup=False)
    return ExitCode.OK


def rows_of(
    store: History,
    subject: Subject,
    *,
    fund: str | None = None,
    kind: str | None = None,
    since: Timestamp | None = None,
    until: Timestamp | None = None,
) -> Iterable[Row]:
    """The rows of a subject, oldest first. Raises StoreError."""

    def early(at: Timestamp) -> bool:
        return (until is None or at <= until) and (since is None or at >= since)

    if subject is Subject.EVENTS:
        yield from (event_row(row) for row in reversed(store.events(fund, kind, since)) if early(row.event.at))
    elif subject is Subject.SLOTS:
        yield from (slot_row(row) for row in reversed(store.slots(fund, since)) if early(row.slot_time))
    elif subject is Subject.FRAMES:
        yield from (frame_row(row) for row in reversed(store.fund_frames(fund=fund, since=since)) if early(row.now))
    else:
        for post in reversed(store.posts(fund)):
            if early(post.batch.valuation_time):
                yield from (row for row in post_rows(post) if fund is None or row["fund"] == fund)


def event_row(row: EventRow) -> Row:
    """An event."""
    from navoracle.telemetry.events import document_of

    return document_of(row)


def slot_row(row: SlotRow) -> Row:
    """A slot and how it ended."""
    from navoracle.read_model.history import slot_record

    return slot_record(row).model_dump()


def post_rows(post: PostRow) -> Iterable[Row]:
    """A post: one row for each of its funds."""
    for part in post.funds:
        yield {
            "post": post.id,
            "fund": part.fund,
            "fund_id": part.fund_id,
            "frame": post.frame,
            "chain": post.batch.chain,
            "registry": post.batch.to,
            "valuation_time": post.batch.valuation_time,
            "nav": wad_text(part.nav),
            "price_per_share": wad_text(part.price_per_share),
            "state": post.state.value,
            "outcome": None if part.outcome is None else part.outcome.value,
            "reason": part.reason,
            "transaction": post.transaction_hash,
            "block": post.block_number,
            "attempts": len(post.attempts),
            "error": post.error,
            "created_at": post.created_at,
            "finished_at": post.finished_at,
            "evidence_root": post.batch.evidence_root,
            "evidence_hash": part.evidence_hash,
        }


def frame_row(row: FundFrameRow) -> Row:
    """What a frame found for one fund: as the API says it, with components, failures and positions without a price."""
    from navoracle.read_model.frames import frame_record

    found = frame_record(row).model_dump()
    evidence_hash = found.pop("evidence_hash")
    after = None if row.values is None else row.values.after
    components = {name: None if after is None else wad_text(getattr(after, name)) for name in Breakdown._fields}
    return {
        **found,
        **components,
        "failures": [failure.reader for failure in row.failures],
        "immaterial": list(row.immaterial),
        "evidence_hash": evidence_hash,
    }


def columns_of(subject: Subject) -> tuple[str, ...]:
    """The columns of a subject's CSV, in the order of its rows' fields."""
    from navoracle.read_model.events import EventRecord
    from navoracle.read_model.frames import FrameRecord
    from navoracle.read_model.history import SlotRecord

    if subject is Subject.EVENTS:
        return tuple(EventRecord.model_fields)
    if subject is Subject.SLOTS:
        return tuple(SlotRecord.model_fields)
    if subject is Subject.POSTS:
        return _POST_COLUMNS
    found = tuple(name for name in FrameRecord.model_fields if name != "evidence_hash")
    return (*found, *Breakdown._fields, "failures", "immaterial", "evidence_hash")


def write_out(rows: Iterable[Row], columns: tuple[str, ...], out: Path | None, *, lines: bool = False) -> None:
    """Write rows to a new file, or to standard output. Raises UsageError when the file is there already."""
    from navoracle.read_model.tables import write_rows

    with ExitStack() as stack:
        write_rows(rows, columns, stack.enter_context(_new(out)) if out else sys.stdout, lines=lines)


def require_new(path: Path) -> None:
    """Refuse a file that is there, before long work is done for it. Raises UsageError."""
    if path.exists():
        raise UsageError(f"{path} is there already", advice="Name a new file; nothing is overwritten.")


def _new(path: Path) -> io.TextIOWrapper:
    try:
        return path.open("x", encoding="utf-8", newline="")
    except FileExistsError:
        raise UsageError(f"{path} is there already", advice="Name a new file; nothing is overwritten.") from None
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}", advice="Name another file.") from error
