"""The pool of a configured chain, and what the log says of its nodes."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from navoracle.chain.node_state import ADVICE, NodeEvent, NodeState
from navoracle.composition.endpoints import log_node_event, node_pool
from navoracle.config.chains import ChainSection
from navoracle.telemetry.logs import configure_logs

KEY = "0123456789abcdef"


def section(**fields: Any) -> ChainSection:
    return ChainSection.model_validate({"chain_id": 1, **fields})


def endpoints(*urls: str, **fields: Any) -> ChainSection:
    return section(endpoints=[{"url": url} for url in urls], **fields)


def test_node_pool__one_url__is_a_pool_of_one() -> None:
    pool = node_pool("main", section(rpc=f"https://one.example/{KEY}", finality="finalized", timeout=4))
    (node,) = pool.nodes()
    assert (pool.quorum, pool.finality, pool.deadline) == (1, "finalized", 10.0)
    assert (node.name, node.operator) == ("https://one.example/***", "one.example")
    assert KEY not in f"{pool.nodes()} {pool.name}"


def test_node_pool__several__counts_operators() -> None:
    urls = ["https://one.example/a", "https://one.example/b", "wss://two.example/c"]
    pool = node_pool("main", endpoints(*urls, confirmations=7))
    assert (pool.quorum, sorted(pool.operators), pool.finality) == (2, ["one.example", "two.example"], 7)
    assert node_pool("main", endpoints(*urls, quorum=1)).quorum == 1


def test_node_pool__nodes_of_one_server__share_its_back_off_and_others_do_not() -> None:
    pool = node_pool("main", endpoints("https://one.example/a", "https://one.example/b", "https://one.example:1/c"))
    first, second, third = pool._nodes
    assert first._back_off is second._back_off
    assert first._back_off is not third._back_off


def test_node_pool__settings_of_an_endpoint__are_its_own() -> None:
    pool = node_pool(
        "main",
        section(
            pin="hash",
            endpoints=[
                {"url": "https://one.example"},
                {"url": "https://two.example", "pin": "number", "concurrency": 3},
            ],
        ),
    )
    assert [(node.wanted_pin, node._concurrency) for node in pool._nodes] == [("hash", 8), ("number", 3)]


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    handlers, level = list(logging.getLogger().handlers), logging.getLogger().level
    stream = io.StringIO()
    configure_logs("json", "info", stream)
    yield stream
    logging.getLogger().handlers[:] = handlers
    logging.getLogger().setLevel(level)
    structlog.reset_defaults()


@pytest.mark.parametrize(
    ("was", "state", "level"),
    [
        (NodeState.ALIVE, NodeState.DISPUTED, "error"),
        (NodeState.ALIVE, NodeState.WRONG_CHAIN, "error"),
        (NodeState.UNDIALED, NodeState.UNREACHABLE, "warning"),
        (NodeState.ALIVE, NodeState.OUT_OF_SYNC, "warning"),
        (NodeState.UNREACHABLE, NodeState.ALIVE, "info"),
    ],
)
def test_log__node_changes_its_state__says_which_and_what_to_do(
    log: io.StringIO, was: NodeState, state: NodeState, level: str
) -> None:
    log_node_event(NodeEvent("main", "https://one.example/***", was, state, "why", ADVICE[state]))
    line = json.loads(log.getvalue())
    assert (line["event"], line["level"], line["chain"], line["state"]) == ("node_state", level, "main", state.value)
    assert line["node"] == "https://one.example/***"
    if state is not NodeState.ALIVE:
        assert (line["detail"], line["advice"]) == ("why", ADVICE[state])


def test_log__node_answers_the_first_time__is_no_news(log: io.StringIO) -> None:
    log_node_event(NodeEvent("main", "node", NodeState.UNDIALED, NodeState.ALIVE, "", ""))
    assert log.getvalue() == ""
