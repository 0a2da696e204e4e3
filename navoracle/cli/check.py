"""`navoracle check`: a whole configuration held against the chains, and what to change in it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer
from rich.console import Console

from navoracle.checks.findings import Level, failing
from navoracle.cli.documents import stamp_document
from navoracle.cli.exit_codes import ExitCode
from navoracle.cli.output import count, error_document, plain, present
from navoracle.cli.runtime import ConfigFile, DatabaseUrl, JsonFlag, database_if_any, load, runtime_of
from navoracle.domain.units import Timestamp
from navoracle.store_port import Event, Severity

if TYPE_CHECKING:
    from navoracle.checks.findings import Finding
    from navoracle.checks.readers import Code
    from navoracle.checks.run import Checked
    from navoracle.store_port import History

CODE_EVENT: Final = "contract_code"
"""The kind of event that remembers the code of a contract."""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("check")(check)


def check(
    context: typer.Context,
    accept_code: Annotated[
        bool, typer.Option("--accept-code", help="Take contracts whose code changed since the last check as they are.")
    ] = False,
    strict: Annotated[bool, typer.Option("--strict", help="End with 4 for warnings too.")] = False,
    config: ConfigFile = None,
    database: DatabaseUrl = None,
    as_json: JsonFlag = False,
) -> int:
    """Test a whole configuration against the chains: endpoints, contracts, feeds, prices, roles. Nothing is sent.

    Every finding names its path in the configuration and the remedy. Ends with 4 when there is an error. Where the
    database exists, the code of every contract is remembered in it, and a change is an error at the next check.
    """
    from navoracle.checks.run import check as check_configuration
    from navoracle.composition.stores import open_store

    loaded = load(context, config, database)
    runtime = runtime_of(context)
    url = database_if_any(context, config, database)
    known: Mapping[tuple[int, str], str] = {}
    if url is not None:
        with open_store(url) as store:
            known = known_codes(store)
    checked = asyncio.run(
        check_configuration(
            loaded.config,
            clock=runtime.clock,
            chains=runtime.chains,
            documents=loaded.path.parent,
            known_codes={} if accept_code else known,
        )
    )
    if url is not None:
        with open_store(url) as store, store.transaction():
            for event in code_events(checked.codes, known, runtime.clock.now(), accept=accept_code):
                store.append_event(event)
    errors = failing(checked.findings, strict=strict)
    document = _document(checked)
    if errors:
        document |= error_document("configuration", f"{errors[0].place}: {errors[0].message}", errors[0].advice)
    present(document, lambda out: _show(out, checked, remembers=url is not None), as_json=as_json)
    return ExitCode.CONFIGURATION if errors else ExitCode.OK


def known_codes(store: History) -> dict[tuple[int, str], str]:
    """The code of every contract as it was last remembered, by chain id and address."""
    known: dict[tuple[int, str], str] = {}
    for row in reversed(store.events(kind=CODE_EVENT)):
        data = row.event.data
        known[int(str(data["chain_id"])), str(data["address"])] = str(data["code"])
    return known


def code_events(
    codes: Iterable[Code], known: Mapping[tuple[int, str], str], now: Timestamp, *, accept: bool
) -> list[Event]:
    """What is to be remembered: contracts seen for the first time, and changed ones that were accepted."""
    events: list[Event] = []
    for code in codes:
        before = known.get((code.chain_id, code.address))
        if before == code.fingerprint or (before is not None and not accept):
            continue
        what = "first seen" if before is None else "changed, and accepted"
        data = {"chain_id": code.chain_id, "address": code.address, "code": code.fingerprint}
        message = f"code of {code.address} on {code.chain} ({code.place}): {what}"
        severity = Severity.INFO if before is None else Severity.WARNING
        events.append(Event(now, CODE_EVENT, None, severity, message, "", data))
    return events


def _document(checked: Checked) -> dict[str, Any]:
    levels = [found.level for found in checked.findings]
    return {
        "readers": checked.readers,
        "stamps": [stamp_document(stamp) for stamp in checked.stamps],
        "contracts": len(checked.codes),
        "errors": levels.count(Level.ERROR),
        "warnings": levels.count(Level.WARNING),
        "findings": [
            {"level": found.level.value, "place": found.place, "message": found.message, "advice": found.advice}
            for found in checked.findings
        ],
    }


def _show(out: Console, checked: Checked, *, remembers: bool) -> None:
    for found in checked.findings:
        _show_finding(out, found)
    levels = [found.level for found in checked.findings]
    blocks = ", ".join(f"{stamp.chain} block {stamp.number}" for stamp in checked.stamps) or "no chain"
    out.print(
        f"{count(checked.readers, 'reader')} and {count(len(checked.codes), 'contract')} at {plain(blocks)}: "
        f"{count(levels.count(Level.ERROR), 'error')}, {count(levels.count(Level.WARNING), 'warning')}"
    )
    if not remembers:
        out.print("the code of contracts is compared from one check to the next once there is a database")


def _show_finding(out: Console, found: Finding) -> None:
    style = {Level.ERROR: "red", Level.WARNING: "yellow", Level.NOTE: "blue"}[found.level]
    out.print(f"[{style}]{found.level.value}[/] [bold]{plain(found.place)}[/]: {plain(found.message)}", soft_wrap=True)
    out.print(f"  advice: {plain(found.advice)}", soft_wrap=True)
