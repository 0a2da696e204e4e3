"""`navoracle deploy`: a NavRegistry with its roles, bounds and funds. Without `--live` the plan is only shown."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from navoracle.cli.exit_codes import ExitCode
from navoracle.cli.output import moment, money, plain, present, table
from navoracle.cli.runtime import ConfigFile, JsonFlag, Loaded, Runtime, load, runtime_of
from navoracle.domain.errors import DomainError, UsageError
from navoracle.domain.units import to_wad, wad_text
from navoracle.ports import NO_ADDRESS, Address
from navoracle.registry_port import GuardBounds

if TYPE_CHECKING:
    from navoracle.composition.deployment import Grants, Opening, RegistryPlan

_MAX_STEP_BPS = 3_276
_DEFAULTS = GuardBounds()


@dataclass(frozen=True, slots=True)
class Deployed:
    """What was deployed; everything is None or empty in a dry run."""

    deployer: Address | None = None
    registry: Address | None = None
    transactions: tuple[str, ...] = ()
    remaining: tuple[str, ...] = ()


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("deploy")(deploy)


def deploy(
    context: typer.Context,
    live: Annotated[bool, typer.Option("--live", help="Sign and send; only the plan is shown without it.")] = False,
    chain: Annotated[str | None, typer.Option(metavar="NAME", help="A chain of the configuration.")] = None,
    key_file: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The deploying key, ADMIN at first; read only by --live.")
    ] = None,
    admin: Annotated[str | None, typer.Option(metavar="ADDRESS", help="ADMIN; else the deploying key.")] = None,
    poster: Annotated[str | None, typer.Option(metavar="ADDRESS", help="POSTER: the keeper's key.")] = None,
    risk: Annotated[str | None, typer.Option(metavar="ADDRESS", help="RISK: accepts and releases.")] = None,
    guardian: Annotated[str | None, typer.Option(metavar="ADDRESS", help="GUARDIAN: stops.")] = None,
    manager: Annotated[str | None, typer.Option(metavar="ADDRESS", help="MANAGER: may ask for updates.")] = None,
    engine: Annotated[str | None, typer.Option(metavar="ADDRESS", help="ENGINE: tells of large trades.")] = None,
    opening: Annotated[
        list[str] | None,
        typer.Option(metavar="FUND=NAV:PPS", help="Opening NAV and price per share; else the fund's value now."),
    ] = None,
    vault: Annotated[
        list[str] | None, typer.Option(metavar="FUND=ADDRESS", help="The fund's address; else its share token.")
    ] = None,
    base: Annotated[
        str | None,
        typer.Option(
            metavar="ADDRESS", help="The unit of account: a token, or a currency's ISO 4217 number as ERC-7726."
        ),
    ] = None,
    up_bps: Annotated[int, typer.Option(min=1, max=_MAX_STEP_BPS, help="Largest rise a post.")] = _DEFAULTS.up_bps,
    down_bps: Annotated[int, typer.Option(min=1, max=_MAX_STEP_BPS, help="Largest fall a post.")] = _DEFAULTS.down_bps,
    day_bps: Annotated[int, typer.Option(min=1, max=_MAX_STEP_BPS, help="Largest sum a day.")] = _DEFAULTS.day_bps,
    min_interval: Annotated[int, typer.Option(min=1, help="Seconds between posts.")] = _DEFAULTS.min_interval,
    max_age: Annotated[int, typer.Option(min=1, help="Seconds until readers call it stale.")] = _DEFAULTS.max_age,
    multicall: Annotated[
        bool, typer.Option("--multicall", help="Deploy a Multicall3 alone, for a chain that has none.")
    ] = False,
    config: ConfigFile = None,
    as_json: JsonFlag = False,
) -> int:
    """Deploy a NavRegistry for the funds of a chain, with its roles and bounds; a dry run by default.

    Leave `registry:` out of the configuration until this has printed it.
    """
    from navoracle.composition.deployment import Grants, deployment_chain

    loaded = load(context, config)
    runtime = runtime_of(context)
    target = deployment_chain(loaded.config, chain)
    if live and key_file is None:
        raise UsageError("--live needs the deploying key", advice="Add --key-file FILE; not the poster's key.")
    if multicall:
        return _multicall(loaded, target, key_file if live else None, runtime, as_json=as_json)
    grants = Grants(
        admin=_address("--admin", admin),
        poster=_address("--poster", poster),
        risk=_address("--risk", risk),
        guardian=_address("--guardian", guardian),
        manager=_address("--manager", manager),
        engine=_address("--engine", engine),
    )
    bounds = GuardBounds(up_bps, down_bps, day_bps, min_interval, max_age)
    openings = {fund: _opening(fund, text) for fund, text in _pairs("--opening", opening).items()}
    vaults = {fund: required_address(f"--vault {fund}", text) for fund, text in _pairs("--vault", vault).items()}
    unit = _address("--base", base)
    plan, deployed = asyncio.run(
        _deploy(loaded, target, grants, bounds, openings, vaults, unit, key_file if live else None, runtime)
    )
    present(_document(plan, deployed), lambda out: _show(out, plan, deployed), as_json=as_json)
    return ExitCode.OK


async def _deploy(
    loaded: Loaded,
    chain: str,
    grants: Grants,
    bounds: GuardBounds,
    openings: Mapping[str, Opening],
    vaults: Mapping[str, Address],
    base: Address | None,
    key_file: Path | None,
    runtime: Runtime,
) -> tuple[RegistryPlan, Deployed]:
    from navoracle.composition.deployment import deploy_planned, plan_registry

    plan = await plan_registry(
        loaded.config,
        chain,
        grants=grants,
        bounds=bounds,
        openings=openings,
        vaults=vaults,
        base=base,
        clock=runtime.clock,
        chains=runtime.chains,
        documents=loaded.path.parent,
    )
    if key_file is None:
        return plan, Deployed()
    deployer, made = await deploy_planned(loaded.config, plan, key_file, chains=runtime.chains)
    return plan, Deployed(deployer, made.address, made.transactions, made.remaining)


def _multicall(loaded: Loaded, chain: str, key_file: Path | None, runtime: Runtime, *, as_json: bool) -> int:
    from navoracle.composition.deployment import deploy_multicall

    address = (
        None
        if key_file is None
        else asyncio.run(deploy_multicall(loaded.config, chain, key_file, chains=runtime.chains))
    )
    lines = None if address is None else _lines(chain, "multicall", address)
    document = {"live": key_file is not None, "chain": chain, "multicall": address, "configuration": lines}

    def show(out: Console) -> None:
        if lines is None:
            out.print(f"dry run: would deploy a Multicall3 on {plain(chain)}; --live does")
        else:
            out.print(f"Multicall3 {address}; add to the configuration:\n\n{lines}", markup=False)

    present(document, show, as_json=as_json)
    return ExitCode.OK


def _pairs(flag: str, texts: Sequence[str] | None) -> dict[str, str]:
    pairs: dict[str, str] = {}
    for text in texts or ():
        fund, separator, value = text.partition("=")
        if not separator or not fund or not value:
            raise UsageError(f"{flag} {text}: no FUND=VALUE", advice=f"Write it as {flag} FUND=...")
        if fund in pairs:
            raise UsageError(f"{flag} names {fund} twice", advice="Say it once.")
        pairs[fund] = value
    return pairs


def _opening(fund: str, text: str) -> Opening:
    from navoracle.composition.deployment import Opening

    nav, separator, price = text.partition(":")
    advice = f"Write it as --opening {fund}=1000000:1.0, NAV and price per share in the unit of account."
    if not separator:
        raise UsageError(f"--opening {fund}={text}: no price per share", advice=advice)
    try:
        found = Opening(to_wad(nav), to_wad(price))
    except DomainError as error:
        raise UsageError(f"--opening {fund}={text}: {error.message}", advice=advice) from error
    if found.nav < 0 or found.price_per_share <= 0:
        raise UsageError(f"--opening {fund}={text}: a price per share is positive, a NAV not negative", advice=advice)
    return found


def _address(flag: str, text: str | None) -> Address | None:
    return None if text is None else required_address(flag, text)


def required_address(flag: str, text: str) -> Address:
    """The address that a flag gives. Raises UsageError."""
    from navoracle.readers import check_address

    try:
        return Address(check_address(text))
    except ValueError as error:
        raise UsageError(f"{flag}: {error}", advice="Correct the address.") from error


def _lines(chain: str, key: str, address: Address) -> str:
    return f'chains:\n  {chain}:\n    {key}: "{address}"'


def _document(plan: RegistryPlan, deployed: Deployed) -> dict[str, Any]:
    from navoracle.composition.deployment import MAX_POST_AGE

    registry = deployed.registry
    return {
        "live": registry is not None,
        "chain": plan.chain,
        "chain_id": plan.chain_id,
        "block": plan.block_number,
        "registry": registry,
        "deployer": deployed.deployer,
        "roles": {**asdict(plan.grants), "admin": plan.grants.admin or deployed.deployer},
        "bounds": asdict(plan.bounds),
        "max_post_age": MAX_POST_AGE,
        "funds": [
            {
                "fund": name,
                "id": fund.fund_id,
                "vault": fund.vault,
                "base": None if fund.base == NO_ADDRESS else fund.base,
                "nav": wad_text(fund.nav),
                "price_per_share": wad_text(fund.price_per_share),
                "valuation_time": fund.valuation_time,
            }
            for name, fund in plan.funds.items()
        ],
        "transactions": list(deployed.transactions),
        "remaining": list(deployed.remaining),
        "configuration": None if registry is None else _lines(plan.chain, "registry", registry),
    }


def _show(out: Console, plan: RegistryPlan, deployed: Deployed) -> None:
    live = deployed.registry is not None
    mode = "" if live else "  [yellow]dry run: nothing was signed or sent[/]"
    out.print(f"[bold]NavRegistry[/] on {plain(plan.chain)} (chain id {plan.chain_id}){mode}")
    for role, address in asdict(plan.grants).items():
        nobody = deployed.deployer or "the deploying key" if role == "admin" else "nobody"
        out.print(f"{role.upper():9} {address or nobody}")
    bounds = plan.bounds
    out.print(
        f"bounds    up {bounds.up_bps} bps, down {bounds.down_bps} bps, day {bounds.day_bps} bps, "
        f"at least {bounds.min_interval} s apart, stale after {bounds.max_age} s"
    )
    rows = table("fund", "id", "vault", "opening NAV", "price per share", "valued at", right=("opening NAV",))
    for name, fund in plan.funds.items():
        rows.add_row(
            plain(name),
            str(fund.fund_id),
            fund.vault,
            money(fund.nav),
            money(fund.price_per_share, 6),
            moment(fund.valuation_time),
        )
    out.print(rows)
    if deployed.registry is not None:
        out.print(f"deployed by {deployed.deployer} in {len(deployed.transactions) + 1} transactions")
        for step in deployed.remaining:
            out.print(f"[yellow]still to do[/] {plain(step)}")
        out.print("add to the configuration:\n\n" + _lines(plan.chain, "registry", deployed.registry), markup=False)
