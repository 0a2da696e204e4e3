"""A fund's risk section: no limit has a default, the mode says what must be there, and every problem names its path."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import yaml

from navoracle.composition.plans import subject_of
from navoracle.config.loading import parse_config
from navoracle.domain.errors import ConfigurationError
from navoracle.domain.risk.levels import Ceiling, Floor
from navoracle.domain.risk.policy import FundingTerms, LendingLimits, PositionTerms, RiskMode
from navoracle.domain.units import Wad, to_wad
from navoracle.keeper.plan import RiskPlan
from navoracle.positions import AaveV3Account, DeclaredMargin, MorphoBlueAccount
from tests.requirements import PROJECT
from tests.unit.addresses import address

POOL, ACCOUNT, TOKEN = (address(number) for number in range(1, 4))
EXAMPLE = yaml.safe_load((PROJECT / "config" / "levered-fund.yaml").read_text(encoding="utf-8"))
AAVE = {"kind": "aave_v3_account", "chain": "home", "pool": POOL, "account": ACCOUNT}
MORPHO = {
    "kind": "morpho_blue_account", "chain": "home", "morpho": POOL, "market": "0x" + "11" * 32, "account": ACCOUNT,
}  # fmt: skip
TERMS = ("positions", "max_ltv", "liquidation_threshold", "liquidation_bonus", "close_factor")


def example() -> dict[str, Any]:
    """The example configuration, its addresses filled in."""
    raw: dict[str, Any] = copy.deepcopy(EXAMPLE)
    raw["chains"]["home"]["rpc"] = "http://127.0.0.1:8545"
    for asset in raw["assets"].values():
        for number, source in enumerate(asset["sources"], start=10):
            source["feed"] = address(number)
    return raw


def risk_of(raw: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = raw["funds"]["neutral"]["risk"]
    return found


def plan_of(raw: dict[str, Any]) -> RiskPlan:
    plan = subject_of(parse_config(raw, "test")).funds["neutral"].risk
    assert plan is not None
    return plan


def refused(raw: dict[str, Any], match: str) -> None:
    with pytest.raises(ConfigurationError, match=match):
        parse_config(raw, "test")


def with_account(account: dict[str, Any], assets: dict[str, str] | None) -> dict[str, Any]:
    raw = example()
    loan = risk_of(raw)["lending"][0]
    for name in TERMS:
        del loan[name]
    loan["account"] = account
    if assets is not None:
        loan["assets"] = assets
    return raw


def test_risk__example__is_the_plan_that_it_says() -> None:
    plan = plan_of(example())
    assert plan.policy.mode is RiskMode.USDT_MARKET_NEUTRAL
    assert plan.policy.lending == (
        LendingLimits(
            watch="neutral.risk.loan",
            label="AAVE",
            target_ltv=to_wad("0.55"),
            ltv=Ceiling(to_wad("0.65"), to_wad("0.75"), to_wad("0.70")),
            health_factor=Floor(to_wad("1.2"), to_wad("1.05")),
            terms=PositionTerms(
                ("neutral.pledged", "neutral.borrowed"),
                to_wad("0.80"),
                to_wad("0.83"),
                to_wad("0.05"),
                to_wad("0.5"),
            ),
        ),
    )
    (venue,) = plan.policy.margin
    assert venue.funding == FundingTerms(to_wad("0.0001"), 28_800)
    assert (venue.watch, venue.venue) == ("neutral.risk.binance", "BINANCE")
    (reader,) = plan.margin
    assert isinstance(reader, DeclaredMargin)
    assert reader.id == venue.watch
    assert plan.policy.limits.max_drawdown == to_wad("0.2")
    assert [shock.falls for shock in plan.policy.stress][1] == (to_wad("0.03"), to_wad("0.12"))
    assert plan.assets == {"ETH", "USDT"}


def test_risk__section_left_out__is_no_monitor() -> None:
    raw = example()
    del raw["funds"]["neutral"]["risk"]
    assert subject_of(parse_config(raw, "test")).funds["neutral"].risk is None


def test_risk__shown_configuration__can_be_read_again() -> None:
    config = parse_config(example(), "test")
    shown = config.model_dump(mode="json")
    shown["chains"]["home"]["rpc"] = example()["chains"]["home"]["rpc"]  # it is a secret, and not shown
    again = parse_config(shown, "test")
    assert subject_of(again).funds["neutral"].risk == subject_of(config).funds["neutral"].risk


@pytest.mark.parametrize(
    ("account", "assets", "kind"),
    [(AAVE, {TOKEN: "ETH"}, AaveV3Account), (MORPHO, {"collateral": "ETH", "loan": "USDC"}, MorphoBlueAccount)],
)
def test_risk__account_at_a_lender__is_a_reader_named_after_the_watch(
    account: dict[str, Any], assets: dict[str, str], kind: type
) -> None:
    plan = plan_of(with_account(account, assets))
    (reader,) = plan.lending
    assert isinstance(reader, kind)
    assert reader.id == plan.policy.lending[0].watch == "neutral.risk.loan"
    assert plan.policy.lending[0].terms is None
    assert plan.policy.lending[0].assets == tuple(sorted(assets.items()))
    assert plan.assets >= set(assets.values())


# ---- every limit must be stated


LIMITS = ("max_leverage", "max_exposure", "max_drawdown", "max_funding_cost", "warning_part")


@pytest.mark.parametrize(
    "path",
    [
        "limits",
        *(f"limits.{name}" for name in LIMITS),
        *(f"delta.{name}" for name in ("unit", "assets", "target", "limit", "warning_part")),
        *(f"lending.0.{name}" for name in ("name", "label", "target_ltv", "ltv", "ltv.warning", "ltv.critical")),
        "lending.0.health_factor.critical",
        *(
            f"margin.0.{name}"
            for name in (
                "venue",
                "account",
                "ratio",
                "ratio.warning",
                "initial_margin",
                "maintenance_margin",
                "funding",
            )
        ),
        "margin.0.maintenance_margin",
        "mode",
    ],
)
def test_risk__limit_left_out__fails_at_start_with_its_path(path: str) -> None:
    raw = example()
    *sections, name = path.split(".")
    place: Any = risk_of(raw)
    for section in sections:
        place = place[int(section) if section.isdigit() else section]
    del place[name]
    refused(raw, rf"funds\.neutral\.risk\.{path.replace('.', '[.]')}: Field required \(add it\)")


@pytest.mark.parametrize("path", [f"limits.{name}" for name in LIMITS[:4]])
def test_risk__limit_that_is_null__is_not_limited(path: str) -> None:
    raw = example()
    name = path.partition(".")[2]
    risk_of(raw)["limits"][name] = None
    assert getattr(plan_of(raw).policy.limits, name) is None


@pytest.mark.parametrize("name", TERMS)
def test_risk__term_of_a_loan_by_positions_left_out__is_named(name: str) -> None:
    raw = example()
    del risk_of(raw)["lending"][0][name]
    refused(raw, rf"funds\.neutral\.risk\.lending\.0: `{name}` is missing")


# ---- the mode against the sections


@pytest.mark.parametrize(
    ("mode", "left_out", "message"),
    [
        ("usdt_market_neutral", "lending", "`lending` is missing: a usdt_market_neutral fund must watch it"),
        ("usdt_market_neutral", "margin", "`margin` is missing"),
        ("usdt_market_neutral", "delta", "`delta` is missing"),
        ("pure_lending", "", "`margin` is not watched in a pure_lending fund"),
        ("eth_leveraged", "margin", "`delta` is not watched in a eth_leveraged fund"),
        ("btc_basis", "", "`lending` is not watched in a btc_basis fund"),
        ("btc_basis", "margin", "`margin` is missing"),
    ],
)
def test_risk__mode_and_sections_that_do_not_fit__are_refused(mode: str, left_out: str, message: str) -> None:
    raw = example()
    risk = risk_of(raw)
    risk["mode"] = mode
    risk.pop(left_out, None)
    refused(raw, rf"funds\.neutral\.risk: {message}")


def test_risk__each_mode_with_its_own_sections__is_accepted() -> None:
    kept = {
        "pure_lending": ("lending",),
        "eth_leveraged": ("lending",),
        "btc_basis": ("margin", "delta"),
        "usdt_market_neutral": ("lending", "margin", "delta"),
    }
    for mode, sections in kept.items():
        raw = example()
        risk = risk_of(raw)
        risk["mode"] = mode
        for section in {"lending", "margin", "delta"} - set(sections):
            del risk[section]
        if "margin" not in sections:
            risk["limits"]["max_funding_cost"] = None
        assert plan_of(raw).policy.mode is RiskMode(mode)


def test_risk__drawdown_limit_without_a_gate__is_refused_because_nothing_keeps_the_peak() -> None:
    raw = example()
    del raw["funds"]["neutral"]["gate"]
    refused(raw, r"funds\.neutral\.risk\.limits\.max_drawdown: .* add `funds\.neutral\.gate`, or set it to null")
    risk_of(raw)["limits"]["max_drawdown"] = None
    assert plan_of(raw).policy.limits.max_drawdown is None


def test_risk__funding_limit_without_exchanges__is_refused() -> None:
    raw = example()
    risk = risk_of(raw)
    risk["mode"] = "pure_lending"
    del risk["margin"], risk["delta"]
    refused(raw, r"`limits.max_funding_cost` needs `margin`")


# ---- what contradicts itself, or refers to nothing


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("lending.0.ltv.warning", "0.76", r"risk\.lending\.0\.ltv: limits of .* do not rise"),
        ("lending.0.ltv.urgent", "0.80", r"risk\.lending\.0\.ltv: limits of .* do not rise"),
        ("lending.0.health_factor.warning", "1", r"risk\.lending\.0\.health_factor: limits of .* do not fall"),
        ("margin.0.ratio.critical", "0.30", r"risk\.margin\.0\.ratio: limits of .* do not fall"),
        (
            "margin.0.maintenance_margin",
            "0.13",
            r"risk\.margin\.0: maintenance_margin .* is above ratio\.critical",
        ),
        ("margin.0.initial_margin", "0.05", r"risk\.margin\.0: maintenance_margin .* is above initial_margin"),
        ("lending.0.max_ltv", "0.84", r"risk\.lending\.0: max_ltv .* is above liquidation_threshold"),
        ("lending.0.label", "aave", r"risk\.lending\.0\.label"),
        ("lending.0.positions", ["pledged", "nothing"], r"risk\.lending\.0\.positions: neutral\.nothing is not among"),
        ("lending.0.positions", [], r"risk\.lending\.0\.positions"),
        ("lending.0.assets", {"collateral": "ETH"}, r"risk\.lending\.0: `assets` belongs to an `account`"),
        ("lending.0.account", AAVE, r"risk\.lending\.0: `account` and `positions`"),
        ("margin.0.account.asset", "BTC", r"risk\.margin\.0\.account: BTC is not among assets"),
        ("margin.0.name", "loan", r"risk: two of `lending` and `margin` are named loan"),
        ("delta.unit", "BTC", r"risk\.delta: `assets` lacks BTC"),
        ("delta.assets", ["ETH", "BTC"], r"risk\.delta\.assets: BTC is not among assets"),
        ("delta.limit", "0", r"risk\.delta\.limit"),
        ("delta.warning_part", "1", r"risk\.delta\.warning_part"),
        ("delta.limit", 0.05, r"risk\.delta\.limit: 0\.05 is not an exact decimal: put it in quotes"),
        ("limits.max_leverage", "-1", r"risk\.limits\.max_leverage"),
        ("stress.0.assets", ["SOL"], r"risk\.stress\.0\.assets: SOL is not among assets"),
        ("stress.0.falls", ["1"], r"risk\.stress\.0\.falls\.0"),
        ("mode", "anything", r"risk\.mode"),
        ("more", "x", r"risk\.more: Extra inputs are not permitted"),
    ],
)
def test_risk__value_that_cannot_be_meant__is_refused_at_its_path(path: str, value: Any, message: str) -> None:
    raw = example()
    *sections, name = path.split(".")
    place: Any = risk_of(raw)
    for section in sections:
        place = place[int(section) if section.isdigit() else section]
    place[name] = value
    refused(raw, rf"funds\.neutral\.{message}")


@pytest.mark.parametrize(
    ("account", "assets", "message"),
    [
        (AAVE, None, r"`assets` is missing: say which configured asset"),
        (AAVE, {TOKEN: "BTC"}, r"lending\.0\.assets\.0x\w+: BTC is not among assets"),
        (AAVE, {"collateral": "ETH"}, r"lending\.0\.assets: 'collateral' is not an address"),
        (MORPHO, {TOKEN: "ETH"}, r"lending\.0\.assets: a Morpho market has `collateral` and `loan`"),
        (MORPHO, {"collateral": "ETH"}, r"lending\.0\.assets: a Morpho market has `collateral` and `loan`"),
        ({**AAVE, "chain": "away"}, {TOKEN: "ETH"}, r"lending\.0\.account: chain away is not among chains"),
    ],
)
def test_risk__account_that_cannot_be_read_or_stressed__is_refused(
    account: dict[str, Any], assets: dict[str, str] | None, message: str
) -> None:
    refused(with_account(account, assets), message)


def test_risk__exchange_that_nobody_configured__is_refused_with_its_path() -> None:
    raw = example()
    risk_of(raw)["margin"][0]["account"] = {
        "kind": "exchange_margin", "exchange": "kraken", "asset": "USDT", "currency": "USDT",
        "equity_includes_unrealized": False, "markets": {"ETH": "ETH"},
    }  # fmt: skip
    refused(raw, r"funds\.neutral\.risk\.margin\.0\.account\.exchange: kraken is not among exchanges")


def test_risk__signed_target_and_funding__are_kept() -> None:
    raw = example()
    risk_of(raw)["delta"]["target"] = "-12.5"
    risk_of(raw)["margin"][0]["funding"]["rate"] = "-0.0002"
    policy = plan_of(raw).policy
    assert policy.delta is not None
    assert policy.delta.target == to_wad("-12.5")
    assert policy.margin[0].funding == FundingTerms(Wad(-2 * 10**14), 28_800)
