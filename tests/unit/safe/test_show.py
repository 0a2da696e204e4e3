"""`navoracle safe show` without a node: the file alone."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from navoracle.cli.main import run
from navoracle.cli.runtime import Runtime
from navoracle.safe.folder import name_of
from navoracle.testing import FixedClock
from tests.unit.safe.office import KEEPER, MULTISEND, NOW, SAFE, TARGET, post, signed


async def written(folder: Path) -> Path:
    made = await signed(post(), post(6))
    file = folder / name_of(made)
    file.write_bytes(made.document())
    return file


def show(*arguments: str, now: int = NOW) -> int:
    return run(["safe", "show", *arguments], Runtime(clock=FixedClock(now)))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return asyncio.run(written(tmp_path))


def test_show__a_good_file__tells_hashes_calls_and_expiry(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert show(str(file)) == 0
    out = capsys.readouterr().out
    found = json.loads(file.read_text())
    for text in (*found["hashes"].values(), SAFE, TARGET, KEEPER.address, "setValue(uint256,bytes32)", "1.05 a share"):
        assert text in out
    assert "Not held against the Safe itself" in out
    assert "good for 900 s more" in out


def test_show__json__has_the_decoded_calls(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert show(str(file), "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert found["safe_now"] is None
    assert [call["arguments"] for call in found["proposal"]["calls"]] == [
        ["5", "0x" + 64 * "0"],
        ["6", "0x" + 64 * "0"],
    ]
    assert found["proposal"]["transaction"]["to"] == MULTISEND
    assert [check["check"] for check in found["checks"]] == ["signatures", "expiry", "target"]


async def test_show__delegate_call_of_an_unknown_address__is_not_good_without_a_node(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made = await signed(post(), post(6), multisend=TARGET)
    (tmp_path / "it").write_bytes(made.document())
    assert await asyncio.to_thread(show, str(tmp_path / "it"), "--json") == 3
    assert "may be anything" in json.loads(capsys.readouterr().out)["error"]["message"]


def test_show__after_it_expired__ends_with_3(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert show(str(file), "--json", now=NOW + 900) == 3
    found = json.loads(capsys.readouterr().out)
    assert not found["good"]
    assert "expired 0 s ago" in found["error"]["message"]


def test_show__sentence_that_was_changed__ends_with_3(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file.write_bytes(file.read_bytes().replace(b"1.05", b"1.95"))
    assert show(str(file), "--json") == 3
    assert "document is not signed" in json.loads(capsys.readouterr().out)["error"]["message"]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'"5"', b'"4"'),
        (b'"nonce": 3', b'"nonce": 4'),
        (b"setValue", b"getValue"),
        (b'"operation": 1', b'"operation": 0'),
        (b'"safeTxGas": "0"', b'"safeTxGas": "1"'),
        (b'"format"', b'"Format"'),
    ],
)
def test_show__part_that_does_not_follow__is_no_proposal(
    file: Path, capsys: pytest.CaptureFixture[str], old: bytes, new: bytes
) -> None:
    text = file.read_bytes()
    file.write_bytes(text.replace(old, new))
    assert file.read_bytes() != text
    assert show(str(file), "--json") == 3
    assert "no proposal that can be trusted" in json.loads(capsys.readouterr().out)["error"]["message"]


def test_show__no_such_file_or_multicall_alone__is_wrong_usage(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert show(str(file.with_name("none")), "--json") == 2
    assert show(str(file), "--multicall", SAFE, "--json") == 2
    assert show(str(file), "--rpc", "http://127.0.0.1:1", "--multicall", "0x12", "--json") == 2
    assert show(str(file), "--rpc", "ftp://127.0.0.1", "--json") == 4
    capsys.readouterr()
