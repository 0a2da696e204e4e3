"""`navoracle emergency`: requests made, signed, shown and submitted; decisions sent with one's own key."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from eth_account import Account
from eth_keyfile.keyfile import create_keyfile_json

from navoracle.abi import encode_call
from navoracle.chain.signers import EphemeralSigner
from navoracle.demo.world import CHAIN, GUARDIAN, OPERATOR, POSTER, RISK
from navoracle.domain.units import WAD, Wad
from navoracle.publishers.nav_registry_codec import FundWord, Status, decode_word
from navoracle.requests.document import parse_signed_request
from navoracle.storage import SqlStore
from tests.acceptance.worlds import THREE_FUNDS, Bench

REASON = "the price feed looks wrong"
ASK = ("emergency", "hold", "multi", "--reason", REASON, "--json")
TOKEN = "a-token-that-is-long-enough"


def key_file(folder: Path, account: int) -> str:
    path = folder / f"key{account}"
    path.write_text(f"{account + 1:064x}\n")
    path.chmod(0o600)
    return str(path)


def address(account: int) -> str:
    return str(EphemeralSigner((account + 1).to_bytes(32, "big")).address)


def refusal(bench: Bench, *arguments: str, code: int) -> dict[str, str]:
    result = bench.cli(*arguments)
    assert result.code == code, result.out + result.err
    found: dict[str, str] = result.json["error"]
    assert found["advice"]
    return found


def queued(bench: Bench) -> list[str]:
    with SqlStore.open(f"sqlite:///{bench.database}") as store:
        return [row.record.id for row in store.queued_requests()]


# ---- making and signing


def test_emergency__key_file__shows_the_signed_request_and_submits_nothing(still: Bench) -> None:
    result = still.cli(*ASK, "--key-file", key_file(still.folder, GUARDIAN))
    assert result.code == 0
    shown = result.json
    assert (shown["live"], shown["submitted_to"], shown["signer"]) == (False, None, address(GUARDIAN))
    signed = parse_signed_request(shown["document"].encode())
    assert (signed.request.id, "0x" + signed.signature.hex()) == (shown["digest"], shown["signature"])
    asked = shown["request"]
    assert (asked["fund"], asked["action"], asked["reason"]) == ("multi", "hold", REASON)
    assert (asked["chain"], asked["contract"]) == (still.chain.chain_id, still.world.registry)
    assert asked["deadline"] == asked["slot"] + 900 == still.chain.now + 900
    assert not still.database.exists()


def test_emergency__keystore__signs_like_the_key_in_it(still: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    path = still.folder / "guardian.json"
    key = (GUARDIAN + 1).to_bytes(32, "big")
    path.write_text(json.dumps(create_keyfile_json(key, b"open sesame", kdf="scrypt", iterations=2)))
    path.chmod(0o600)
    monkeypatch.setenv("GUARDIAN_PASSPHRASE", "open sesame")
    same = ("--nonce", "5", "--slot", "1", "--valid-for", "60")
    by = still.cli(*ASK, *same, "--keystore", str(path), "--passphrase-variable", "GUARDIAN_PASSPHRASE")
    assert by.json == still.cli(*ASK, *same, "--key-file", key_file(still.folder, GUARDIAN)).json
    monkeypatch.setenv("GUARDIAN_PASSPHRASE", "open barley")
    wrong = refusal(still, *ASK, "--keystore", str(path), "--passphrase-variable", "GUARDIAN_PASSPHRASE", code=4)
    assert "passphrase" in wrong["message"]
    assert "barley" not in str(wrong)


def test_emergency__unsigned__is_signed_by_a_wallet_in_a_second_step(bench: Bench) -> None:
    printed = bench.cli(*ASK, "--unsigned").json
    file = bench.folder / "request.json"
    file.write_text(json.dumps(printed))
    signature = Account.sign_typed_data((GUARDIAN + 1).to_bytes(32, "big"), full_message=printed["typed_data"])
    wallet = ("--signature", "0x" + signature.signature.hex(), "--signer", address(GUARDIAN))
    result = bench.cli("emergency", "--request", str(file), *wallet, "--to-database", "--live", "--json")
    assert result.code == 0
    assert result.json["digest"] == printed["digest"]
    assert queued(bench) == [printed["digest"]]


def test_emergency__hold_without_a_guardians_key__warns_that_the_registry_is_not_told(still: Bench) -> None:
    text = THREE_FUNDS.read_text()
    begin = text.index("    guardian:")
    keyless = still.folder / "keyless.yaml"
    keyless.write_text(text[:begin] + text[text.index("\n\n", begin) :])
    key = ("--key-file", key_file(still.folder, GUARDIAN))
    for way in (("--unsigned",), key):
        (warning,) = still.cli(*ASK, *way, config=keyless).json["warnings"]
        assert "the registry will not be told of the hold: no guardian's key is configured for home" in warning
        assert "`navoracle emergency hold multi --send" in warning
        assert still.cli(*ASK, *way).json["warnings"] == []
    shown = still.cli(*ASK[:-1], *key, config=keyless)
    assert "will not be told" in shown.out
    update = ("emergency", "update", "multi", "--reason", REASON, "--json", *key)
    assert still.cli(*update, config=keyless).json["warnings"] == []


def test_emergency__request_from_a_file__is_signed_without_a_configuration(still: Bench) -> None:
    unsigned = still.cli(*ASK, "--unsigned")
    (still.folder / "request.json").write_text(unsigned.out)
    arguments = ("--request", str(still.folder / "request.json"), "--key-file", key_file(still.folder, GUARDIAN))
    result = still.cli("emergency", *arguments, "--json", config=still.folder / "nowhere.yaml")
    assert result.code == 0, result.err
    assert result.json["digest"] == unsigned.json["digest"]


def test_emergency__two_of_the_same__have_nonces_of_their_own(still: Bench) -> None:
    key = key_file(still.folder, GUARDIAN)
    nonces = {still.cli(*ASK, "--key-file", key).json["request"]["nonce"] for _ in range(5)}
    assert len(nonces) == 5


@pytest.mark.parametrize(
    "arguments",
    [
        ["emergency"],
        ["emergency", "hold"],
        ["emergency", "hold", "multi"],
        ["emergency", "mint", "multi", "--reason", "x"],
        ["emergency", "hold", "unknown", "--reason", "x"],
        ["emergency", "hold", "multi", "--reason", " "],
        ["emergency", "hold", "multi", "--reason", "x"],
        ["emergency", "hold", "multi", "--reason", "x", "--unsigned", "--request", "/nowhere"],
        ["emergency", "--request", "/nowhere"],
        ["emergency", "hold", "multi", "--reason", "x", "--signature", "0x00"],
        ["emergency", "hold", "multi", "--reason", "x", "--signature", "0xzz", "--signer", address(GUARDIAN)],
        ["emergency", "hold", "multi", "--reason", "x", "--signature", "0x00", "--signer", "0x00"],
        ["emergency", "hold", "multi", "--reason", "x", "--key-file", "a", "--keystore", "b"],
        ["emergency", "hold", "multi", "--reason", "x", "--keystore", "b"],
        ["emergency", "hold", "multi", "--reason", "x", "--passphrase-variable", "P"],
        ["emergency", "hold", "multi", "--reason", "x", "--live"],
        ["emergency", "hold", "multi", "--reason", "x", "--to-folder", "a", "--to-database"],
        ["emergency", "mint", "multi", "--send"],
        ["emergency", "hold", "--send"],
        ["emergency", "hold", "multi", "--send", "--live"],
        ["emergency", "hold", "multi", "--send", "--to-database"],
    ],
)
def test_emergency__command_line_that_cannot_be__is_refused_with_advice(still: Bench, arguments: list[str]) -> None:
    assert refusal(still, *arguments, "--json", code=2)["code"] == "usage"
    assert not still.database.exists()


@pytest.mark.parametrize(
    ("arguments", "message", "advice"),
    [
        ([], "ACTION is missing", "emergency ACTION FUND --reason TEXT. Actions: update"),
        (["upd", "multi"], "there is no action 'upd'", "Did you mean update? Actions: update emergency_update"),
        (["relaese"], "there is no action 'relaese'", "Did you mean release?"),
        (["reset"], "there is no action 'reset'", "Did you mean reset_breaker?"),
        (["Emergency-Update"], "there is no action 'Emergency-Update'", "Did you mean emergency_update?"),
        (["mint"], "there is no action 'mint'", "Actions: update"),
        (["update"], "FUND is missing", "emergency update FUND --reason TEXT"),
        (["update", "--reason", "x"], "FUND is missing", "emergency update FUND --reason TEXT"),
        (["update", "multi"], "--reason is missing", "emergency update multi --reason TEXT"),
        (["--send"], "ACTION is missing", "emergency ACTION FUND --send. Actions: accept"),
        (["pose", "--send"], "there is no action 'pose'", "Did you mean pause? Actions: accept"),
        (["hold", "--send"], "FUND is missing", "emergency hold FUND --send"),
    ],
)
def test_emergency__part_that_is_missing_or_unknown__is_named_one_at_a_time(
    still: Bench, arguments: list[str], message: str, advice: str
) -> None:
    error = refusal(still, "emergency", *arguments, "--json", code=2)
    assert error["message"] == message
    assert advice in error["advice"]
    assert ("Did you mean" in error["advice"]) is ("Did you mean" in advice)


@pytest.mark.parametrize("content", ["", "{}", "[]", '{"request": {}}', '{"request": {"fund": 5}}', "\x00" * 70_000])
def test_emergency__file_without_a_request__is_refused(still: Bench, content: str) -> None:
    file = still.folder / "request.json"
    file.write_text(content)
    arguments = ("emergency", "--request", str(file), "--key-file", key_file(still.folder, GUARDIAN), "--json")
    assert refusal(still, *arguments, code=2)["code"] == "usage"


# ---- submitting


def test_emergency__into_the_database__is_queued_once(bench: Bench) -> None:
    arguments = (*ASK, "--nonce", "1", "--key-file", key_file(bench.folder, GUARDIAN), "--to-database", "--live")
    result = bench.cli(*arguments)
    assert result.code == 0
    assert queued(bench) == [result.json["digest"]]
    error = refusal(bench, *arguments, code=3)
    assert error["code"] == "request_refused"
    assert "was used before" in error["message"]


def test_emergency__by_somebody_without_the_role__is_refused_and_recorded(bench: Bench) -> None:
    for account in (POSTER, OPERATOR):
        arguments = (*ASK, "--key-file", key_file(bench.folder, account), "--to-database", "--live")
        assert "holds no role" in refusal(bench, *arguments, code=3)["message"]
    assert queued(bench) == []
    with SqlStore.open(f"sqlite:///{bench.database}") as store:
        assert [row.event.data["reason"] for row in store.events(kind="request_refused")] == ["wrong_role"] * 2


def test_emergency__into_the_drop_folder__waits_there(bench: Bench) -> None:
    folder = bench.folder / "drop"
    folder.mkdir()
    key = key_file(bench.folder, GUARDIAN)
    assert bench.cli(*ASK, "--key-file", key, "--to-folder", str(folder)).json["submitted_to"] is None
    assert list(folder.iterdir()) == []
    result = bench.cli(*ASK, "--key-file", key, "--to-folder", str(folder), "--live")
    (path,) = folder.iterdir()
    assert result.json["submitted_to"] == str(path)
    assert path.read_bytes() == result.json["document"].encode() + b"\n"
    assert refusal(bench, *ASK, "--key-file", key, "--to-folder", "/nowhere", "--live", code=4)["code"] == (
        "configuration"
    )


class Keeper:
    """A keeper's HTTP API that answers as it is told."""

    def __init__(self) -> None:
        self.status, self.answer = 202, "{}"
        self.asked: list[tuple[str | None, bytes]] = []

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[str]:
        application = web.Application()
        application.router.add_post("/api/v1/requests", self._take)
        server = TestServer(application)
        await server.start_server()
        try:
            yield str(server.make_url("")).rstrip("/")
        finally:
            await server.close()

    async def _take(self, request: web.Request) -> web.Response:
        self.asked.append((request.headers.get("Authorization"), await request.read()))
        return web.Response(status=self.status, text=self.answer, content_type="application/json")


async def submitted(bench: Bench, keeper: Keeper, *more: str) -> Any:
    token = bench.folder / "token"
    token.write_text(TOKEN + "\n")
    token.chmod(0o600)
    async with keeper.serving() as url:
        arguments = (*ASK, "--key-file", key_file(bench.folder, GUARDIAN), "--url", url, "--token-file", str(token))
        return await asyncio.to_thread(bench.cli, *arguments, "--live", *more)


@pytest.mark.sockets
async def test_emergency__over_http__sends_the_document_with_the_token(still: Bench) -> None:
    keeper = Keeper()
    result = await submitted(still, keeper)
    assert result.code == 0
    assert keeper.asked == [(f"Bearer {TOKEN}", result.json["document"].encode())]
    assert TOKEN not in result.out + result.err


@pytest.mark.sockets
@pytest.mark.parametrize(
    ("status", "answer", "code", "error"),
    [
        (409, "replayed", 3, "request_refused"),
        (403, "wrong_role", 3, "request_refused"),
        (422, "expired", 3, "request_refused"),
        (429, "too_often", 3, "request_refused"),
        (401, "unauthorized", 4, "configuration"),
        (503, "chain", 5, "chain"),
        (500, None, 5, "source_down"),
        (404, None, 5, "source_down"),
        (200, None, 5, "source_down"),
        (307, None, 5, "source_down"),
    ],
)
async def test_emergency__over_http__says_why_it_was_not_taken(
    still: Bench, status: int, answer: str | None, code: int, error: str
) -> None:
    keeper = Keeper()
    keeper.status = status
    said = {"error": {"code": answer, "message": f"because of {answer}", "advice": "Do so."}}
    keeper.answer = "<html>" if answer is None else json.dumps(said)
    result = await submitted(still, keeper)
    assert (result.code, result.json["error"]["code"]) == (code, error)
    if answer is not None:
        assert f"because of {answer}" in result.json["error"]["message"]
    assert TOKEN not in result.out + result.err


@pytest.mark.sockets
def test_emergency__over_http__nobody_listens__says_so(still: Bench) -> None:
    token = still.folder / "token"
    token.write_text(TOKEN)
    token.chmod(0o600)
    arguments = (*ASK, "--key-file", key_file(still.folder, GUARDIAN), "--live", "--url", "http://127.0.0.1:9")
    assert refusal(still, *arguments, "--token-file", str(token), code=5)["code"] == "source_down"
    assert refusal(still, *arguments, code=2)["code"] == "usage"
    token.chmod(0o644)
    assert refusal(still, *arguments, "--token-file", str(token), code=4)["code"] == "configuration"


def test_emergency__over_http_in_clear_to_another_machine__is_refused(still: Bench) -> None:
    token = still.folder / "token"
    token.write_text(TOKEN)
    token.chmod(0o600)
    arguments = (*ASK, "--key-file", key_file(still.folder, GUARDIAN), "--live", "--token-file", str(token))
    error = refusal(still, *arguments, "--url", "http://keeper.example:9187", code=2)
    assert "neither https nor this machine" in error["message"]


# ---- one's own key


def word_of(bench: Bench) -> FundWord:
    """What the registry has of the fund now."""
    data = encode_call("readRaw(uint256)", 3)
    return decode_word(int.from_bytes(bench.do(bench.chain.reader(CHAIN).call(bench.world.registry, data)), "big"))


def held(bench: Bench) -> bool:
    """Whether the registry holds the fund."""
    return Status.HELD in word_of(bench).status


def price_of(bench: Bench) -> int:
    """The price per share that the registry serves."""
    return word_of(bench).price_per_share


def test_send__hold_and_release__stop_and_free_the_fund(bench: Bench) -> None:
    hold = ("emergency", "hold", "multi", "--send", "--json")
    shown = bench.cli(*hold)
    assert (shown.code, shown.json["live"], shown.json["transaction"]) == (0, False, None)
    assert (shown.json["to"], shown.json["data"]) == (
        bench.world.registry,
        "0x" + encode_call("hold(uint256[])", [3]).hex(),
    )
    assert not held(bench)
    sent = bench.cli(*hold, "--key-file", key_file(bench.folder, GUARDIAN), "--live")
    assert (sent.code, sent.json["sender"]) == (0, address(GUARDIAN))
    assert held(bench)
    bench.wait(60)
    release = ("emergency", "release", "multi", "--send", "--json")
    assert bench.cli(*release).json["proposal"]["held_for"] == "guardian"
    by_guardian = refusal(bench, *release, "--key-file", key_file(bench.folder, GUARDIAN), "--live", code=5)
    assert "Unauthorized" in by_guardian["message"]
    assert held(bench)
    assert bench.cli(*release, "--key-file", key_file(bench.folder, RISK), "--live").code == 0
    assert not held(bench)
    bench.wait(60)
    assert refusal(bench, *release, code=3)["code"] == "guard_refused"


def test_send__pause_and_resume__are_of_the_whole_registry(bench: Bench) -> None:
    key = key_file(bench.folder, RISK)
    assert bench.cli("emergency", "pause", "multi", "--send", "--key-file", key, "--live", "--json").code == 0
    assert bench.cli("post", "--live", "--json").code != 0
    assert bench.cli("emergency", "resume", "multi", "--send", "--key-file", key, "--live", "--json").code == 0
    bench.wait(60)
    assert bench.cli("post", "--live", "--json").code == 0


def held_step(bench: Bench) -> int:
    """Let the registry hold a rise of a fifth that both frames saw; returns the price per share that is held."""
    bench.do(bench.world.set_price("WBTC", Wad(bench.world.prices["WBTC"] * 135 // 100)))
    bench.wait(30)
    bench.cli("post", "--live", "--json")
    assert held(bench)
    bench.wait(60)
    with SqlStore.open(f"sqlite:///{bench.database}") as store:
        (post,) = store.posts("multi", limit=1)
        return int(next(part for part in post.funds if part.fund == "multi").price_per_share)


def test_send__accept__serves_what_was_held(bench: Bench) -> None:
    value = held_step(bench)
    accept = ("emergency", "accept", "multi", "--send", "--json")
    shown = bench.cli(*accept).json
    assert shown["proposal"]["proposed"] == str(value)
    assert shown["proposal"]["served"] == str(WAD)
    assert shown["proposal"]["held_for"] == "step"
    assert shown["proposal"]["change_bps"] == -(-(value - WAD) * 10_000 // WAD)
    assert len(shown["proposal"]["evidence_hash"]) == 66
    assert bench.cli(*accept, "--key-file", key_file(bench.folder, RISK), "--live").code == 0
    assert not held(bench)
    assert price_of(bench) == value


def test_send__discard__keeps_what_is_served(bench: Bench) -> None:
    held_step(bench)
    discard = (
        "emergency",
        "discard",
        "multi",
        "--send",
        "--key-file",
        key_file(bench.folder, RISK),
        "--live",
        "--json",
    )
    result = bench.cli(*discard)
    assert result.code == 0
    assert result.json["proposal"]["status"] is not None
    assert not held(bench)
    assert price_of(bench) == WAD


def test_send__record_of_somebody_else__can_be_discarded_and_not_accepted(bench: Bench) -> None:
    held_step(bench)
    bench.database.rename(bench.folder / "lost.db")
    accept = ("emergency", "accept", "multi", "--send", "--json")
    assert "database" in refusal(bench, *accept, code=2)["message"]
    with SqlStore.open(f"sqlite:///{bench.database}"):
        pass
    assert refusal(bench, *accept, code=3)["code"] == "guard_refused"
    discard = (
        "emergency",
        "discard",
        "multi",
        "--send",
        "--key-file",
        key_file(bench.folder, RISK),
        "--live",
        "--json",
    )
    result = bench.cli(*discard)
    assert (result.code, result.json["proposal"]["proposed"]) == (0, None)
    assert not held(bench)


def test_emergency__for_people__says_what_was_done(bench: Bench) -> None:
    key = key_file(bench.folder, GUARDIAN)
    asked = bench.cli("emergency", "hold", "multi", "--reason", REASON, "--key-file", key)
    assert "dry run: nothing was submitted" in asked.out
    assert REASON in asked.out
    typed = bench.cli("emergency", "hold", "multi", "--reason", REASON, "--unsigned")
    assert json.loads(typed.out)["primaryType"] == "Request"
    assert "dry run: nothing was signed" in bench.cli("emergency", "hold", "multi", "--send").out
    held_step(bench)
    shown = bench.cli("emergency", "accept", "multi", "--send").out
    assert "held for  step" in shown
    assert "bps" in shown
