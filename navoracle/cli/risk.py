"""`navoracle risk`: a fund's risks and its gate now, and what a fall would do. Nothing is recorded, nothing is sent."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from navoracle.cli.documents import stamp_document
from navoracle.cli.exit_codes import ExitCode
from navoracle.cli.output import error_document, present
from navoracle.cli.risk_documents import exchange_document, loan_document, stress_document
from navoracle.cli.risk_tables import show_gate, show_heading, show_report, show_simulations, show_stress
from navoracle.cli.runtime import ConfigFile, DatabaseUrl, JsonFlag, Loaded, Runtime, chosen, load, runtime_of
from navoracle.cli.tables import show_failures
from navoracle.domain.errors import DomainError, GuardRefused, UsageError
from navoracle.domain.failures import Failure
from navoracle.domain.units import WAD, Wad, to_wad
from navoracle.keeper.advice import advice_for
from navoracle.risk.assess import loan_of, venue_of
from navoracle.risk.simulate import exchange_liquidation, lending_drop
from navoracle.risk.stress import stress_table

if TYPE_CHECKING:
    from navoracle.domain.frame import FundFrame, NavFrame
    from navoracle.domain.risk.policy import LendingLimits, MarginLimits, RiskPolicy
    from navoracle.risk.inputs import RiskInput

group = typer.Typer(no_args_is_help=True, help="Show a fund's risks now, and what a fall would do to it.")

Fund = Annotated[str, typer.Argument(metavar="FUND", help="A fund by its name.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(group, name="risk")


@group.command("show")
def show(
    context: typer.Context,
    fund: Fund,
    config: ConfigFile = None,
    database: DatabaseUrl = None,
    as_json: JsonFlag = False,
) -> int:
    """Show loans, exchanges, delta, limits and alerts of a fund now, and what its gate decides.

    The fund is valued as between two slots. Ends with 6 when part of it is not known.
    """
    from navoracle.composition.risk_documents import gate_document, report_document

    seen = _look(context, config, database, fund, gate_is_enough=True)
    report, gate = seen.part.risk, seen.part.gate
    document = {
        **seen.document,
        "risk": None if report is None else report_document(report),
        "gate": None if gate is None else gate_document(gate),
    }

    def draw(out: Console) -> None:
        if report is not None:
            show_report(out, report)
        if gate is not None:
            show_gate(out, gate)

    return _end(seen, document, () if report is None else report.failures, draw, as_json=as_json)


@group.command("simulate")
def simulate(
    context: typer.Context,
    fund: Fund,
    drop: Annotated[str, typer.Option("--drop", metavar="PART", help="Fall of collateral against debt: 0.1 is 10 %.")],
    watch: Annotated[
        str | None, typer.Option("--watch", metavar="NAME", help="One loan or exchange; all when none is named.")
    ] = None,
    config: ConfigFile = None,
    database: DatabaseUrl = None,
    as_json: JsonFlag = False,
) -> int:
    """Show what a liquidation would take from each loan after a fall, and from each exchange as it is now.

    By the lender's own rules: close factor, bonus, what is left. An exchange that liquidates takes all of the margin.
    Ends with 6 when part of it is not known.
    """
    part = _part_of(drop)
    seen = _look(context, config, database, fund)
    facts = seen.facts()
    watches = _watches(facts.policy, fund, watch)
    loans, venues, failures = list[dict[str, Any]](), list[dict[str, Any]](), list[Failure]()
    for lender in (each for each in facts.policy.lending if each.watch in watches):
        loans += _known(failures, lender.watch, partial(_fallen, lender, facts, part))
    for exchange in (each for each in facts.policy.margin if each.watch in watches):
        venues += _known(failures, exchange.watch, partial(_taken, exchange, facts))
    document = {**seen.document, "drop": str(int(part)), "loans": loans, "venues": venues}
    return _end(seen, document, failures, lambda out: show_simulations(out, part, loans, venues), as_json=as_json)


@group.command("stress")
def stress(
    context: typer.Context,
    fund: Fund,
    config: ConfigFile = None,
    database: DatabaseUrl = None,
    as_json: JsonFlag = False,
) -> int:
    """Show the fund's stress table at today's prices: NAV, NAV per share and liquidations after each of its falls.

    Ends with 3 when the fund cannot be valued, with 6 when part of the table is not known.
    """
    seen = _look(context, config, database, fund)
    facts = seen.facts()
    if not facts.policy.stress:
        raise UsageError(f"{fund} has no stress test", advice=f"Add `funds.{fund}.risk.stress`.")
    if facts.valuation is None:
        raise GuardRefused(f"{fund} could not be valued ({seen.part.reason})", advice=advice_for(seen.part))
    rows = stress_table(facts)
    failures = [failure for row in rows for failure in row.failures]
    document = {**seen.document, "stress": [stress_document(row) for row in rows]}
    return _end(seen, document, failures, lambda out: show_stress(out, rows, facts.unit), as_json=as_json)


@dataclass(frozen=True, slots=True)
class _Seen:
    """A fund, looked at now."""

    fund: str
    unit: str
    policy: RiskPolicy | None
    frame: NavFrame
    part: FundFrame

    @property
    def document(self) -> dict[str, Any]:
        """What was looked at, as every command says it."""
        return {
            "fund": self.fund,
            "frame": self.frame.id,
            "now": self.frame.now,
            "stamps": [stamp_document(stamp) for stamp in self.frame.stamps],
            "nav_status": self.part.status.value,
        }

    def facts(self) -> RiskInput:
        """What its risks are computed from. Raises UsageError for a fund that has no risk section."""
        from navoracle.composition.risk_facts import facts_of

        if self.policy is None or self.part.risk is None:
            raise _unwatched(self.fund, "`risk`")
        return facts_of(self.policy, self.unit, self.part.risk, self.part, self.frame.estimates)


def _look(
    context: typer.Context, config: Path | None, database: str | None, fund: str, *, gate_is_enough: bool = False
) -> _Seen:
    """The fund as it is now. Raises UsageError for one that is not there, or not watched."""
    loaded = load(context, config, database)
    chosen(loaded.config, [fund])
    section = loaded.config.funds[fund]
    if section.risk is None and not (gate_is_enough and section.gate is not None):
        raise _unwatched(fund, "`risk` or `gate`" if gate_is_enough else "`risk`")
    return asyncio.run(_seen(loaded, fund, runtime_of(context)))


async def _seen(loaded: Loaded, fund: str, runtime: Runtime) -> _Seen:
    """Value the fund as the monitor does between two slots, from the real state, and keep nothing of it."""
    from navoracle.composition.stores import rehearsal_store
    from navoracle.composition.system import open_system

    with rehearsal_store(loaded.database.get_secret_value()) as store:
        system = await open_system(
            loaded.config, clock=runtime.clock, store=store, chains=runtime.chains, documents=loaded.path.parent
        )
        try:
            frame = await system.runner_or_fail().look([fund])
            plan = system.planner.subject.funds[fund].risk
            policy = None if plan is None else plan.policy
            return _Seen(fund, loaded.config.unit_of_account, policy, frame, frame.funds[0])
        finally:
            await system.close()


def _unwatched(fund: str, lacks: str) -> UsageError:
    return UsageError(f"{fund} is not watched: it has no {lacks} section", advice=f"Add one under `funds.{fund}`.")


def _part_of(drop: str) -> Wad:
    """A fall as a part. Raises UsageError."""
    try:
        part = to_wad(drop)
    except DomainError:
        raise UsageError(f"{drop!r} is no number", advice="State a part: 0.1 is 10 %.") from None
    if not 0 <= part < WAD:
        raise UsageError(f"a fall by {drop} lies outside 0 to 1", advice="State a part: 0.1 is 10 %.")
    return part


def _watches(policy: RiskPolicy, fund: str, name: str | None) -> frozenset[str]:
    """The watches of that name, or all. Raises UsageError for one that there is not."""
    from navoracle.config.naming import watch_id

    known = frozenset((*(each.watch for each in policy.lending), *(each.watch for each in policy.margin)))
    if name is None:
        return known
    found = known & {name, watch_id(fund, name)}
    if not found:
        listed = ", ".join(sorted(watch.removeprefix(watch_id(fund, "")) for watch in known))
        raise UsageError(f"{fund} watches no {name}", advice=f"Name one of: {listed}.")
    return found


def _known(failures: list[Failure], watch: str, compute: Callable[[], dict[str, Any]]) -> list[dict[str, Any]]:
    """What is computed of one watch, or nothing: what is not known is one more failure, and the others go on."""
    try:
        return [compute()]
    except DomainError as error:
        failures.append(Failure(watch, error.code, error.message, error.advice))
        return []


def _fallen(limits: LendingLimits, facts: RiskInput, drop: Wad) -> dict[str, Any]:
    account = loan_of(limits, facts)
    return loan_document(limits, account, account.dropped(drop), lending_drop(account, limits.terms, drop))


def _taken(limits: MarginLimits, facts: RiskInput) -> dict[str, Any]:
    account = venue_of(limits, facts)
    return exchange_document(limits, account, exchange_liquidation(account, limits.maintenance_margin))


def _end(
    seen: _Seen,
    document: dict[str, Any],
    failures: Sequence[Failure],
    draw: Callable[[Console], None],
    *,
    as_json: bool,
) -> int:
    """Print the result; what is not known is said beside it, and ends the command with 6."""
    unknown = list(dict.fromkeys(failures))
    if unknown:
        message = "; ".join(f"{failure.reader}: {failure.message}" for failure in unknown)
        document |= error_document("RISK-001", message, unknown[0].advice)

    def whole(out: Console) -> None:
        show_heading(out, seen.fund, seen.frame)
        draw(out)
        show_failures(out, tuple(unknown))

    present(document, whole, as_json=as_json)
    return ExitCode.PARTLY if unknown else ExitCode.OK
