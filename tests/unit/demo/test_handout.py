"""What a demo hands out: private files that say what they are, with keys that have the roles."""

from __future__ import annotations

import stat
import subprocess
from pathlib import Path

import pytest

from navoracle.chain.embedded import EmbeddedChain
from navoracle.demo.handout import KEYS, NO_NODE, hand_out
from navoracle.domain.errors import UsageError

RPC = "http://127.0.0.1:1234"


def test_files__written__are_private_and_hold_what_a_shell_takes_in(tmp_path: Path) -> None:
    strange = "it's $HOME; `x`"
    handout = hand_out(tmp_path / "mine", {"REGISTRY": "0x12", "STRANGE": strange}, RPC)

    assert handout.environment == tmp_path / "mine.env"
    for file in (handout.environment, *handout.keys.values()):
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
    shown = 'echo "$HOME_RPC"; echo "$REGISTRY"; echo "$STRANGE"; cat "$KEY_FILE"'
    said = subprocess.run(
        ["/bin/sh", "-c", f". {handout.environment}; {shown}"], capture_output=True, text=True, check=True
    ).stdout.splitlines()
    assert said[:3] == [RPC, "0x12", strange]
    assert int(said[3], 16) == KEYS["poster"] + 1
    assert "worth nothing" in handout.environment.read_text()


def test_addresses__in_the_environment__are_those_of_the_keys(tmp_path: Path) -> None:
    handout, chain = hand_out(tmp_path / "mine", {}, None), EmbeddedChain()
    for role, account in KEYS.items():
        assert handout.variables[f"DEMO_{role.upper()}"] == chain.accounts[account]
        assert int(handout.keys[role].read_text(), 16) == account + 1


def test_environment__without_a_node__says_that_nothing_answers(tmp_path: Path) -> None:
    handout = hand_out(tmp_path / "mine", {}, None)
    assert f"# Nothing answers at {NO_NODE}" in handout.environment.read_text()


def test_files__of_an_earlier_demo__are_replaced_and_those_of_others_are_not(tmp_path: Path) -> None:
    hand_out(tmp_path / "mine", {"REGISTRY": "0x12"}, RPC)
    handout = hand_out(tmp_path / "mine", {"REGISTRY": "0x34"}, RPC)
    assert "0x34" in handout.environment.read_text()

    handout.environment.write_text("export MINE=1\n")
    with pytest.raises(UsageError, match="is not a demo's"):
        hand_out(tmp_path / "mine", {}, RPC)
    assert handout.environment.read_text() == "export MINE=1\n"
