"""`navoracle drill`: the configured funds, on a local node, with a scorecard and an exit code that says the worst."""

from __future__ import annotations

import json
from pathlib import Path
from unittest.mock import patch

import pytest
from eth_utils.address import to_checksum_address

from bench.anvil import binary
from navoracle.chain.transactions.watching import Watcher
from navoracle.cli.main import run
from tests.acceptance.worlds import THREE_FUNDS
from tests.requirements import needs_node


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Places that nobody must ask: the drill has its own."""
    text = THREE_FUNDS.read_text(encoding="utf-8")
    for place, name in enumerate(sorted({part.split("}")[0] for part in text.split("${")[1:]}), 1):
        monkeypatch.setenv(name, to_checksum_address(f"0x{place:040x}"))
    monkeypatch.setenv("HOME_RPC", "http://127.0.0.1:1/")
    monkeypatch.setenv("KEY_FILE", "/nowhere/poster.key")
    monkeypatch.setenv("MORPHO_MARKET", "0x" + 64 * "1")
    monkeypatch.setenv("COLUMNS", "160")


@needs_node
@pytest.mark.slow
def test_drill__a_row_of_the_configured_funds__survives_with_a_scorecard(capsys: pytest.CaptureFixture[str]) -> None:
    code = run(["drill", "--config", str(THREE_FUNDS), "--anvil", str(binary()), "--row", "2", "--row", "26", "--json"])
    said = json.loads(capsys.readouterr().out)
    assert code == 0
    assert said["funds"] == ["stable", "levered-pt", "multi"]
    assert [(row["row"], row["survived"], row["violations"]) for row in said["rows"]] == [(2, True, []), (26, True, [])]
    assert len(said["invariants"]) == 7


@needs_node
@pytest.mark.slow
def test_drill__a_fault_is_not_survived__ends_with_3_and_says_what_was_expected(
    capsys: pytest.CaptureFixture[str],
) -> None:
    async def blind(*_: object) -> bool:
        return True

    with patch.object(Watcher, "settle", blind):
        code = run(["drill", "--config", str(THREE_FUNDS), "--anvil", str(binary()), "--row", "4"])
    out = capsys.readouterr().out
    assert code == 3
    assert "failed" in out
    assert "every slot of" in " ".join(out.split())


@pytest.mark.parametrize("named", [[], ["--anvil", "/nowhere/anvil"]])
def test_drill__no_node_is_there__says_how_to_get_one(
    named: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert run(["drill", "--config", str(THREE_FUNDS), *named]) == 2
    assert "--anvil FILE" in " ".join(capsys.readouterr().err.split())


def test_drill__a_row_that_it_does_not_have__names_those_that_it_has(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["drill", "--config", str(THREE_FUNDS), "--anvil", str(binary()), "--row", "42"]) == 2
    assert "a drill has no row 42" in capsys.readouterr().err
