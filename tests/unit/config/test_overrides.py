"""The overrides file: what may stand in it, what it becomes, and where its values come from."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from navoracle.config.loading import load_config
from navoracle.config.models import Config
from navoracle.config.overrides import MAX_BYTES, overridden, read_overrides, with_overrides
from navoracle.domain.errors import ConfigurationError
from navoracle.domain.units import Timestamp, to_wad
from tests.unit.config.test_gates import LEAST

NOW = Timestamp(1_800_000_000)

LIMITS: dict[str, Any] = {
    "max_leverage": "5",
    "max_exposure": None,
    "max_drawdown": None,
    "max_funding_cost": None,
    "warning_part": "0.8",
}
TERMS = {"max_ltv": "0.9", "liquidation_threshold": "0.95", "liquidation_bonus": "0.01", "close_factor": "0.5"}
LOAN = {
    "name": "loan",
    "label": "AAVE",
    "positions": ["cash"],
    "target_ltv": "0.8",
    "ltv": {"warning": "0.85", "critical": "0.9"},
    **TERMS,
}
RISK: dict[str, Any] = {"mode": "pure_lending", "lending": [LOAN], "limits": LIMITS}


def written(folder: Path, **fund: Any) -> Config:
    """A configuration whose overrides are in a file beside it."""
    raw = {
        "service": {"overrides_file": "overrides.yaml"},
        "assets": {},
        "funds": {
            name: {
                "id": number,
                "supply": {"kind": "fixed", "shares": "1000"},
                "positions": [{"kind": "declared", "id": "cash", "asset": "USD", "component": "cash", "amount": "5"}],
                **fund,
            }
            for number, name in enumerate(("one", "two"))
        },
    }
    path = folder / "navoracle.yaml"
    path.write_text(yaml.safe_dump(raw))
    return load_config(path, {})


def override(folder: Path, said: object) -> None:
    (folder / "overrides.yaml").write_text(said if isinstance(said, str) else yaml.safe_dump(said))


def test_overrides__file_is_not_there__changes_nothing(tmp_path: Path) -> None:
    config = written(tmp_path, gate=LEAST)
    assert config.service.overrides_file == tmp_path / "overrides.yaml"
    found = with_overrides(config, NOW)
    assert (found.config, found.said) == (config, {})


@pytest.mark.parametrize("nothing", ["", "# all cleared\n", "{}", "funds: {}"])
def test_overrides__empty_file__changes_nothing(tmp_path: Path, nothing: str) -> None:
    config = written(tmp_path, gate=LEAST)
    override(tmp_path, nothing)
    assert with_overrides(config, NOW).config == config


def test_overrides__of_a_gate__are_merged_key_by_key_and_say_what_they_replace(tmp_path: Path) -> None:
    config = written(tmp_path, gate=LEAST)
    override(tmp_path, {"funds": {"one": {"gate": {"max_drawdown": "0.25", "stops": []}}}})
    found = with_overrides(config, NOW)
    one, two = found.config.funds["one"].gate, found.config.funds["two"].gate
    assert one is not None
    assert (one.max_drawdown, one.stops, one.on_stale) == (to_wad("0.25"), (), "fail_closed")
    assert two == config.funds["two"].gate
    assert found.said == {
        "funds.one.gate.max_drawdown": {"value": "0.25", "instead_of": "0.1", "expires_at": None},
        "funds.one.gate.stops": {"value": [], "instead_of": ["posting"], "expires_at": None},
    }


def test_overrides__null__takes_a_limit_away(tmp_path: Path) -> None:
    config = written(tmp_path, gate=LEAST)
    override(tmp_path, {"funds": {"one": {"gate": {"max_drawdown": None}}}})
    gate = with_overrides(config, NOW).config.funds["one"].gate
    assert gate is not None
    assert gate.max_drawdown is None


def test_overrides__of_risk_limits__are_merged_and_the_rest_of_risk_stays(tmp_path: Path) -> None:
    config = written(tmp_path, risk=RISK)
    override(tmp_path, {"funds": {"two": {"risk": {"limits": {"max_leverage": "3"}}}}})
    found = with_overrides(config, NOW)
    before, after = config.funds["two"].risk, found.config.funds["two"].risk
    assert before is not None
    assert after is not None
    assert after.limits.max_leverage == to_wad("3")
    assert (after.lending, after.limits.warning_part) == (before.lending, before.limits.warning_part)
    assert found.said == {"funds.two.risk.limits.max_leverage": {"value": "3", "instead_of": "5", "expires_at": None}}


DRAWDOWN = "funds.one.gate.max_drawdown"


def test_overrides__expires__counts_until_the_second_before(tmp_path: Path) -> None:
    config = written(tmp_path, gate=LEAST)
    gate = {"max_drawdown": "0.25", "max_day_loss": "0.05"}
    override(tmp_path, {"funds": {"one": {"gate": gate}}, "expires": {DRAWDOWN: NOW + 60}})
    before = with_overrides(config, Timestamp(NOW + 59))
    assert before.said[DRAWDOWN] == {"value": "0.25", "instead_of": "0.1", "expires_at": NOW + 60}
    assert before.said["funds.one.gate.max_day_loss"]["expires_at"] is None
    assert (before.next_expiry, before.expired) == (NOW + 60, ())
    after = with_overrides(config, Timestamp(NOW + 60))
    assert (after.next_expiry, after.expired) == (None, (DRAWDOWN,))
    assert set(after.said) == {"funds.one.gate.max_day_loss"}
    found = after.config.funds["one"].gate
    assert found is not None
    assert (found.max_drawdown, found.max_day_loss) == (to_wad("0.1"), to_wad("0.05"))


def test_overrides__all_expired__is_the_configuration(tmp_path: Path) -> None:
    config = written(tmp_path, gate=LEAST)
    override(tmp_path, {"funds": {"one": {"gate": {"max_drawdown": "0.25"}}}, "expires": {DRAWDOWN: NOW}})
    assert with_overrides(config, NOW).config == config


def test_overrides__gate_of_a_fund_that_has_none__must_be_whole(tmp_path: Path) -> None:
    config = written(tmp_path)
    override(tmp_path, {"funds": {"one": {"gate": {"max_drawdown": "0.1"}}}})
    with pytest.raises(ConfigurationError, match=r"funds\.one\.gate: max_day_loss: .*\(add it\)"):
        with_overrides(config, NOW)
    override(tmp_path, {"funds": {"one": {"gate": LEAST}}})
    assert with_overrides(config, NOW).config.funds["one"].gate is not None


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ({"alerts": {}}, "alerts cannot be overridden"),
        ({"funds": {"one": {"id": 5}}}, "funds.one: id cannot be overridden"),
        ({"funds": {"one": {"risk": {"mode": "btc_basis"}}}}, "funds.one.risk: mode cannot be overridden"),
        ({"funds": {"three": {"gate": {}}}}, "funds.three: there is no such fund"),
        ({"funds": {"one": {"gate": {"max_drawdown": "2"}}}}, "funds.one.gate: max_drawdown"),
        ({"funds": {"one": {"gate": {"max_drawdown": 0.2}}}}, "funds.one.gate: max_drawdown"),
        ({"funds": {"one": {"gate": {"nonsense": 1}}}}, "funds.one.gate: nonsense"),
        ({"funds": {"one": {"gate": {"include_assets": ["DOGE"]}}}}, "funds.one.gate.include_assets: DOGE"),
        ({"funds": {"one": {"gate": None}}}, "funds.one.gate: it is no mapping"),
        ({"funds": ["one"]}, "funds: it is no mapping"),
        ({"funds": {5: {"gate": {}}}}, "5 cannot be overridden"),
        ({"expires": {"funds.one.gate.max_drawdown": 5}}, "max_drawdown is not overridden"),
        ({"expires": {"alerts": 5}}, "expires: alerts is not overridden"),
        ({"expires": 5}, "expires: it is no mapping"),
        (
            {"funds": {"one": {"gate": {"max_drawdown": "0.2"}}}, "expires": {"funds.one.gate.max_drawdown": "soon"}},
            "expires: funds.one.gate.max_drawdown: soon is no time",
        ),
        ("funds: [", "not YAML"),
        ("- 1", "it is no mapping"),
        ("\x00", "not YAML"),
        (
            {"funds": {"one": {"risk": {"limits": {"max_funding_cost": "0.1"}}}}},
            "funds.one.risk: (top): `limits.max_funding_cost` needs `margin`",
        ),
    ],
)
def test_overrides__anything_else__is_refused_by_file_and_path(tmp_path: Path, said: object, told: str) -> None:
    config = written(tmp_path, gate=LEAST, risk=RISK)
    override(tmp_path, said)
    with pytest.raises(ConfigurationError) as refused:
        with_overrides(config, NOW)
    assert told in refused.value.message
    assert "overrides.yaml" in refused.value.message
    assert refused.value.advice


def test_overrides__risk_limits_of_a_fund_without_risk__are_refused(tmp_path: Path) -> None:
    override(tmp_path, {"funds": {"one": {"risk": {"limits": {"max_leverage": "3"}}}}})
    with pytest.raises(ConfigurationError, match=r"funds\.one\.risk: the fund has no risk monitor"):
        with_overrides(written(tmp_path, gate=LEAST), NOW)


@pytest.mark.parametrize("content", [b"\xff\xfe\xfa", b"a: \xc3("])
def test_overrides__bytes_that_are_no_text__are_refused(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(ConfigurationError, match="not YAML"):
        overridden(written(tmp_path, gate=LEAST), content, "overrides.yaml", NOW)


def test_read_overrides__folder_or_huge_file__is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="cannot be read"):
        read_overrides(tmp_path)
    (tmp_path / "large.yaml").write_bytes(b"#" * (MAX_BYTES + 1))
    with pytest.raises(ConfigurationError, match="more than"):
        read_overrides(tmp_path / "large.yaml")
