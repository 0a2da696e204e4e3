"""The gate section of a fund: what must be said, what may be, and what it becomes."""

from __future__ import annotations

from typing import Any, get_args

import pytest

from navoracle.composition.plans import subject_of
from navoracle.config.loading import parse_config
from navoracle.config.models import Config
from navoracle.domain.errors import ConfigurationError
from navoracle.domain.risk.gates import GatePolicy
from navoracle.domain.units import to_wad
from navoracle.publishers.peers import PeerModelUnion
from navoracle.publishers.peers.base import PeerModel
from tests.unit.addresses import address

LEAST: dict[str, Any] = {
    "max_drawdown": "0.1",
    "max_day_loss": None,
    "on_stale": "fail_closed",
    "stops": ["posting"],
}


def config(gate: dict[str, Any] | None, **chain: Any) -> Config:
    """A fund of dollars on a chain, with this gate."""
    fund: dict[str, Any] = {
        "id": 1,
        "chain": "home",
        "supply": {"kind": "fixed", "shares": "1000"},
        "positions": [{"kind": "declared", "id": "cash", "asset": "USD", "component": "cash", "amount": "5"}],
    }
    chains = {"home": {"chain_id": 1, "rpc": "http://localhost:1", **chain}}
    return parse_config({"chains": chains, "assets": {}, "funds": {"one": fund | {"gate": gate}}}, "test")


def policy(gate: dict[str, Any], **chain: Any) -> GatePolicy:
    found = subject_of(config(gate, **chain)).funds["one"].gate
    assert found is not None
    return found


def test_gate__least_that_must_be_said__has_these_defaults() -> None:
    assert policy(LEAST) == GatePolicy(
        max_drawdown=to_wad("0.1"),
        max_day_loss=None,
        on_stale="fail_closed",
        include_assets=None,
        use_mark_price=True,
        max_balance_age=900,
        max_mark_age=3_600,
        max_cache_age=900,
        peak_stale_seconds=86_400,
        min_history=12,
        history_seconds=604_800,
        reset_peak_at_start=False,
        stops=("posting",),
    )


def test_gate__none__is_none() -> None:
    assert subject_of(config(None)).funds["one"].gate is None


@pytest.mark.parametrize("name", LEAST)
def test_gate__something_that_must_be_said_is_missing__is_refused_by_its_path(name: str) -> None:
    gate = {key: value for key, value in LEAST.items() if key != name}
    with pytest.raises(ConfigurationError, match=rf"funds\.one\.gate\.{name}: .*\(add it\)"):
        config(gate)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"max_drawdown": "0"}, "greater than 0"),
        ({"max_day_loss": "1"}, "less than"),
        ({"max_drawdown": 0.1}, "exact decimal"),
        ({"stops": ["everything"]}, "'posting', 'settlements' or 'deposits'"),
        ({"stops": ["posting", "posting"]}, "`stops` has posting twice"),
        ({"stops": ["deposits"]}, "funds.one.gate.stops: deposits cannot be stopped"),
        ({"stops": ["posting", "settlements"]}, "funds.one.gate.stops: settlements cannot be stopped"),
        ({"include_assets": ["USD", "USD"]}, "`include_assets` has USD twice"),
        ({"include_assets": []}, "at least 1"),
        ({"include_assets": ["DOGE"]}, "funds.one.gate.include_assets: DOGE is not among assets"),
        ({"peak_stale_seconds": 7_199}, "greater than or equal to 7200"),
        ({"min_history": 0}, "greater than or equal to 1"),
        ({"min_history": 501}, "less than or equal to 500"),
        ({"max_drawdwon": "0.1"}, "max_drawdwon"),
    ],
)
def test_gate__value_that_makes_no_sense__is_refused(changes: dict[str, Any], told: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        config(LEAST | changes)
    assert told in refused.value.message
    assert "funds.one.gate" in refused.value.message


@pytest.mark.parametrize(
    ("wanted", "testnet", "resets"), [(True, True, True), (True, False, False), (False, True, False)]
)
def test_reset_peak_on_testnet__acts_only_on_a_chain_that_says_testnet(
    wanted: bool, testnet: bool, resets: bool
) -> None:
    assert policy(LEAST | {"reset_peak_on_testnet": wanted}, testnet=testnet).reset_peak_at_start is resets


def published(kind: str, stops: list[str]) -> Config:
    """A fund that posts to the contract of somebody else."""
    publisher = {"kind": kind, "chain": "home", "contract": address(0x77), "base": "USDC"}
    asset = {"min_sources": 1, "sources": [{"kind": "recorded", "group": "a", "series": "s", "max_age": 60}]}
    fund = {
        "id": 1,
        "publisher": "peer",
        "supply": {"kind": "fixed", "shares": "1000"},
        "positions": [{"kind": "declared", "id": "cash", "asset": "USD", "component": "cash", "amount": "5"}],
        "gate": LEAST | {"stops": stops},
    }
    raw = {
        "chains": {"home": {"chain_id": 1, "rpc": "http://localhost:1"}},
        "recorded": {"s": {"file": "s.csv"}},
        "publishers": {"peer": publisher},
        "assets": {"USDC": asset},
        "funds": {"one": fund},
    }
    return parse_config(raw, "test")


def test_stops__deposits_of_a_fund_whose_posts_are_settled__are_taken() -> None:
    gate = published("lagoon", ["settlements", "deposits"]).funds["one"].gate
    assert gate is not None
    assert gate.stops == ("settlements", "deposits")


def test_stops__deposits_of_a_fund_whose_publisher_settles_nothing__are_refused_with_path_and_remedy() -> None:
    with pytest.raises(ConfigurationError) as refused:
        published("veda", ["deposits"])
    assert "funds.one.gate.stops: deposits cannot be stopped" in refused.value.message
    assert "leave it out, or add the fund's `vault`" in refused.value.message


def test_stops__settles_of_a_publisher__is_whether_it_has_a_settling_call() -> None:
    kinds = get_args(get_args(PeerModelUnion)[0])
    assert {kind.__name__ for kind in kinds if kind.settles} == {
        kind.__name__ for kind in kinds if kind.follow_up_of is not PeerModel.follow_up_of
    }
