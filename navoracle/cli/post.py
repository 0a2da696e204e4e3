"""`navoracle post`: one slot, now. Without `--live` everything happens but recording, signing and sending."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Annotated

import typer

from navoracle.cli.exit_codes import ExitCode
from navoracle.cli.output import error_document, present
from navoracle.cli.posting import ERRORS, SLOT_TAKEN, Posting
from navoracle.cli.runtime import ConfigFile, DatabaseUrl, Funds, JsonFlag, Loaded, Runtime, chosen, load, runtime_of
from navoracle.domain.cadence import Cadence
from navoracle.domain.errors import UsageError
from navoracle.domain.units import Timestamp
from navoracle.store_port import SlotOutcome, SlotState

if TYPE_CHECKING:
    from navoracle.composition.system import System
    from navoracle.config.models import Config
    from navoracle.keeper.submissions import Previewed
    from navoracle.store_port import Store


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("post")(post)


def post(
    context: typer.Context,
    funds: Funds = None,
    live: Annotated[
        bool, typer.Option("--live/--dry-run", help="Record, sign and send; or do everything but that.")
    ] = False,
    publisher: Annotated[
        str | None, typer.Option("--publisher", metavar="NAME", help="Only what this publisher, or kind, posts.")
    ] = None,
    at: Annotated[int | None, typer.Option("--at", metavar="SLOT", min=1, help="Slot time, Unix seconds.")] = None,
    config: ConfigFile = None,
    database: DatabaseUrl = None,
    as_json: JsonFlag = False,
) -> int:
    """Work off one slot of each fund now: value, guard, preview at the contract and, with --live, record and post.

    A dry run starts from the recorded state and leaves nothing behind: it takes no slot and opens no key file.
    """
    from navoracle.cli.posting_documents import posting_document, show_posting

    loaded = load(context, config, database)
    names = posted_by(loaded.config, chosen(loaded.config, funds), publisher)
    runtime = runtime_of(context)
    slot_time = Timestamp(runtime.clock.now() if at is None else at)
    posting = asyncio.run(_post(loaded, names, slot_time, runtime, live=live))
    _log(posting)
    code = posting.exit_code()
    document = posting_document(posting)
    if code is not ExitCode.OK:
        failed = [fund for fund in posting.outcomes if not posting.succeeded(fund)]
        message = "; ".join(f"{fund}: {posting.result(fund)}" for fund in failed)
        document |= error_document(ERRORS[code], message, posting.advice(failed[0]))
    present(document, lambda out: show_posting(out, posting), as_json=as_json)
    return code


async def _post(loaded: Loaded, funds: Sequence[str], slot_time: Timestamp, runtime: Runtime, *, live: bool) -> Posting:
    from navoracle.composition.system import open_system

    with _store(loaded, live=live) as store:
        system = await open_system(
            loaded.config,
            clock=runtime.clock,
            store=store,
            live=live,
            chains=runtime.chains,
            documents=loaded.path.parent,
        )
        try:
            frames, outcomes = await system.runner_or_fail().run(funds, slot_time, Cadence.HOURLY)
        finally:
            await system.close()
        taken = SlotOutcome(SlotState.SKIPPED, SLOT_TAKEN, None, None)
        transactions = {
            row.id: row.transaction_hash or row.attempts[-1].hash
            for frame in frames
            for row in store.posts(frame=frame.id)
            if row.transaction_hash is not None or row.attempts
        }
        return Posting(
            slot_time,
            live,
            frames,
            {fund: outcomes.get(fund, taken) for fund in funds},
            transactions,
            {fund: found for fund in funds if (found := _previewed(system, fund)) is not None},
        )


def posted_by(config: Config, funds: Sequence[str], publisher: str | None) -> tuple[str, ...]:
    """The funds that a publisher posts, by its name or kind ("registry" for ours).

    Raises:
        UsageError: it posts none of them.
    """
    if publisher is None:
        return tuple(funds)
    found = tuple(fund for fund in funds if publisher in _publishers_of(config, fund))
    if not found:
        known = sorted({name for fund in funds for name in _publishers_of(config, fund)})
        raise UsageError(
            f"nothing is posted by a publisher {publisher}",
            advice=f"Publishers of these funds: {', '.join(known) or 'none'}; see docs/publishers.md for the kinds.",
        )
    return found


def _publishers_of(config: Config, fund: str) -> frozenset[str]:
    section = config.funds[fund]
    if section.publisher is not None:
        return frozenset({section.publisher, config.publishers[section.publisher].kind})
    return frozenset() if section.chain is None else frozenset({"registry", section.chain})


def _previewed(system: System, fund: str) -> Previewed | None:
    outbox = system.ports.outboxes.get(system.subject.funds[fund].target or "")
    return None if outbox is None else outbox.previewed(fund)


def _store(loaded: Loaded, *, live: bool) -> AbstractContextManager[Store]:
    from navoracle.composition.stores import open_store, rehearsal_store

    url = loaded.database.get_secret_value()
    return open_store(url) if live else rehearsal_store(url)


def _log(posting: Posting) -> None:
    import structlog

    log = structlog.get_logger("navoracle.post")
    for fund, outcome in posting.outcomes.items():
        facts = {
            "fund": fund,
            "slot_time": posting.slot_time,
            "state": outcome.state.value,
            "reason": outcome.reason,
            "frame": outcome.frame,
            "transaction": posting.transaction(fund),
            "live": posting.live,
        }
        if posting.succeeded(fund):
            log.info("slot", **facts)
        else:
            log.warning("slot", **facts, advice=posting.advice(fund))
