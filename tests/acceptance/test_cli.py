"""The commands as people and scripts use them, on the demo's world."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import zlib
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from navoracle.chain.signers import EphemeralSigner
from navoracle.cli.main import run
from navoracle.demo.world import CHAIN, FUNDS, GUARDIAN, OPENING_NAV, POSTER, RISK
from navoracle.domain.units import WAD, to_wad
from navoracle.publishers.nav_registry import NavRegistryPublisher
from tests.acceptance.node import serving
from tests.acceptance.worlds import THREE_FUNDS, Bench, edited, gross_values

COMPONENTS = ("cash", "collateral", "accrued_income", "rewards")
LIABILITIES = ("debt", "pending_withdrawals", "margin_calls", "fees")


def by_fund(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {part["fund"]: part for part in document["funds"]}


def served(bench: Bench) -> dict[str, tuple[int | None, int]]:
    """NAV and price per share of every fund, as the registry says them."""
    publisher = NavRegistryPublisher(bench.chain.reader(CHAIN), chain=CHAIN, registry=bench.world.registry)
    return {
        fund: (confirmed.nav, confirmed.price_per_share)
        for fund, confirmed in asyncio.run(publisher.confirmed(FUNDS)).items()
    }


# ---- nav


def test_nav__three_funds__says_what_each_is_worth_and_why(still: Bench) -> None:
    result = still.cli("nav", "--json")
    assert result.code == 0
    funds = by_fund(result.json)
    assert gross_values(result.json) == OPENING_NAV
    assert 0 < int(funds["stable"]["components"]["after"]["fees"]) < to_wad("10")  # 1 % a year, for an hour
    for part in funds.values():
        parts = {name: int(amount) for name, amount in part["components"]["after"].items()}
        assert sum(parts[name] for name in COMPONENTS) - sum(parts[name] for name in LIABILITIES) == parts["nav"]
        assert int(part["price_per_share"]) == int(part["nav_before"]) * WAD // int(part["shares"])
        assert part["status"] == "live"
        # The gate knows no peak before the first frame that is recorded.
        assert {verdict["outcome"] for verdict in part["verdicts"] if verdict["check"] != "drawdown_stale"} == {"pass"}
    (eth,) = (price for price in result.json["prices"] if price["asset"] == "ETH")
    assert [vote["group"] for vote in eth["votes"]] == ["chainlink", "chronicle", "redstone"]
    assert result.json["now"] == still.chain.now


def test_nav__named_funds__are_the_only_ones(still: Bench) -> None:
    assert list(by_fund(still.cli("nav", "multi", "stable", "--json").json)) == ["multi", "stable"]


def test_nav__any_run__records_and_sends_nothing(still: Bench) -> None:
    before = still.nonces(), still.chain.now
    assert still.cli("nav").code == 0
    assert (still.nonces(), still.chain.now) == before
    assert not still.database.exists()


def test_nav__for_people__shows_components_prices_and_votes(still: Bench) -> None:
    out = still.cli("nav").out
    for text in ("levered-pt", "LIVE", "8,000,000.00", "1,500,000.00", "collateral", "redstone 60,000.000000"):
        assert text in out


def test_nav__outlier_and_insolvent_fund__are_named_with_advice(bench: Bench) -> None:
    bench.do(bench.world.set_price("WBTC", to_wad("90000"), groups=["redstone"]))
    bench.do(bench.world.set_debt(to_wad("9600000")))
    result = bench.cli("nav", "--json")
    assert result.code == 6
    assert result.json["error"]["code"] == "guard_refused"
    assert result.json["error"]["message"] == "levered-pt is insolvent (insolvent)"
    (wbtc,) = (price for price in result.json["prices"] if price["asset"] == "WBTC")
    assert wbtc["excluded"] == [{"source": "WBTC.redstone", "reason": "outlier"}]
    assert wbtc["price"] == str(to_wad("60000"))
    assert bench.cli("nav", "levered-pt", "--json").code == 3
    out = bench.cli("nav").out
    assert "WBTC.redstone (outlier)" in out
    assert "advice: Nothing is posted as a number" in out


# ---- post


def test_post__dry_run__would_post_and_leaves_nothing_behind(still: Bench) -> None:
    before = still.nonces()
    result = still.cli("post", "--json")
    assert result.code == 0
    assert {part["reason"] for part in result.json["funds"]} == {"dry_run"}
    assert {part["transaction"] for part in result.json["funds"]} == {None}
    assert still.nonces() == before
    assert not still.database.exists()
    assert "dry run: nothing was recorded, signed or sent" in still.cli("post").out


def test_post__dry_run_over_a_database__takes_no_slot_from_the_live_run(bench: Bench) -> None:
    assert bench.cli("post", "multi", "--live", "--json").code == 0
    bench.wait(600)
    slot = str(bench.chain.now)
    recorded = bench.database.read_bytes()
    assert bench.cli("post", "--at", slot, "--json").code == 0
    assert bench.database.read_bytes() == recorded
    bench.wait(1)
    assert bench.cli("post", "--at", slot, "--live", "--json").code == 0


def test_post__live__is_what_the_contract_says_and_verifies(bench: Bench) -> None:
    bench.do(bench.world.deposit("multi", "USDC", to_wad("50000")))
    result = bench.cli("post", "--live", "--json")
    assert result.code == 0
    funds = by_fund(result.json)
    assert {name: part["state"] for name, part in funds.items()} == dict.fromkeys(FUNDS, "posted")
    assert served(bench) == {
        name: (int(part["found"]["nav_after"]), int(part["found"]["price_per_share"])) for name, part in funds.items()
    }
    assert len({part["transaction"] for part in funds.values()}) == 1
    assert bench.cli("verify", "--json").json["verified"] == 3


def test_post__slot_that_was_worked_on__is_refused_and_sends_nothing(bench: Bench) -> None:
    slot = str(bench.chain.now)
    assert bench.cli("post", "--live", "--at", slot, "--json").code == 0
    bench.wait(600)
    before = bench.nonces()
    result = bench.cli("post", "--live", "--at", slot, "--json")
    assert result.code == 3
    assert {part["reason"] for part in result.json["funds"]} == {"slot_taken"}
    assert result.json["error"]["code"] == "guard_refused"
    assert "history" in result.json["error"]["advice"]
    assert bench.nonces() == before


def test_post__jump_beyond_the_contracts_band__is_held_there_and_only_partly_done(bench: Bench) -> None:
    bench.do(bench.world.set_price("ETH", to_wad("5000")))
    rehearsed = bench.cli("post", "multi", "--json")
    assert rehearsed.code == 3
    assert "the contract would hold it (step)" in rehearsed.json["funds"][0]["reason"]
    result = bench.cli("post", "--live", "--json")
    assert result.code == 6
    funds = by_fund(result.json)
    assert {name: part["state"] for name, part in funds.items()} == {
        "stable": "posted",
        "levered-pt": "posted",
        "multi": "held",
    }
    assert "RISK" in funds["multi"]["advice"]
    assert served(bench)["multi"] == (OPENING_NAV["multi"], WAD)


def test_post__fund_held_alone__ends_with_a_guards_refusal(bench: Bench) -> None:
    bench.do(bench.world.set_debt(to_wad("9600000")))
    result = bench.cli("post", "levered-pt", "--live", "--json")
    assert result.code == 3
    assert (result.json["funds"][0]["state"], result.json["funds"][0]["reason"]) == ("held", "insolvent")
    assert bench.cli("history", "--json").json["slots"][0]["reason"] == "insolvent"


def test_post__slot_results__are_logged_as_events_with_advice(bench: Bench) -> None:
    bench.do(bench.world.set_debt(to_wad("9600000")))
    result = bench.cli("--log-format", "json", "post", "--live", "--json")
    logged = [json.loads(line) for line in result.err.splitlines()]
    assert [event["what"] for event in logged if event["event"] == "transaction"] == ["sent", "mined", "confirmed"]
    events = [event for event in logged if event["event"] == "slot"]
    assert [(event["event"], event["fund"], event["state"], event["level"]) for event in events] == [
        ("slot", "stable", "posted", "info"),
        ("slot", "levered-pt", "held", "warning"),
        ("slot", "multi", "posted", "info"),
    ]
    assert events[1]["advice"].startswith("Nothing is posted as a number")
    assert events[0]["transaction"] == by_fund(result.json)["stable"]["transaction"]


# ---- status and history


def test_status__after_posts__shows_last_slot_last_confirmed_and_age(bench: Bench) -> None:
    assert bench.cli("post", "--live", "--json").code == 0
    posted = bench.chain.now
    bench.do(bench.world.set_price("ETH", to_wad("5000")))
    bench.wait(3_600)
    assert bench.cli("post", "--live", "--json").code == 6
    document = bench.cli("status", "--json").json
    multi = by_fund(document)["multi"]
    assert (multi["latest"]["state"], multi["posted"]["nav"]) == ("held", str(OPENING_NAV["multi"]))
    assert multi["age"] == document["now"] - multi["posted"]["slot_time"] >= document["now"] - posted
    assert document["database"] == f"sqlite:///{bench.database}"
    assert "held" in bench.cli("status").out


def test_history__fund_limit_and_since__choose_the_slots(bench: Bench) -> None:
    first = bench.chain.now
    for _ in range(3):
        assert bench.cli("post", "stable", "multi", "--live", "--json").code == 0
        bench.wait(600)
    slots = bench.cli("history", "--json").json["slots"]
    assert len(slots) == 6
    assert slots[0]["slot_time"] > slots[-1]["slot_time"] == first
    assert {slot["fund"] for slot in bench.cli("history", "multi", "--json").json["slots"]} == {"multi"}
    assert len(bench.cli("history", "--limit", "2", "--json").json["slots"]) == 2
    assert len(bench.cli("history", "--since", str(first + 1), "--json").json["slots"]) == 4
    unknown = bench.cli("history", "nobody", "--json")
    assert (unknown.code, unknown.json["error"]["code"]) == (2, "usage")
    assert bench.cli("history", "--since", "yesterday", "--json").code == 2


# ---- verify and evidence


def test_verify__document_in_a_file__stands_alone_and_by_hash_root_or_database(bench: Bench) -> None:
    posted = by_fund(bench.cli("post", "--live", "--json").json)["multi"]
    file = bench.folder / "multi.json"
    printed = bench.cli("evidence", posted["frame"], "multi", "--json").out
    written = bench.cli("evidence", posted["frame"], "multi", "--out", str(file), "--json").json
    assert file.read_text() == printed
    assert written["evidence_hash"] == posted["found"]["evidence_hash"]
    (anchor,) = written["posts"]
    assert anchor["transaction"] == posted["transaction"]
    by_root = ["--root", anchor["root"], *(part for node in anchor["proof"] for part in ("--proof", node))]
    assert anchor["root"] in bench.cli("evidence", posted["frame"], "multi", "--out", str(file)).out

    def verified(*arguments: str) -> tuple[int, Any]:
        result = bench.cli("verify", "--evidence", str(file), *arguments, "--json")
        return result.code, result.json

    code, document = verified()
    assert (code, document["frames"][0]["held_against"]) == (0, "database")
    assert document["frames"][0]["nav"] == posted["found"]["nav_after"]
    assert verified("--fund", "stable")[0] == 2
    bench.database.unlink()
    for arguments, held_against in (([], None), (by_root, "root"), (["--hash", written["evidence_hash"]], "hash")):
        code, document = verified(*arguments)
        assert (code, document["frames"][0]["held_against"]) == (0, held_against)
    for wrong in (["--hash", "0x" + "11" * 32], ["--root", "0x" + "11" * 32], by_root[:-2]):
        assert verified(*wrong)[0] == 3
    for usage in (["--hash", "0x11"], ["--proof", "0x" + "11" * 32]):
        assert verified(*usage)[0] == 2


def test_verify__file_with_any_part_changed__is_refused(bench: Bench) -> None:
    frame = bench.cli("post", "--live", "--json").json["frames"][0]["frame"]
    file = bench.folder / "multi.json"
    assert bench.cli("evidence", frame, "multi", "--out", str(file)).code == 0
    document = file.read_bytes()
    for place in range(0, len(document), len(document) // 40):
        changed = bytearray(document)
        changed[place] ^= 1
        file.write_bytes(changed)
        result = bench.cli("verify", "--evidence", str(file), "--json")
        assert (result.code, result.json["error"]["code"]) == (3, "verification_failed"), place
        assert (result.json["verified"], len(result.json["failed"])) == (0, 1)


@pytest.mark.parametrize(
    ("statement", "named"),
    [
        ("UPDATE fund_frames SET components = replace(components, '400000', '400001')", "stored components"),
        ("UPDATE fund_frames SET nav_after = nav_after || '0'", "stored NAV"),
        ("UPDATE fund_frames SET nav_before = '1'", "stored NAV before"),
        ("UPDATE fund_frames SET shares = '1'", "number of shares"),
        ("DELETE FROM evidence", "no evidence"),
        ("UPDATE fund_frames SET evidence_hash = '0x' || printf('%064d', 1)", "stored evidence hash"),
        ("UPDATE fund_frames SET price_per_share = '1' WHERE fund = 'multi'", "stored price per share"),
        ("UPDATE post_funds SET nav = '1' WHERE fund = 'multi'", "posted NAV"),
        ("UPDATE post_funds SET proof = '[]' WHERE fund = 'multi'", "does not cover"),
        (
            "UPDATE posts SET calldata = substr(calldata, 1, 74) || '00' || substr(calldata, 77)",
            "root in the posted call",
        ),
        ("UPDATE posts SET evidence_root = '0x' || printf('%064d', 1)", "does not cover"),
    ],
)
def test_verify__record_that_was_changed__is_named(bench: Bench, statement: str, named: str) -> None:
    assert bench.cli("post", "--live", "--json").code == 0
    with sqlite3.connect(bench.database) as connection:
        assert connection.execute(statement).rowcount > 0
    connection.close()
    result = bench.cli("verify", "--all", "--fund", "multi", "--json")
    assert result.code == 3
    assert named in result.json["failed"][0]["message"]
    assert result.json["failed"][0]["fund"] == "multi"


def test_verify__stored_document_with_any_byte_changed__is_refused_and_the_others_hold(bench: Bench) -> None:
    assert bench.cli("post", "--live", "--json").code == 0
    with closing(sqlite3.connect(bench.database, isolation_level=None)) as connection:
        ((stored,),) = connection.execute("SELECT document FROM evidence WHERE fund = 'multi'")
        plain = zlib.decompress(stored)
        flips = [(stored, place) for place in range(0, len(stored), len(stored) // 8)]
        flips += [(plain, place) for place in range(0, len(plain), len(plain) // 20)]
        for original, place in flips:
            changed = bytearray(original)
            changed[place] ^= 1
            document = bytes(changed) if original is stored else zlib.compress(changed)
            connection.execute("UPDATE evidence SET document = ? WHERE fund = 'multi'", (document,))
            result = bench.cli("verify", "--all", "--json")
            assert (result.code, result.json["verified"]) == (3, 2)
            assert [failure["fund"] for failure in result.json["failed"]] == ["multi"]


def test_verify__choice_of_frames__is_the_newest_a_named_one_or_all(bench: Bench) -> None:
    first = bench.cli("post", "--live", "--json").json["frames"][0]["frame"]
    bench.wait(600)
    second = bench.cli("post", "--live", "--json").json["frames"][0]["frame"]
    assert {each["frame"] for each in bench.cli("verify", "--json").json["frames"]} == {second}
    assert {each["frame"] for each in bench.cli("verify", first, "--json").json["frames"]} == {first}
    assert bench.cli("verify", "--all", "--json").json["verified"] == 6
    assert bench.cli("verify", "--all", "--fund", "multi", "--json").json["verified"] == 2
    assert "6 NAVs verified, 0 failed" in bench.cli("verify", "--all").out
    for wrong in (["0123456789abcdef"], [first, "--all"], ["--multicall", "0x0"], ["--fund", "nobody"]):
        assert bench.cli("verify", *wrong, "--json").code == 2


@pytest.mark.sockets
def test_verify__rpc__compares_raw_answers_with_the_node(bench: Bench) -> None:
    posted = by_fund(bench.cli("post", "--live", "--json").json)
    with serving(bench.chain) as url:
        result = bench.cli("verify", "--rpc", url, "--json")
        assert result.code == 0
        assert all(each["reads_compared"] > 10 for each in result.json["frames"])
        forked = bench.cli("evidence", posted["multi"]["frame"], "multi").out
        file = bench.folder / "forked.json"
        stamp = json.loads(forked)["stamps"][0]
        bench.database.unlink()
        file.write_text(forked.replace(stamp["hash"], "0x" + "11" * 32))
        refused = bench.cli("verify", "--evidence", str(file), "--rpc", url, "--json")
        assert refused.code == 3
        assert "not part of the chain" in refused.json["error"]["message"]


# ---- deploy


def key_file(folder: Path, number: int) -> Path:
    file = folder / f"key{number}"
    file.write_text(f"{number:064x}\n")
    file.chmod(0o600)
    return file


def without_registry(folder: Path) -> Path:
    path = folder / "new.yaml"
    with edited(path, **{"    registry: ${REGISTRY} # `navoracle deploy` makes one\n": ""}):
        return path


def test_deploy__dry_run__shows_roles_and_openings_and_sends_nothing(still: Bench) -> None:
    before = still.nonces()
    poster = still.chain.accounts[POSTER]
    result = still.cli(
        "deploy", "--poster", poster, "--key-file", "/no/such/file", "--json", config=without_registry(still.folder)
    )
    assert result.code == 0
    openings = {part["fund"]: int(part["nav"]) for part in result.json["funds"]}
    assert openings == {name: int(part["nav_after"]) for name, part in by_fund(still.cli("nav", "--json").json).items()}
    assert (result.json["registry"], result.json["live"]) == (None, False)
    assert result.json["roles"]["poster"] == poster
    assert still.nonces() == before


def test_deploy__live__registers_the_funds_and_takes_their_posts(bench: Bench) -> None:
    config = without_registry(bench.folder)
    accounts = bench.chain.accounts
    roles = ["--poster", accounts[POSTER], "--risk", accounts[RISK], "--guardian", accounts[GUARDIAN]]
    result = bench.cli(
        "deploy", "--live", "--key-file", str(key_file(bench.folder, 5)), *roles,
        "--opening", "multi=1050000:1.05", "--min-interval", "30", "--json", config=config,
    )  # fmt: skip
    assert result.code == 0
    registry = result.json["registry"]
    assert registry != bench.world.registry
    assert registry in result.json["configuration"]
    assert result.json["roles"]["admin"] == result.json["deployer"] == EphemeralSigner((5).to_bytes(32, "big")).address
    bench.world.registry = registry
    assert served(bench)["multi"] == (to_wad("1050000"), to_wad("1.05"))
    assert served(bench)["levered-pt"] == (OPENING_NAV["levered-pt"], WAD)
    bench.wait(60)
    assert bench.cli("post", "--live", "--json").code == 0
    assert served(bench)["multi"] == (OPENING_NAV["multi"], WAD)


def test_deploy__multicall_alone__prints_where_it_is(bench: Bench) -> None:
    assert bench.cli("deploy", "--multicall", "--json").json["multicall"] is None
    result = bench.cli("deploy", "--multicall", "--live", "--key-file", str(key_file(bench.folder, 5)), "--json")
    assert result.code == 0
    code = asyncio.run(bench.chain.reader(CHAIN).code(result.json["multicall"]))
    assert len(code) > 100


def test_deploy__fund_without_a_value__asks_for_its_opening(bench: Bench) -> None:
    bench.do(bench.world.set_debt(to_wad("9600000")))
    result = bench.cli("deploy", "--json", config=without_registry(bench.folder))
    assert (result.code, result.json["error"]["code"]) == (3, "guard_refused")
    assert "--opening levered-pt=NAV:PRICE_PER_SHARE" in result.json["error"]["advice"]


@pytest.mark.parametrize(
    "arguments",
    [
        ["--live"],
        ["--chain", "elsewhere"],
        ["--opening", "multi"],
        ["--opening", "multi=1"],
        ["--opening", "multi=x:1"],
        ["--opening", "multi=1:0"],
        ["--opening", "multi=1:1", "--opening", "multi=1:1"],
        ["--opening", "nobody=1:1"],
        ["--vault", "multi=0x1"],
        ["--poster", "0xde709f2102306220921060314715629080e2fB77"],
        ["--up-bps", "4000"],
    ],
)
def test_deploy__wrong_usage__says_how_it_is_written(still: Bench, arguments: list[str]) -> None:
    result = still.cli("deploy", *arguments, "--json", config=without_registry(still.folder))
    assert (result.code, result.json["error"]["code"]) == (2, "usage")
    assert result.json["error"]["advice"]


# ---- through a real endpoint


@pytest.mark.sockets
def test_post__over_http_with_a_key_file__posts_and_shows_no_secret(bench: Bench) -> None:
    key_file(bench.folder, 2).rename(bench.folder / "poster.key")
    key_file(bench.folder, 4).rename(bench.folder / "guardian.key")
    bench.wait(10)
    with serving(bench.chain) as url, edited(bench.folder / "live.yaml", **{"${HOME_RPC}": url}) as config:
        result = bench.cli("post", "--live", "--json", config=_with_key(config), chains={})
        shown = bench.cli("config", "show", "--json", config=config, chains={})
    assert result.code == 0
    assert {part["state"] for part in result.json["funds"]} == {"posted"}
    assert "0123456789abcdef" not in result.out + result.err + shown.out + shown.err


def _with_key(config: Path) -> Path:
    config.write_text(
        config.read_text().replace("${KEY_FILE}", "poster.key").replace("confirmations: 2", "confirmations: 0")
    )
    return config


# ---- config


def test_config_show__any_format__hides_secrets_and_fills_in_defaults(still: Bench) -> None:
    config = still.folder / "secret.yaml"
    with edited(config, **{"${HOME_RPC}": "https://user:hushhush@node.example/v2/0123456789abcdef?key=1"}):
        shown = still.cli("config", "show", "--json", config=config)
        text = still.cli("config", "show", config=config).out
    document = shown.json["configuration"]
    assert document["chains"]["home"]["rpc"] == "https://node.example/***"
    assert document["funds"]["multi"]["guards"]["min_interval"] == 60
    assert document["store"]["url"] == f"sqlite:///{still.database}"
    for secret in ("hushhush", "0123456789abcdef"):
        assert secret not in shown.out + text


def test_config_schema__committed_copy__is_what_the_command_prints(still: Bench) -> None:
    printed = still.cli("config", "schema").out
    committed = THREE_FUNDS.with_name("navoracle.schema.json").read_text(encoding="utf-8")
    assert printed == committed, "write it again: navoracle config schema > config/navoracle.schema.json"


# ---- conventions


@pytest.mark.parametrize(
    "arguments",
    [
        ["nav", "nobody"],
        ["nav", "--no-such-option"],
        ["post", "--at", "noon"],
        ["no-such-command"],
        ["evidence"],
        ["config", "--json"],
    ],
)
def test_cli__wrong_usage__is_one_json_document_and_code_2(still: Bench, arguments: list[str]) -> None:
    result = still.cli(*arguments, *([] if "--json" in arguments else ["--json"]))
    assert result.code == 2
    assert set(result.json["error"]) == {"code", "message", "advice"}
    assert result.json["error"]["code"] == "usage"
    assert result.json["error"]["advice"]


def test_cli__error_for_people__is_on_standard_error_with_advice(still: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    result = still.cli("nav", "[red]nobody[/red]")
    assert (result.code, result.out) == (2, "")
    assert result.err == (
        "error: there is no fund [red]nobody[/red]\n"
        "advice: Name one of: stable, levered-pt, multi; or none, for all of them.\n"
    )


def test_cli__defect__is_not_swallowed_and_leaves_standard_output_clean(
    still: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError("defect")

    monkeypatch.setattr("navoracle.cli.nav.value_now", broken)
    with pytest.raises(ZeroDivisionError):
        still.cli("nav", "--json")
    assert still.capture.readouterr().out == ""


def test_cli__interrupt__ends_with_130(still: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("navoracle.cli.nav.value_now", interrupted)
    assert still.cli("nav", "--json").code == 130


def test_cli__version_and_help__end_well(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--version"]) == 0
    assert capsys.readouterr().out.startswith("navoracle 0.")
    assert run(["--help"]) == 0
    text = capsys.readouterr().out
    for part in ("nav", "post", "status", "history", "verify", "deploy", "config", "Exit codes"):
        assert part in text
