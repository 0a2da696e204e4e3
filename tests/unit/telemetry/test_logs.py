"""Logs go to the given stream, in the given format, without secrets."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from navoracle.telemetry.logs import LogFormat, LogLevel, configure_logs

KEY = "ab" * 32


@pytest.fixture(autouse=True)
def _restored() -> Iterator[None]:
    handlers, level = list(logging.getLogger().handlers), logging.getLogger().level
    yield
    logging.getLogger().handlers[:] = handlers
    logging.getLogger().setLevel(level)
    structlog.reset_defaults()


def logged(format_: LogFormat = "json", level: LogLevel = "info") -> tuple[Any, io.StringIO]:
    out = io.StringIO()
    configure_logs(format_, level, out)
    return structlog.get_logger("test"), out


def test_logs__json__is_one_object_a_line_with_level_time_and_advice() -> None:
    log, out = logged()
    log.warning("slot", fund="multi", state="held", advice="Look at it.")
    log.info("slot", fund="stable")
    first, second = (json.loads(line) for line in out.getvalue().splitlines())
    assert (first["event"], first["level"], first["advice"]) == ("slot", "warning", "Look at it.")
    assert first["timestamp"].endswith("Z")
    assert second["fund"] == "stable"


def test_logs__level__leaves_out_what_is_below() -> None:
    log, out = logged(level="warning")
    log.info("quiet")
    log.warning("loud")
    assert [json.loads(line)["event"] for line in out.getvalue().splitlines()] == ["loud"]


@pytest.mark.parametrize("format_", ["json", "console"])
def test_logs__secrets__are_hidden_wherever_they_stand(format_: LogFormat) -> None:
    log, out = logged(format_)
    log.info(
        "private key 0x%s",
        KEY,
        private_key=KEY,
        message=f"key={KEY}",
        nested={"password": "word-of-honour", "list": ["https://user:word-of-honour@node.example/v2"]},
        transaction="0x" + "cd" * 32,
    )
    text = out.getvalue()
    assert KEY not in text
    assert "word-of-honour" not in text
    assert "cd" * 32 in text
    assert "node.example" in text


def test_logs__exception__is_told_without_its_secret() -> None:
    log, out = logged()
    try:
        raise ValueError(f"secret={KEY}")
    except ValueError:
        log.exception("failed")
    assert "ValueError" in json.loads(out.getvalue())["exception"]
    assert KEY not in out.getvalue()


def test_logs__library_warnings__take_the_same_way() -> None:
    _, out = logged()
    logging.getLogger("some.library").warning("retrying https://node.example/v2/%s", KEY)
    logging.getLogger("some.library").info("chatter")
    (line,) = out.getvalue().splitlines()
    assert json.loads(line)["event"] == "retrying https://node.example/***"


def test_logs__configured_twice__write_once() -> None:
    logged()
    _, out = logged()
    logging.getLogger("some.library").warning("once")
    assert len(out.getvalue().splitlines()) == 1


def test_logs__no_stream__is_standard_error_at_the_time(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs("json", "info")
    structlog.get_logger().info("hello")
    captured = capsys.readouterr()
    assert captured.out == ""
    assert json.loads(captured.err)["event"] == "hello"
