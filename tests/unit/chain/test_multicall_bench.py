"""The codec's bench measures what it says."""

from __future__ import annotations

import json

import pytest

from bench import multicall


def test_measure__few_reads__gives_times_and_their_ratios() -> None:
    figures = multicall.measure(reads=1_000, passes=2)
    assert figures["reads"] == 1_000
    for part in ("", "encode_", "both_"):
        ours, theirs = figures[f"{part}ours_seconds"], figures[f"{part}eth_abi_seconds"]
        assert figures[f"{part}ratio"] == pytest.approx(theirs / ours)
    assert figures["ratio"] > 5  # 20 on an idle machine, over 10,000 reads


def test_main__json__is_one_document(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(multicall, "measure", lambda: {"reads": 1, "ratio": 2.5})
    multicall.main(["--json"])
    assert json.loads(capsys.readouterr().out) == {"reads": 1, "ratio": 2.5}
    multicall.main([])
    assert "2.5000" in capsys.readouterr().out


def test_measure__codecs_disagree__measures_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(multicall, "decode_aggregate3", lambda data, count: [])
    with pytest.raises(SystemExit, match="disagree"):
        multicall.measure(reads=500, passes=1)
