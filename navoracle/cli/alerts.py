"""`navoracle alerts`: what is wrong now, who takes care of it, and whether messages arrive."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from navoracle.cli.exit_codes import ExitCode
from navoracle.cli.output import moment, plain, present, table
from navoracle.cli.runtime import ConfigFile, DatabaseUrl, JsonFlag, database_of, load, runtime_of, who_is_it
from navoracle.domain.errors import ConfigurationError, UsageError
from navoracle.store_port import Event, Severity

if TYPE_CHECKING:
    from navoracle.store_port import AlertRow
    from navoracle.telemetry.alerts import Notifier

group = typer.Typer(no_args_is_help=True, help="See, acknowledge and test alerts.")

_STYLES = {Severity.CRITICAL: "red", Severity.WARNING: "yellow", Severity.INFO: "blue"}


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(group, name="alerts")


@group.command("list")
def list_alerts(
    context: typer.Context,
    everything: Annotated[bool, typer.Option("--all", help="Those that are over, too.")] = False,
    limit: Annotated[int, typer.Option("--limit", min=1, help="At most so many.")] = 50,
    config: ConfigFile = None,
    database: DatabaseUrl = None,
    as_json: JsonFlag = False,
) -> int:
    """List what is wrong now: since when, who was told, who takes care."""
    from navoracle.composition.stores import open_existing_store

    url = database_of(context, config, database)
    with open_existing_store(url) as store:
        rows = store.alerts(open_only=not everything, limit=limit)
    document = {"alerts": [alert_document(row) for row in rows]}
    present(document, lambda out: _show(out, rows), as_json=as_json)
    return ExitCode.OK


@group.command("ack")
def acknowledge(
    context: typer.Context,
    keys: Annotated[list[str] | None, typer.Argument(metavar="KEY", help="As `alerts list` shows them.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="Every open alert.")] = False,
    by: Annotated[
        str | None, typer.Option("--by", metavar="NAME", help="Who takes care; else who is logged in.")
    ] = None,
    config: ConfigFile = None,
    database: DatabaseUrl = None,
    as_json: JsonFlag = False,
) -> int:
    """Say that somebody takes care: an acknowledged alert is neither repeated nor escalated."""
    from navoracle.composition.stores import open_existing_store

    if bool(keys) == everything:
        raise UsageError("name alerts, or --all", advice="`navoracle alerts list` shows their keys.")
    url = database_of(context, config, database)
    now, who = runtime_of(context).clock.now(), who_is_it(by)
    with open_existing_store(url) as store:
        chosen = [row.key for row in store.alerts(open_only=True)] if everything else list(dict.fromkeys(keys or ()))
        done = [key for key in chosen if store.acknowledge_alert(key, who, now)]
        for key in done:
            store.append_event(
                Event(now, "alert_acknowledged", None, Severity.INFO, f"{key}: {who} takes care", data={"key": key})
            )
    missing = [key for key in chosen if key not in done]
    if missing:
        raise UsageError(
            f"no open alert is named {', '.join(missing)}" + (f"; acknowledged: {', '.join(done)}" if done else ""),
            advice="`navoracle alerts list` shows the keys of what is open.",
        )
    document = {"acknowledged": done, "by": who}
    present(
        document,
        lambda out: out.print(f"acknowledged by {plain(who)}: {plain(', '.join(done)) or 'nothing'}"),
        as_json=as_json,
    )
    return ExitCode.OK


@group.command("test")
def send_test(
    context: typer.Context,
    names: Annotated[
        list[str] | None, typer.Argument(metavar="TARGET", help="Targets; all when none is named.")
    ] = None,
    config: ConfigFile = None,
    as_json: JsonFlag = False,
) -> int:
    """Send a test message to every target and say what became of it. Ends with 6 when some failed, 5 when all did."""
    from navoracle.composition.alerts import alert_notifier

    loaded = load(context, config)
    notifier = alert_notifier(loaded.config.alerts)
    results = asyncio.run(send_tests(notifier, tuple(dict.fromkeys(names or ()))))
    document = {
        "targets": [
            {"target": name, "delivered": problem is None, "problem": problem} for name, problem in results.items()
        ]
    }
    present(document, lambda out: _show_results(out, results), as_json=as_json)
    failed = sum(problem is not None for problem in results.values())
    return ExitCode.OK if not failed else ExitCode.CHAIN if failed == len(results) else ExitCode.PARTLY


async def send_tests(notifier: Notifier, names: Sequence[str] = ()) -> Mapping[str, str | None]:
    """Send a test message to the named targets, or to all; for each why it was not delivered, None when it was.

    Raises:
        ConfigurationError: there is no target.
        UsageError: there is no target of a name.
    """
    from navoracle.telemetry.alerts import Notice, NoticeKind

    known = [target.name for target in notifier.targets]
    if not known:
        raise ConfigurationError(
            "nobody is told of alerts: the configuration has no targets",
            advice="Add `alerts: {targets: [{name: ops, url: ${ALERT_URL}}]}`; docs/operations/alerts.md shows URLs.",
        )
    for name in names:
        if name not in known:
            raise UsageError(f"there is no target {name}", advice=f"Name one of: {', '.join(known)}.")
    notice = Notice(
        NoticeKind.TEST,
        "test",
        Severity.INFO,
        "[test] navoracle alerts",
        "This is a test: messages of this keeper arrive here. Nothing is wrong.",
    )
    chosen = list(names) or known
    outcomes = await asyncio.gather(*(notifier.send(name, notice) for name in chosen))
    return dict(zip(chosen, outcomes, strict=True))


def alert_document(row: AlertRow) -> dict[str, Any]:
    """An alert as JSON."""
    from navoracle.telemetry.alerts import RULES

    rule = next((known for known in RULES.values() if known.name == row.rule), None)
    return {
        "key": row.key,
        "rule": row.rule,
        "subject": row.subject,
        "severity": row.severity.value,
        "message": row.message,
        "advice": row.advice,
        "runbook": None if rule is None else rule.runbook,
        "first_at": row.first_at,
        "last_at": row.last_at,
        "count": row.count,
        "notified_at": row.notified_at,
        "escalated_at": row.escalated_at,
        "acknowledged_at": row.acknowledged_at,
        "acknowledged_by": row.acknowledged_by,
        "resolved_at": row.resolved_at,
    }


def _show(out: Console, rows: Sequence[AlertRow]) -> None:
    if not rows:
        out.print("Nothing is wrong.")
        return
    shown = table("alert", "severity", "since", "seen", "told", "taken care of by", "over", "message")
    for row in rows:
        style = _STYLES[row.severity]
        shown.add_row(
            plain(row.key),
            f"[{style}]{row.severity.value}[/]",
            moment(row.first_at),
            str(row.count),
            moment(row.notified_at),
            plain(row.acknowledged_by),
            moment(row.resolved_at),
            plain(row.message),
        )
    out.print(shown)
    for advice in dict.fromkeys(row.advice for row in rows if row.resolved_at is None):
        out.print(f"advice: {plain(advice)}")


def _show_results(out: Console, results: Mapping[str, str | None]) -> None:
    for name, problem in results.items():
        said = "[green]delivered[/]" if problem is None else f"[red]failed[/]: {plain(problem)}"
        out.print(f"{plain(name)}: {said}")
