"""`navoracle status` and `navoracle history`: what the database knows of the funds."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from navoracle.cli.documents import bridge_document, history_document
from navoracle.cli.exit_codes import ExitCode
from navoracle.cli.output import duration, moment, money, percent, plain, present, short_hash, table
from navoracle.cli.risk_status import KnownRisk, gate_word, known_risks, risk_document, risk_word
from navoracle.cli.runtime import ConfigFile, DatabaseUrl, JsonFlag, PlotFile, database_of, runtime_of
from navoracle.domain.errors import UsageError
from navoracle.domain.units import Timestamp
from navoracle.keeper.kept_bridges import kept_bridge
from navoracle.redaction import redact_database_url

if TYPE_CHECKING:
    from navoracle.store_port import HistoryRow, StatusRow, Store

DEFAULT_LIMIT = 20


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("status")(status)
    app.command("history")(history)


def status(
    context: typer.Context,
    config: ConfigFile = None,
    database: DatabaseUrl = None,
    as_json: JsonFlag = False,
) -> int:
    """Show each fund's newest slot, the newest NAV that was confirmed and its age, its risk alerts and its gate."""
    from navoracle.composition.stores import open_existing_store

    url = database_of(context, config, database)
    now = runtime_of(context).clock.now()
    with open_existing_store(url) as store:
        rows = store.status()
        risks = known_risks(store, rows)
    document = {
        "database": redact_database_url(url),
        "now": now,
        "funds": [_status_document(row, risks[row.fund], now) for row in rows],
    }
    present(document, lambda out: _show_status(out, rows, risks, now, document["database"]), as_json=as_json)
    return ExitCode.OK


def history(
    context: typer.Context,
    fund: Annotated[str | None, typer.Argument(metavar="FUND", help="One fund; all when none is named.")] = None,
    limit: Annotated[
        int | None,
        typer.Option("--limit", min=1, help=f"The newest so many slots; {DEFAULT_LIMIT}, or all in a picture."),
    ] = None,
    since: Annotated[
        str | None, typer.Option("--since", metavar="TIME", help="Unix seconds, or a date and time in UTC.")
    ] = None,
    plot: PlotFile = None,
    config: ConfigFile = None,
    database: DatabaseUrl = None,
    as_json: JsonFlag = False,
) -> int:
    """List slots, newest first: how each ended and why, what was found, and where it was posted.

    A picture shows one fund: prices and votes, NAV per share, status, cadence, and the slots that were not posted.
    """
    from navoracle.composition.stores import open_existing_store

    start = None if since is None else time_of(since)
    if plot is not None:
        from navoracle.pictures.files import check_picture_file

        check_picture_file(plot)
    url = database_of(context, config, database)
    with open_existing_store(url) as store:
        rows = store.history(fund, start, limit or DEFAULT_LIMIT)
        known = sorted({row.fund for row in store.status()})
        if fund is not None and fund not in known:
            raise UsageError(
                f"the database knows no fund {fund}",
                advice=f"It knows {', '.join(known)}." if known else "It knows none.",
            )
        bridges = [_bridge(store, row) if as_json else None for row in rows]
        if plot is not None:
            pictured = fund or _only(known)
            _draw(pictured, store, store.history(pictured, start, limit), plot)
    document = {
        "database": redact_database_url(url),
        "slots": [{**history_document(row), "bridge": bridge} for row, bridge in zip(rows, bridges, strict=True)],
        "picture": None if plot is None else str(plot),
    }
    present(document, lambda out: _show_history(out, rows, plot), as_json=as_json)
    return ExitCode.OK


def _draw(fund: str, store: Store, rows: tuple[HistoryRow, ...], file: Path) -> None:
    from navoracle.pictures.files import write_picture
    from navoracle.pictures.slots import picture_of_history

    write_picture(picture_of_history(fund, store, rows), file)


def _only(known: list[str]) -> str:
    """The one fund that there is. Raises UsageError where there are more, or none."""
    if len(known) != 1:
        raise UsageError(
            "a picture shows one fund", advice=f"Name one of: {', '.join(known)}." if known else "There is none yet."
        )
    return known[0]


def time_of(text: str) -> Timestamp:
    """Parse Unix seconds or an ISO date and time; UTC where no zone is said. Raises UsageError."""
    if text.isdecimal():
        return Timestamp(int(text))
    try:
        parsed = datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(
            f"{text!r} is no time", advice="Write Unix seconds, 2026-01-31 or 2026-01-31T08:00:00."
        ) from None
    return Timestamp(int((parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).timestamp()))


def _bridge(store: Store, row: HistoryRow) -> dict[str, Any] | None:
    """Why the NAV of the slot's frame was another one than that posted before, where the frame found that."""
    if row.frame is None:
        return None
    found = kept_bridge(store.evidence(row.frame, row.fund))
    return None if found is None else bridge_document(found)


def _status_document(row: StatusRow, risk: KnownRisk, now: Timestamp) -> dict[str, Any]:
    return {
        "fund": row.fund,
        "age": None if row.posted is None else now - row.posted.slot_time,
        "latest": history_document(row.latest),
        "posted": None if row.posted is None else history_document(row.posted),
        "risk": risk_document(risk),
    }


def _show_status(
    out: Console, rows: tuple[StatusRow, ...], risks: Mapping[str, KnownRisk], now: Timestamp, database: object
) -> None:
    shown = table(
        "fund", "last slot", "result", "posted NAV", "price per share", "age", "risk alerts", "gate", "transaction",
        right=("posted NAV", "price per share", "age"),
    )  # fmt: skip
    for row in rows:
        posted = row.posted
        shown.add_row(
            plain(row.fund),
            moment(row.latest.slot_time),
            _ended(row.latest),
            money(None if posted is None else posted.nav_after),
            money(None if posted is None else posted.price_per_share, 6),
            "never" if posted is None else duration(now - posted.slot_time),
            risk_word(risks[row.fund]),
            gate_word(risks[row.fund]),
            short_hash(None if posted is None else posted.transaction_hash),
        )
    out.print(shown if rows else "No fund has had a slot yet.")
    out.print(f"database {plain(database)}")


def _show_history(out: Console, rows: tuple[HistoryRow, ...], plot: Path | None) -> None:
    shown = table(
        "slot", "fund", "result", "status", "NAV", "price per share", "confidence", "frame", "transaction",
        right=("NAV", "price per share", "confidence"),
    )  # fmt: skip
    for row in rows:
        shown.add_row(
            moment(row.slot_time),
            plain(row.fund),
            _ended(row),
            "-" if row.status is None else row.status.value,
            money(row.nav_after),
            money(row.price_per_share, 6),
            percent(row.confidence),
            plain(row.frame),
            short_hash(row.transaction_hash),
        )
    out.print(shown if rows else "No slots.")
    if plot is not None:
        out.print(f"picture in {plain(plot)}")


def _ended(row: HistoryRow) -> str:
    style = {"posted": "green", "claimed": "yellow"}.get(row.state.value, "red")
    reason = f" ({plain(row.reason)})" if row.reason else ""
    return f"[{style}]{row.state.value}[/]{reason}"
