"""Bad input through the real command line: a clear error, a remedy, its exit code; nothing posted, nothing lost."""

from __future__ import annotations

import socket
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, event

from navoracle.abi import encode_call
from navoracle.chain.pool import NodePool
from navoracle.chain.reader import Web3ChainReader
from navoracle.composition.system import ChainAccess
from navoracle.demo.world import CHAIN, POSTER
from navoracle.domain.frame import BlockStamp
from navoracle.domain.units import to_wad
from navoracle.ports import Answer, Call, ChainRequest, Scrutiny
from navoracle.prices.rounds import LATEST_ROUND_DATA
from tests.acceptance.node import serving
from tests.acceptance.worlds import Bench, Result, edited

NOBODY = "0x1111111111111111111111111111111111111111"


def refusal(bench: Bench, *arguments: str, code: int, **how: Any) -> dict[str, str]:
    """Run a command that must fail: its error, once it is known that nothing was sent and people hear the same."""
    before = bench.nonces()
    result = bench.cli(*arguments, "--json", **how)
    assert result.code == code, result.out
    error: dict[str, str] = result.json["error"]
    assert set(error) == {"code", "message", "advice"}
    assert error["message"]
    assert error["advice"]
    assert bench.nonces() == before
    assert "Traceback" not in result.err
    return error


def with_changes(bench: Bench, changes: Mapping[str, str]) -> Path:
    """The example configuration with places replaced."""
    with edited(bench.folder / "changed.yaml", **changes) as path:
        return path


# ---- the configuration


def test_configuration__unknown_key__is_named_with_its_place(still: Bench) -> None:
    config = with_changes(still, {"max_haircut_bps": "max_hircut_bps"})
    error = refusal(still, "post", "--live", code=4, config=config)
    assert error["code"] == "configuration"
    assert "funds.levered-pt.guards.max_hircut_bps" in error["message"]
    assert str(config) in error["message"]
    assert not still.database.exists()
    text = still.cli("post", "--live", config=config)
    assert text.out == ""
    assert text.err.startswith("error: ")
    assert "advice: " in text.err


def test_configuration__wrong_checksum__names_the_right_one(still: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    right = still.world.tokens["WBTC"]
    config = with_changes(still, {"${WBTC}": right.lower()})
    error = refusal(still, "nav", code=4, config=config)
    assert "funds.multi.positions" in error["message"]
    assert right in error["message"]


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("funds: [", "not YAML"),
        ("- a\n- b\n", "holds no configuration"),
        ("a: ${NO_SUCH_VARIABLE}", "NO_SUCH_VARIABLE"),
    ],
)
def test_configuration__file_that_is_none__says_why(still: Bench, text: str, named: str) -> None:
    config = still.folder / "wrong.yaml"
    config.write_text(text)
    assert named in refusal(still, "nav", code=4, config=config)["message"]


def test_configuration__missing_file__says_how_to_name_one(still: Bench) -> None:
    error = refusal(still, "nav", code=4, config=still.folder / "missing.yaml")
    assert "missing.yaml: no such file" in error["message"]
    assert "--config" in error["advice"]


# ---- the chain is not what the configuration says


def test_chain__feed_that_is_no_contract__is_a_configuration_error(still: Bench) -> None:
    config = with_changes(still, {"${FEED_ETH_REDSTONE}": NOBODY})
    error = refusal(still, "post", "--live", code=4, config=config)
    assert error["code"] == "configuration"
    assert "ETH.redstone" in error["message"]


def test_chain__registry_that_is_none__is_refused_before_anything_is_valued(still: Bench) -> None:
    for address in (NOBODY, still.world.tokens["WBTC"]):
        config = with_changes(still, {"${REGISTRY}": f'"{address}"'})
        error = refusal(still, "post", "--live", code=5, config=config)
        assert address in error["message"]


def test_chain__decimals_that_changed__halt_the_fund_alone(bench: Bench) -> None:
    config = with_changes(bench, {'token: "${WBTC}"': 'token: "${WBTC}", decimals: 8'})
    bench.do(bench.chain.transact(bench.world.tokens["WBTC"], encode_call("setDecimals(uint8)", 6)))
    error = refusal(bench, "post", "multi", "--live", code=3, config=config)
    assert "decimals_changed" in error["message"]
    assert "restart" in error["advice"]
    bench.wait(60)
    result = bench.cli("post", "stable", "multi", "--live", "--json", config=config)
    assert result.code == 6
    assert [part["state"] for part in result.json["funds"]] == ["posted", "skipped"]
    (failure,) = result.json["funds"][1]["found"]["failures"]
    assert (failure["reader"], failure["code"]) == ("multi.wbtc", "decimals_changed")
    assert "had 8 decimals and now says 6" in failure["message"]


class MuteFeeds(Web3ChainReader):
    """A node that answers nothing where rounds of these feeds are due."""

    feeds: frozenset[str] = frozenset()

    async def read(
        self, requests: Sequence[ChainRequest], at: BlockStamp, scrutiny: Scrutiny = Scrutiny.COMPARED
    ) -> tuple[Answer, ...]:
        return tuple(
            Answer(b"", "empty_result") if self._mutes(request) else answer
            for request, answer in zip(requests, await super().read(requests, at), strict=True)
        )

    def _mutes(self, request: ChainRequest) -> bool:
        return isinstance(request, Call) and request.target in self.feeds and request.data == LATEST_ROUND_DATA


def test_chain__empty_return_data__is_missing_and_never_zero(bench: Bench) -> None:
    reader = MuteFeeds(NodePool.of(bench.chain.endpoint, chain=CHAIN, chain_id=bench.chain.chain_id, finality=0))
    reader.feeds = frozenset(feed for (asset, _), feed in bench.world.feeds.items() if asset == "ETH")
    chains = {CHAIN: ChainAccess(reader, bench.chain.signers[POSTER])}
    error = refusal(bench, "post", "multi", "--live", code=3, chains=chains)
    assert "unpriced:ETH" in error["message"]
    result = bench.cli("nav", "--json", chains=chains)
    assert result.code == 6
    (multi,) = (part for part in result.json["funds"] if part["fund"] == "multi")
    assert multi["nav_after"] is None
    assert {failure["code"] for failure in multi["failures"]} == {"empty_result"}
    assert {part["fund"]: part["postable"] for part in result.json["funds"]} == {
        "stable": True,
        "levered-pt": True,
        "multi": False,
    }


def test_chain__unseeded_pendle_market__is_not_worth_par(bench: Bench) -> None:
    bench.do(bench.chain.transact(bench.world.principal.market, encode_call("setLastLnImpliedRate(uint96)", 0)))
    error = refusal(bench, "post", "levered-pt", "--live", code=3)
    assert "unpriced:PT-USDe" in error["message"]
    assert "liquidity" in error["advice"]
    (part,) = bench.cli("nav", "levered-pt", "--json").json["funds"]
    assert part["price_per_share"] is None
    assert "not seeded" in part["failures"][0]["message"]


@pytest.mark.sockets
def test_chain__dead_endpoint__is_named_without_its_key(bench: Bench) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    config = with_changes(bench, {"${HOME_RPC}": f"http://127.0.0.1:{port}/v2/0123456789abcdef"})
    result: Result
    for command in (["nav"], ["post"], ["deploy"]):
        error = refusal(bench, *command, code=5, config=config, chains={})
        assert error["code"] == "chain"
        assert f"http://127.0.0.1:{port}/***" in error["message"]
        result = bench.cli(*command, config=config, chains={})
        assert "0123456789abcdef" not in result.out + result.err
        assert "Unclosed" not in result.err


@pytest.mark.sockets
def test_chain__endpoint_of_another_chain__is_refused(bench: Bench) -> None:
    with serving(bench.chain) as url:
        config = with_changes(bench, {"${HOME_RPC}": url, "chain_id: 31337": "chain_id: 1"})
        assert "serves chain 31337, not 1" in refusal(bench, "nav", code=5, config=config, chains={})["message"]


# ---- the key


@pytest.mark.parametrize(
    ("content", "mode", "named"),
    [
        ("11" * 32, 0o644, "may be read or written by others"),
        ("11" * 32, 0o660, "may be read or written by others"),
        ("no key at all", 0o600, "holds no private key"),
        (None, 0o600, "cannot be read"),
    ],
)
def test_key_file__that_cannot_be_trusted__is_refused_and_not_shown(
    still: Bench, content: str | None, mode: int, named: str
) -> None:
    config = with_changes(still, {"${KEY_FILE}": "poster.key"})
    if content is not None:
        (still.folder / "poster.key").write_text(content)
        (still.folder / "poster.key").chmod(mode)
    error = refusal(still, "post", "--live", code=4, config=config, chains={})
    assert error["code"] == "configuration"
    assert named in error["message"]
    assert "11" * 32 not in str(error)


def test_key_file__dry_run__is_not_even_looked_for(still: Bench) -> None:
    assert still.cli("post", "--json").code == 0


# ---- the database


READING = (["status"], ["history"], ["verify"], ["evidence", "0123456789abcdef", "multi"])


@pytest.mark.parametrize("command", READING)
def test_database__missing__says_who_writes_one_and_makes_none(still: Bench, command: list[str]) -> None:
    error = refusal(still, *command, code=4)
    assert error["code"] == "store"
    assert str(still.database) in error["message"]
    assert not still.database.exists()


def test_database__of_a_newer_schema__is_left_as_it_is(bench: Bench) -> None:
    assert bench.cli("post", "--live", "--json").code == 0
    execute(bench.database, "UPDATE alembic_version SET version_num = '9999_from_the_future'")
    before = bench.database.read_bytes()
    bench.wait(600)
    for command in (*READING, ["nav"], ["post"], ["post", "--live"]):
        error = refusal(bench, *command, code=4)
        assert "9999_from_the_future" in error["message"]
        assert "version" in error["advice"]
    assert bench.database.read_bytes() == before


def test_database__that_is_none__is_refused(bench: Bench) -> None:
    bench.database.write_bytes(b"this is not a database, however long one looks at it" * 100)
    for command in (["status"], ["nav"], ["post", "--live"]):
        assert refusal(bench, *command, code=4)["code"] == "store"


def test_disk__full_while_recording__posts_nothing_and_loses_nothing(bench: Bench) -> None:
    assert bench.cli("post", "--live", "--json").code == 0
    recorded = bench.cli("history", "--json").json
    bench.wait(600)
    with no_more_pages():
        error = refusal(bench, "post", "--live", code=4)
    assert "disk is full" in error["message"]
    assert "Free space" in error["advice"]
    frames = bench.cli("verify", "--all", "--json").json
    assert (frames["verified"], frames["failed"]) == (3, [])
    assert [slot for slot in bench.cli("history", "--json").json["slots"] if slot["state"] == "posted"] == recorded[
        "slots"
    ]
    bench.wait(600)
    bench.do(bench.world.set_price("ETH", to_wad("3030")))
    assert bench.cli("post", "--live", "--json").code == 0
    assert bench.cli("verify", "--all", "--json").json["verified"] == 6


def execute(database: Path, statement: str) -> None:
    connection = sqlite3.connect(database)
    connection.execute(statement)
    connection.commit()
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()


@contextmanager
def no_more_pages() -> Iterator[None]:
    """No SQLite file can grow, as on a disk without space."""

    def limit(connection: sqlite3.Connection, _: object) -> None:
        connection.execute("PRAGMA max_page_count = 1")  # SQLite takes the present size where that is more

    event.listen(Engine, "connect", limit)
    try:
        yield
    finally:
        event.remove(Engine, "connect", limit)
