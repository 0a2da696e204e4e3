"""The compiled contracts that navoracle carries."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from navoracle.chain import artifacts
from navoracle.chain.artifacts import Artifact, artifact, signature_of, type_of
from navoracle.domain.errors import ConfigurationError, DomainError

POSTED = {
    "contractName": "Small",
    "abi": [{"type": "constructor", "inputs": [{"type": "uint8", "name": "x"}]}],
    "bytecode": "0x6001",
    "deployedBytecode": "0x60" + "00" * 33,
    "immutables": {"x": [1]},
    "constants": {"ONE": 1},
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(artifacts, "_folders", lambda: (tmp_path / "absent", tmp_path))
    return tmp_path


def load(folder: Path, fields: Any, name: str = "Small") -> Artifact:
    (folder / f"{name}.json").write_text(json.dumps(fields), encoding="utf-8")
    return artifact.__wrapped__(name)


@pytest.mark.parametrize("name", ["NavRegistry", "Multicall3", "Feed", "Token"])
def test_artifact__carried_contract__has_abi_and_code(name: str) -> None:
    found = artifact(name)
    assert found.name == name
    assert found.abi
    assert len(found.deployed_bytecode) > 100
    assert found.deployed_bytecode in found.bytecode or found.immutables


def test_artifact__unknown_name__raises_with_the_remedy(folder: Path) -> None:
    with pytest.raises(ConfigurationError, match="Nothing") as caught:
        artifact.__wrapped__("Nothing")
    assert "scripts/contracts" in caught.value.advice


@pytest.mark.parametrize(
    "fields", [{}, [], {**POSTED, "bytecode": "0xzz"}, {**POSTED, "abi": None}, {**POSTED, "immutables": []}]
)
def test_artifact__damaged_file__raises(folder: Path, fields: object) -> None:
    with pytest.raises(ConfigurationError, match="damaged"):
        load(folder, fields)


def test_creation_code__arguments__follow_the_code(folder: Path) -> None:
    assert load(folder, POSTED).creation_code(7) == b"\x60\x01" + bytes(31) + b"\x07"


def test_creation_code__wrong_number_of_arguments__raises(folder: Path) -> None:
    with pytest.raises(DomainError, match="1 arguments, 0 given"):
        load(folder, POSTED).creation_code()


def test_creation_code__no_constructor__takes_none(folder: Path) -> None:
    assert load(folder, {**POSTED, "abi": []}).creation_code() == b"\x60\x01"


def test_is_code__immutables_set__is_still_the_contract(folder: Path) -> None:
    small = load(folder, POSTED)
    assert small.is_code(b"\x60" + b"\xff" * 32 + b"\x00")
    assert not small.is_code(b"\x60" + b"\xff" * 32 + b"\x01")
    assert not small.is_code(b"\x61" + b"\xff" * 32 + b"\x00")
    assert not small.is_code(b"\x60" + b"\xff" * 32)
    assert not small.is_code(b"")


def test_is_code__cut_off_within_an_immutable__is_another(folder: Path) -> None:
    small = load(folder, {**POSTED, "deployedBytecode": "0x60" + "00" * 32})
    assert small.is_code(b"\x60" + b"\xff" * 32)
    assert not small.is_code(b"\x60\xff")


def test_type_of__struct_list__is_spelled_out() -> None:
    parts = [{"type": "address"}, {"type": "tuple", "components": [{"type": "bool"}]}]
    assert type_of({"type": "tuple[2][]", "components": parts}) == "(address,(bool))[2][]"
    entry = {"name": "f", "inputs": [{"type": "tuple", "components": parts}, {"type": "uint256"}]}
    assert signature_of(entry) == "f((address,(bool)),uint256)"
