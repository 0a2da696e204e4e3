"""Telemetry of others: exact, bounded, never believed when it is old or broken, never a reason to stop."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from navoracle.domain.units import Timestamp
from navoracle.state_files.external import MAX_BYTES, ExternalFiles, decimal_text, read_part

NOW = Timestamp(1_700_000_000)


def written(folder: Path, content: Any, name: str = "router.json") -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
    os.utime(path, (NOW - 60, NOW - 60))
    return path


def test_part__of_a_file__has_its_numbers_exactly(tmp_path: Path) -> None:
    path = written(tmp_path, b'{"maker_fill_rate": 0.830000000000000001, "slip_q50_bps": -1.5e-1, "ok": true, "n": 7}')
    found = read_part(path, "router", NOW, 900)
    assert found.is_known
    assert dict(found.values) == {
        "maker_fill_rate": "0.830000000000000001", "slip_q50_bps": "-0.15", "ok": True, "n": "7",
    }  # fmt: skip
    assert found.updated_at == NOW - 60


def test_part__under_its_own_name__is_taken_from_there_with_the_files_time(tmp_path: Path) -> None:
    path = written(tmp_path, {"updated_at": NOW - 5, "router": {"fallback_ratio": 0.1}, "risk": {"x": 1}})
    found = read_part(path, "router", NOW, 900)
    assert dict(found.values) == {"fallback_ratio": "0.1"}
    assert found.updated_at == NOW - 5


@pytest.mark.parametrize(("age", "known"), [(900, True), (901, False)])
def test_part__older_than_it_may_be__is_unknown(tmp_path: Path, age: int, known: bool) -> None:
    found = read_part(written(tmp_path, {"ts": NOW - age, "a": 1}), "router", NOW, 900)
    assert found.is_known is known
    assert found.reason == ("" if known else "too_old")
    assert bool(found.values) is known


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[1]", b'"x"', b"\xff\xfe", b'{"a": NaN}', b'{"a": Infinity}', b"[" * 5_000, b" " * (MAX_BYTES + 1)],
    ids=["empty", "torn", "list", "text", "no text", "nan", "infinity", "deep", "large"],
)
def test_part__of_no_json_object__is_unknown_and_nothing_is_raised(tmp_path: Path, content: bytes) -> None:
    found = read_part(written(tmp_path, content), "router", NOW, 900)
    assert found.reason.startswith("unreadable: ")
    assert not found.values


def test_part__that_is_missing_a_folder_or_a_pipe__is_unknown_and_never_waits(tmp_path: Path) -> None:
    assert read_part(tmp_path / "none.json", "router", NOW, 900).reason == "no_file"
    assert read_part(tmp_path, "router", NOW, 900).reason.startswith("unreadable")
    os.mkfifo(tmp_path / "pipe")
    assert read_part(tmp_path / "pipe", "router", NOW, 900).reason == "unreadable: no file"


def test_part__with_secrets_lists_and_nulls__keeps_none_of_them(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        {
            "note": "see https://user:hunter2@host.example/v2/0123456789abcdef",
            "list": [1],
            "none": None,
            "big": "x" * 999,
        },
    )
    values = read_part(path, "router", NOW, 900).values
    assert set(values) == {"note", "big"}
    assert "hunter2" not in values["note"]
    assert len(values["big"]) == 200


def test_files__of_a_fund__fill_in_its_name_and_lead_nowhere_else(tmp_path: Path) -> None:
    (tmp_path / "alpha").mkdir()
    written(tmp_path / "alpha", {"a": 1})
    files = ExternalFiles(router=tmp_path / "{fund}" / "router.json")
    assert files.read("alpha", NOW).router.is_known
    assert files.read("beta", NOW).router.reason == "no_file"
    assert files.read("alpha/../alpha", NOW).router.reason == "no_file"
    assert files.read("alpha", NOW).symbols.reason == "not_configured"


@given(st.decimals(allow_nan=False, allow_infinity=False, places=18, min_value=-(10**20), max_value=10**20))
def test_decimal__of_any_number__is_exact_to_eighteen_places(number: Any) -> None:
    found = decimal_text(str(number))
    assert found is not None
    assert type(number)(found) == number
    assert "." not in found or found == found.rstrip("0").rstrip(".")


@pytest.mark.parametrize("text", ["", "x", "1.2.3", "0x10", "1" * 61, "1e999", "nan", " 1"])
def test_decimal__of_what_is_no_plain_number__is_none(text: str) -> None:
    assert decimal_text(text) is None


@pytest.mark.parametrize(
    ("text", "told"),
    [("1e3", "1000"), ("-0", "0"), ("1.0000000000000000019", "1.000000000000000001"), ("+2.50", "2.5")],
)
def test_decimal__of_other_forms__is_plain(text: str, told: str) -> None:
    assert decimal_text(text) == told
