"""The gate section of a fund: what must be said, what may be, and what it becomes."""

from __future__ import annotations

from typing import Any

import pytest

from navoracle.composition.plans import subject_of
from navoracle.config.loading import parse_config
from navoracle.config.models import Config
from navoracle.domain.errors import ConfigurationError
from navoracle.domain.risk.gates import GatePolicy
from navoracle.domain.units import to_wad

LEAST: dict[str, Any] = {
    "max_drawdown": "0.1",
    "max_day_loss": None,
    "on_stale": "fail_closed",
    "stops": ["posting", "deposits"],
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
        stops=("posting", "deposits"),
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
