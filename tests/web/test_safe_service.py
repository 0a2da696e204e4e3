"""The Safe Transaction Service over HTTP, against a server that answers as it does; safe-eth-py does the asking."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from navoracle.domain.errors import (
    ConfigurationError,
    MalformedResult,
    ProposalRefused,
    SourceDown,
    VerificationFailed,
)
from navoracle.live_secrets import forget_secrets, register_secrets
from navoracle.ports import Address
from navoracle.safe import Placement, ProposalFolder, SafeTransaction, ServiceProposals, Standing, TransactionService
from navoracle.safe.service import PAGE, ServiceAddress
from navoracle.signatures import decode_signature, recover_address
from tests.unit.safe.office import CHAIN_ID, KEEPER, NOW, OTHER, SAFE, TARGET, FakeSafe, desk, post, purpose, signed

pytestmark = pytest.mark.sockets

TOKEN = "k3y-of-the-safe-service"


class Service:
    """Keeps transactions as the service does: it hashes them anew, and takes them of those who may propose.

    `statuses` come first, one for each request; `rows` may be changed by a test, as a service that lies would.
    """

    def __init__(self) -> None:
        self.allowed: set[Address] = {KEEPER.address}
        self.rows: list[dict[str, Any]] = []
        self.statuses: list[int] = []
        self.delay = 0.0
        self.forgets = False
        self.asked: list[tuple[str, str, str | None]] = []
        application = web.Application()
        path = "/tx/api/v2/safes/{safe}/multisig-transactions/"
        application.router.add_get(path, self._list)
        application.router.add_post(path, self._take)
        application.router.add_get("/tx/elsewhere", self._list)
        self.server = TestServer(application)

    @property
    def url(self) -> str:
        return str(self.server.make_url("/tx"))

    async def _list(self, request: web.Request) -> web.StreamResponse:
        early = await self._early(request)
        if early is not None:
            return early
        since, limit, offset = (int(request.query[name]) for name in ("nonce__gte", "limit", "offset"))
        found = [row for row in self.rows if row["nonce"] == "?" or row["nonce"] >= since]
        return web.json_response({"count": len(found), "results": found[offset : offset + limit]})

    async def _take(self, request: web.Request) -> web.StreamResponse:
        early = await self._early(request)
        if early is not None:
            return early
        body = await request.json()
        made = transaction_of(body, Address(request.match_info["safe"]))
        if made.id != body["contractTransactionHash"]:
            return web.json_response({"nonFieldErrors": ["Contract-transaction-hash does not match"]}, status=422)
        signer = recover_address(made.digest, decode_signature(bytes.fromhex(body["signature"][2:])))
        if signer != body["sender"] or signer not in self.allowed:
            text = f"Sender={body['sender']} is not an owner or delegate. key={TOKEN}"
            return web.json_response({"nonFieldErrors": [text]}, status=422)
        if not self.forgets:
            self.add(made, signer)
        return web.Response(status=201)

    async def _early(self, request: web.Request) -> web.Response | None:
        self.asked.append((request.method, request.path, request.headers.get("Authorization")))
        await asyncio.sleep(self.delay)
        if not self.statuses:
            return None
        status = self.statuses.pop(0)
        return web.Response(
            status=status,
            text=f"busy {TOKEN}",
            headers={"Location": f"{self.url}/elsewhere?nonce__gte=0&limit=9&offset=0"},
        )

    def add(self, made: SafeTransaction, proposer: Address | None, **changes: Any) -> None:
        fields = {**made.fields(), "data": "0x" + made.data.hex() if made.data else None, "safe": made.safe}
        fields |= {name: str(fields[name]) for name in ("value", "gasPrice")}
        row = {"safeTxHash": made.id, "isExecuted": False, "proposer": proposer, "trusted": True, "confirmations": []}
        self.rows.append({**fields, **row, **changes})


def transaction_of(body: dict[str, Any], safe: Address) -> SafeTransaction:
    data = bytes.fromhex((body["data"] or "0x")[2:])
    return SafeTransaction(CHAIN_ID, safe, body["nonce"], body["to"], int(body["value"]), data, body["operation"])


@pytest.fixture
async def service() -> AsyncIterator[Service]:
    register_secrets(TOKEN)  # as the configuration does
    service = Service()
    await service.server.start_server()
    yield service
    await service.server.close()
    forget_secrets()


def client(service: Service, **options: Any) -> TransactionService:
    return TransactionService(ServiceAddress(CHAIN_ID, service.url, TOKEN, **options))


def proposals(service: Service, folder: Path, **options: Any) -> ServiceProposals:
    return ServiceProposals(ProposalFolder(folder), client(service, **options))


def other(nonce: int, value: int = 9, **changes: Any) -> SafeTransaction:
    return SafeTransaction(CHAIN_ID, SAFE, nonce, TARGET, 0, post(value).data, **changes)


async def test_propose__to_the_service__is_listed_there_and_kept_as_a_file(service: Service, tmp_path: Path) -> None:
    outcome = await desk(FakeSafe(), proposals(service, tmp_path)).propose([post()], purpose())
    assert outcome.standing is Standing.PROPOSED
    (row,) = service.rows
    assert (row["safeTxHash"], row["proposer"]) == (outcome.transaction.id, KEEPER.address)
    (file,) = tmp_path.iterdir()
    assert str(file) in outcome.place
    assert {key for _, _, key in service.asked} == {f"Bearer {TOKEN}"}


async def test_propose__what_waits_at_the_service__is_found_by_data_and_by_slot(
    service: Service, tmp_path: Path
) -> None:
    there = proposals(service, tmp_path)
    service.add(other(7), OTHER.address)
    same = await desk(FakeSafe(), there).propose([post(9)], purpose())
    assert (same.standing, same.transaction, same.purpose) == (Standing.PENDING, other(7), None)

    mine = await desk(FakeSafe(), there).propose([post()], purpose())
    assert mine.transaction.nonce == 8
    again = await desk(FakeSafe(), there).propose([post(6)], purpose())  # another value for the same slot
    assert (again.standing, again.transaction) == (Standing.PENDING, mine.transaction)
    assert len(service.rows) == 2


async def test_propose__expired_at_the_service__is_replaced_when_asked(service: Service, tmp_path: Path) -> None:
    there = proposals(service, tmp_path)
    first = await desk(FakeSafe(), there).propose([post()], purpose())
    later = NOW + 900
    fresh = purpose(later, valuation_time=later, valid_until=later + 900)
    second = await desk(FakeSafe(), there, later, placement=Placement.REPLACE_EXPIRED).propose([post(6)], fresh)
    assert (second.transaction.nonce, [each.transaction for each in second.expired]) == (3, [first.transaction])


async def test_propose__slot_whose_proposal_the_safe_has_behind_it__is_past(service: Service, tmp_path: Path) -> None:
    there = proposals(service, tmp_path)
    first = await desk(FakeSafe(), there).propose([post()], purpose())
    again = await desk(FakeSafe(nonce=4), there).propose([post(6)], purpose())
    assert (again.standing, again.transaction) == (Standing.PAST, first.transaction)
    assert len(service.rows) == 1


async def test_propose__key_that_may_not_propose__is_refused_and_keeps_its_file(
    service: Service, tmp_path: Path
) -> None:
    service.allowed = set()
    with pytest.raises(ProposalRefused, match="not an owner or delegate") as refusal:
        await desk(FakeSafe(), proposals(service, tmp_path)).propose([post()], purpose())
    assert "proposer" in refusal.value.advice
    assert len(list(tmp_path.iterdir())) == 1
    assert TOKEN not in f"{refusal.value!r} {refusal.value.__cause__!r}"


async def test_propose__service_that_takes_it_and_forgets__is_refused(service: Service, tmp_path: Path) -> None:
    service.forgets = True
    with pytest.raises(ProposalRefused, match="does not list it"):
        await desk(FakeSafe(), proposals(service, tmp_path)).propose([post()], purpose())


async def test_propose__answer_that_is_lost__is_found_the_next_time(service: Service, tmp_path: Path) -> None:
    made = await signed(nonce=3)
    there = proposals(service, tmp_path, deadline=0.2)
    service.delay = 0.5
    with pytest.raises(SourceDown, match="does not answer"):
        await there.put(made)
    await asyncio.sleep(0.6)
    service.delay = 0.0
    assert len(service.rows) == 1
    found = await desk(FakeSafe(), there).propose([post(6)], purpose())
    assert (found.standing, found.transaction) == (Standing.PENDING, made.transaction)


async def test_listed__transaction_whose_hash_is_another__is_not_believed(service: Service) -> None:
    service.add(other(3), OTHER.address, value="1")
    with pytest.raises(VerificationFailed, match="it hashes to"):
        await client(service).listed(SAFE, CHAIN_ID, 0)


async def test_listed__untrusted_and_of_other_gas_terms__are_left_out_and_understood(service: Service) -> None:
    service.add(other(3), None, trusted=False)
    service.add(other(4, safe_tx_gas=5, base_gas=6, gas_price=7, gas_token=TARGET, refund_receiver=TARGET), None)
    service.add(SafeTransaction(CHAIN_ID, SAFE, 5, SAFE, 0, b""), OTHER.address, isExecuted=True)
    found = await client(service).listed(SAFE, CHAIN_ID, 0)
    assert [each.transaction.nonce for each in found] == [4, 5]
    assert [each.standing(3, NOW) for each in found] == [Standing.PENDING, Standing.PAST]


async def test_listed__more_than_a_page__is_read_to_its_end(service: Service) -> None:
    for nonce in range(PAGE + 7):
        service.add(other(nonce), KEEPER.address)
    found = await client(service).listed(SAFE, CHAIN_ID, 2)
    assert [each.transaction.nonce for each in found] == list(range(2, PAGE + 7))


@pytest.mark.parametrize("change", [{"nonce": "?"}, {"to": "0x12"}, {"operation": 7}, {"data": "0xzz"}, {}])
async def test_listed__row_that_is_none__is_malformed(service: Service, change: dict[str, Any]) -> None:
    service.add(other(3), OTHER.address)
    row = service.rows[0]
    row.update(change)
    if not change:
        del row["safeTxHash"]
    with pytest.raises(MalformedResult):
        await client(service).listed(SAFE, CHAIN_ID, 0)


@pytest.mark.parametrize("status", [302, 401, 429, 500, 503])
async def test_listed__service_that_refuses__is_down_and_shows_no_key(service: Service, status: int) -> None:
    service.statuses = [status]
    with pytest.raises(SourceDown) as failure:
        await client(service).listed(SAFE, CHAIN_ID, 0)
    assert TOKEN not in f"{failure.value!r} {failure.value.__cause__!r}"
    assert len(service.asked) == 1


async def test_listed__nobody_there__is_down() -> None:
    nobody = TransactionService(ServiceAddress(CHAIN_ID, "http://127.0.0.1:1", TOKEN))
    with pytest.raises(SourceDown, match=r"127\.0\.0\.1:1"):
        await nobody.listed(SAFE, CHAIN_ID, 0)


def test_service__of_a_chain_that_nobody_knows__wants_an_address() -> None:
    with pytest.raises(ConfigurationError, match="knows no Safe Transaction Service of chain 987654321"):
        TransactionService(ServiceAddress(987_654_321))
    assert TransactionService(ServiceAddress(1)).name.startswith("https://api.safe.global")


def test_service__key_in_the_environment__is_not_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SAFE_TRANSACTION_SERVICE_API_KEY", "somebody-elses")
    found = TransactionService(ServiceAddress(1))
    assert found._api.api_key is None
    assert found._api.http_session.trust_env is False
