"""`navoracle post`: one slot, now. Without `--live` everything happens but recording, signing and sending."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Annotated, Any

import structlog
import typer
from rich.console import Console

from navoracle.cli.documents import fund_document, outcome_document, stamp_document
from navoracle.cli.exit_codes import ExitCode
from navoracle.cli.output import error_document, moment, money, plain, present, table
from navoracle.cli.runtime import ConfigFile, DatabaseUrl, Funds, JsonFlag, Loaded, Runtime, chosen, load, runtime_of
from navoracle.composition import open_store, open_system, rehearsal_store
from navoracle.domain.cadence import Cadence
from navoracle.domain.frame import FundFrame, NavFrame
from navoracle.domain.guards import sentence
from navoracle.domain.units import Timestamp
from navoracle.keeper.advice import advice_for
from navoracle.store_port import SlotOutcome, SlotState, Store

DRY_RUN = "dry_run"
SLOT_TAKEN = "slot_taken"
NO_REGISTRY = "no_registry"

_ADVICE: Mapping[str, str] = {
    SLOT_TAKEN: "The slot was worked on before; see `navoracle history`, or leave --at out.",
    NO_REGISTRY: "Deploy a registry with `navoracle deploy`, and add it to the chain's configuration.",
}


@dataclass(frozen=True, slots=True)
class Posting:
    """One slot: its frames, how it ended for each fund, and the transactions by post."""

    slot_time: Timestamp
    live: bool
    frames: tuple[NavFrame, ...]
    outcomes: Mapping[str, SlotOutcome]
    transactions: Mapping[int, str]

    def found(self, fund: str) -> FundFrame | None:
        """What the frame that decided found for a fund; None where none was run."""
        frame = next((each for each in self.frames if each.id == self.outcomes[fund].frame), None)
        return None if frame is None else next((part for part in frame.funds if part.fund == fund), None)

    def transaction(self, fund: str) -> str | None:
        """The transaction that a fund was posted with."""
        post = self.outcomes[fund].post
        return None if post is None else self.transactions.get(post)

    def succeeded(self, fund: str) -> bool:
        """Whether the fund was posted, or would have been in a dry run."""
        outcome = self.outcomes[fund]
        return outcome.state is SlotState.POSTED or (not self.live and outcome.reason == DRY_RUN)

    def advice(self, fund: str) -> str:
        """What an operator can do about a fund that was not posted; empty when nothing is wrong."""
        if self.succeeded(fund):
            return ""
        found, reason = self.found(fund), self.outcomes[fund].reason or ""
        if reason in _ADVICE:
            return _ADVICE[reason]
        if found is not None and not found.postable:
            return advice_for(found)
        if self.outcomes[fund].state is SlotState.CLAIMED:
            return (
                "The transaction is on its way: do not repeat it. `navoracle run` sees it to its end and ends the slot."
            )
        if self.outcomes[fund].state is SlotState.FAILED:
            return "Check the chain and its node, then look the post up with `navoracle history` before you repeat it."
        return "The registry does not take this value: see its bounds and holds; the RISK role can accept or release."

    def exit_code(self) -> ExitCode:
        """0 all posted, 6 some; else 5 when the chain failed, 4 without a registry, 3 when guards refused."""
        done = [self.succeeded(fund) for fund in self.outcomes]
        if all(done):
            return ExitCode.OK
        if any(done):
            return ExitCode.PARTLY
        if any(outcome.state in (SlotState.FAILED, SlotState.CLAIMED) for outcome in self.outcomes.values()):
            return ExitCode.CHAIN
        if all(outcome.reason == NO_REGISTRY for outcome in self.outcomes.values()):
            return ExitCode.CONFIGURATION
        return ExitCode.GUARD


_ERRORS: Mapping[ExitCode, str] = {
    ExitCode.PARTLY: "partly_done",
    ExitCode.CHAIN: "chain",
    ExitCode.CONFIGURATION: "configuration",
    ExitCode.GUARD: "guard_refused",
}


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("post")(post)


def post(
    context: typer.Context,
    funds: Funds = None,
    live: Annotated[bool, typer.Option("--live", help="Record, sign and send; a dry run without it.")] = False,
    at: Annotated[int | None, typer.Option("--at", metavar="SLOT", min=1, help="Slot time, Unix seconds.")] = None,
    config: ConfigFile = None,
    database: DatabaseUrl = None,
    as_json: JsonFlag = False,
) -> int:
    """Work off one slot of each fund now: value, guard, preview at the registry and, with --live, record and post.

    A dry run starts from the recorded state and leaves nothing behind: it takes no slot and opens no key file.
    """
    loaded = load(context, config, database)
    names = chosen(loaded.config, funds)
    runtime = runtime_of(context)
    slot_time = Timestamp(runtime.clock.now() if at is None else at)
    posting = asyncio.run(_post(loaded, names, slot_time, runtime, live=live))
    _log(posting)
    code = posting.exit_code()
    document = _document(posting)
    if code is not ExitCode.OK:
        failed = [fund for fund in posting.outcomes if not posting.succeeded(fund)]
        message = "; ".join(f"{fund}: {_result(posting, fund)}" for fund in failed)
        document |= error_document(_ERRORS[code], message, posting.advice(failed[0]))
    present(document, lambda out: _show(out, posting), as_json=as_json)
    return code


async def _post(loaded: Loaded, funds: Sequence[str], slot_time: Timestamp, runtime: Runtime, *, live: bool) -> Posting:
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
        return Posting(slot_time, live, frames, {fund: outcomes.get(fund, taken) for fund in funds}, transactions)


def _store(loaded: Loaded, *, live: bool) -> AbstractContextManager[Store]:
    url = loaded.database.get_secret_value()
    return open_store(url) if live else rehearsal_store(url)


def _result(posting: Posting, fund: str) -> str:
    outcome = posting.outcomes[fund]
    if not posting.live and outcome.reason == DRY_RUN:
        return "would be posted"
    return outcome.state.value if outcome.reason is None else f"{outcome.state.value} ({outcome.reason})"


def _log(posting: Posting) -> None:
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


def _document(posting: Posting) -> dict[str, Any]:
    funds = []
    for fund, outcome in posting.outcomes.items():
        found = posting.found(fund)
        frame = next((each for each in posting.frames if each.id == outcome.frame), None)
        funds.append(
            {
                "fund": fund,
                **outcome_document(outcome, posting.transaction(fund)),
                "advice": posting.advice(fund),
                "found": None if found is None or frame is None else fund_document(found, frame.evidence.get(fund)),
            }
        )
    return {
        "slot_time": posting.slot_time,
        "live": posting.live,
        "frames": [
            {
                "frame": frame.id,
                "now": frame.now,
                "verifies": frame.verifies,
                "stamps": [stamp_document(stamp) for stamp in frame.stamps],
            }
            for frame in posting.frames
        ],
        "funds": funds,
    }


def _show(out: Console, posting: Posting) -> None:
    mode = "" if posting.live else "  [yellow]dry run: nothing was recorded, signed or sent[/]"
    out.print(f"[bold]Slot[/] {moment(posting.slot_time)}{mode}")
    rows = table("fund", "result", "NAV", "price per share", "frame", "transaction", right=("NAV", "price per share"))
    for fund, outcome in posting.outcomes.items():
        found = posting.found(fund)
        valuation = None if found is None else found.valuation
        style = "green" if posting.succeeded(fund) else "red"
        rows.add_row(
            plain(fund),
            f"[{style}]{plain(_result(posting, fund))}[/]",
            money(None if valuation is None else valuation.after.nav),
            money(None if valuation is None else valuation.price_per_share, 6),
            plain(outcome.frame),
            plain(posting.transaction(fund)),
        )
    out.print(rows)
    for fund in posting.outcomes:
        found = posting.found(fund)
        if found is not None and found.distance is not None:
            out.print(f"{plain(fund)}: {plain(sentence(found.distance))}")
        if posting.advice(fund):
            out.print(f"{plain(fund)}: advice: {plain(posting.advice(fund))}")
