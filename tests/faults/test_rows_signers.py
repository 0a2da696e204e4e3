"""Rows 61 and 62: a signer that is down or signs with another key, and a relay that keeps what it is given."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from eth_keys.datatypes import PrivateKey

from bench.anvil import binary
from navoracle.domain.errors import ChainError
from navoracle.drill.commands import KEYS, POSTER, STRANGER
from navoracle.drill.expect import require_not_posted, require_posted
from navoracle.drill.proxy import FaultProxy, Forward, Message, Reply, transaction_hash
from navoracle.drill.rehearsal import Rehearsal, rehearsing
from navoracle.signatures import ORDER
from tests.faults.worlds import shape
from tests.requirements import needs_node

pytestmark = [needs_node, pytest.mark.slow]


class KeyService:
    """Answers as Web3Signer does, until it is told otherwise: `status` 503, another `key`, or a `high_s`."""

    def __init__(self) -> None:
        self.key = PrivateKey(KEYS[POSTER])
        self.public_key = "0x" + self.key.public_key.to_bytes().hex()
        self.status = 200
        self.high_s = False
        self.asked = 0
        application = web.Application()
        application.router.add_post("/api/v1/eth1/sign/{identifier}", self._sign)
        self.server = TestServer(application)

    async def _sign(self, request: web.Request) -> web.StreamResponse:
        self.asked += 1
        if self.status != 200:
            return web.Response(status=self.status)
        signed = self.key.sign_msg(bytes.fromhex((await request.json())["data"][2:]))
        s, v = (ORDER - signed.s, 1 - signed.v) if self.high_s else (signed.s, signed.v)
        return web.Response(text=f"0x{signed.r:064x}{s:064x}{v + 27:02x}", content_type="text/plain")


@pytest.fixture
async def service() -> AsyncIterator[KeyService]:
    built = KeyService()
    await built.server.start_server()
    yield built
    await built.server.close()


@asynccontextmanager
async def signed_by(service: KeyService, folder: Path) -> AsyncIterator[Rehearsal]:
    """A rehearsal whose keeper has its key in the service."""
    async with rehearsing(binary(), shape(2), folder) as stage:
        url = str(service.server.make_url("")).rstrip("/")
        section = {"kind": "web3signer", "url": url, "public_key": service.public_key, "timeout": 1, "budget": 1}
        await stage.start(chain={"signer": section})
        yield stage


async def test_row_61__signer_is_down__takes_no_nonce_and_posts_when_it_is_back(
    service: KeyService, tmp_path: Path
) -> None:
    async with signed_by(service, tmp_path) as r:
        service.status = 503
        require_not_posted(await r.slot(), r.funds, "sign")
        assert service.asked > 1, "it was asked once and never again"
        assert (r.broadcast, await r.world.nonce()) == ([], 0)
        service.status = 200
        require_posted(await r.slot(), r.funds)
        assert await r.world.nonce() == 1
        assert await r.violations() == []


async def test_row_61__signer_signs_with_another_key__sends_nothing_and_tells_as_critical(
    service: KeyService, tmp_path: Path
) -> None:
    async with signed_by(service, tmp_path) as r:
        service.key = PrivateKey(KEYS[STRANGER])
        require_not_posted(await r.slot(), r.funds, "sign", "key")
        assert (r.broadcast, await r.world.nonce()) == ([], 0)
        assert [each.event.severity.value for each in r.events("transaction_wrong_signature")] == ["critical"]
        service.key = PrivateKey(KEYS[POSTER])
        require_posted(await r.slot(), r.funds)
        assert await r.violations() == []


async def test_row_61__signer_gives_a_high_s__sends_nothing_that_nodes_refuse(
    service: KeyService, tmp_path: Path
) -> None:
    async with signed_by(service, tmp_path) as r:
        service.high_s = True
        require_not_posted(await r.slot(), r.funds, "signature")
        assert (r.broadcast, await r.world.nonce()) == ([], 0)
        service.high_s = False
        require_posted(await r.slot(), r.funds)
        assert await r.violations() == []


async def test_row_61__signer_is_down_at_the_start__posts_when_it_is_there(service: KeyService, tmp_path: Path) -> None:
    service.status = 503
    async with signed_by(service, tmp_path) as r:
        service.status = 200
        require_posted(await r.slot(), r.funds)
        assert await r.violations() == []


class Relay:
    """A private relay that takes every transaction and lets nobody have it."""

    def __init__(self) -> None:
        self.kept: list[str] = []

    async def __call__(self, asked: Message, _node: Forward) -> Reply:
        (given, *_) = asked["params"]
        self.kept.append(given["tx"] if isinstance(given, dict) else given)
        return {"jsonrpc": "2.0", "id": asked["id"], "result": transaction_hash(asked)}


@asynccontextmanager
async def by_relay(method: str, folder: Path) -> AsyncIterator[tuple[Rehearsal, Relay]]:
    """A rehearsal whose posts go to a relay first."""
    async with rehearsing(binary(), shape(2), folder) as stage, FaultProxy(stage.world.node.url) as front:
        relay = Relay()
        front.fault(method, relay)
        stage.relays.append(front)
        section = {"url": front.url, "method": method, "patience": 60}
        await stage.start(transactions={"relay": section, "resubmit_seconds": 120})
        yield stage, relay


@pytest.mark.parametrize("method", ["eth_sendPrivateTransaction", "eth_sendRawTransaction"])
async def test_row_62__relay_never_includes_it__goes_public_with_the_same_nonce_and_a_higher_fee(
    method: str, tmp_path: Path
) -> None:
    async with by_relay(method, tmp_path) as (r, relay):
        slot_time = await r.come_due()
        await r.until(lambda: bool(relay.kept), "the relay has it")
        await r.pass_time(30)
        assert [sent for proxy in r.proxies for sent in proxy.broadcast] == []
        assert await r.world.pool() == []
        require_posted(await r.slot_ends(slot_time), r.funds)
        (transaction,) = r.store.transactions()
        first, *others = transaction.attempts
        assert others, "it was never replaced for the public"
        assert others[0].signed.nonce == first.signed.nonce
        assert 10 * others[0].max_fee >= 11 * first.max_fee
        with pytest.raises(ChainError, match="nonce too low"):
            await r.world.node.rpc("eth_sendRawTransaction", relay.kept[0])
        require_posted(await r.slot(), r.funds)
        assert await r.violations() == []


async def test_row_62__relay_mines_it_after_all__adopts_it_and_uses_its_nonce_for_nothing_else(tmp_path: Path) -> None:
    async with by_relay("eth_sendPrivateTransaction", tmp_path) as (r, relay):
        slot_time = await r.come_due()
        await r.until(lambda: bool(relay.kept), "the relay has it")
        await r.pass_time(40)
        await r.world.node.rpc("eth_sendRawTransaction", relay.kept[0])
        require_posted(await r.slot_ends(slot_time), r.funds)
        (transaction,) = r.store.transactions()
        assert transaction.receipt is not None
        assert transaction.receipt.hash == transaction.attempts[0].signed.hash
        assert await r.world.nonce() == 1
        require_posted(await r.slot(), r.funds)
        assert await r.violations() == []
