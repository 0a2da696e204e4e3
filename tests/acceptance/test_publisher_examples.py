"""The files in `config/publishers/` on doubles of their contracts: the exact call, the verdict, the guards; and a post.

Each fund's share is worth 1.0025 while its contract holds 1.0 (1.001 at Superstate's).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from navoracle.abi import decode_result, encode_call, selector
from navoracle.demo.world import POSTER
from navoracle.domain.peer_guards.lagoon import year_factor
from navoracle.domain.units import WAD, to_wad
from navoracle.ports import Address
from tests.acceptance.peer_worlds import (
    DAY,
    ENZYME_WAIT,
    FOLDER,
    HOUR,
    LAGOON_RATE,
    MARGIN,
    MIDAS_DEVIATION,
    MIDAS_RANGE,
    ONDO_WINDOW,
    OWNER,
    PEERS,
    POOL,
    SHARE_CLASS,
    SUPERSTATE_DELTA,
    VEDA_DELAY,
    PeerWorld,
    call_data,
    config_of,
    with_peer,
)
from tests.acceptance.worlds import Bench, Result

PRICE = 1_002_500
"""Of a share, at 6 decimals."""
WAIT = None
"""In place of the seconds that passed: they depend on how many blocks were mined; what matters is the limit."""

Guards = dict[str, tuple[int | None, int]]
Told = dict[str, Any]


def post(bench: Bench, name: str, *arguments: str) -> Result:
    """`navoracle post` of one example."""
    kind = name if name in ("veda", "lagoon", "mellow", "midas") else "generic"
    return bench.cli("post", "--publisher", kind, *(arguments or ("--dry-run",)), "--json", config=config_of(name))


def only(result: Result) -> Told:
    """The one fund's part of the answer."""
    (fund,) = result.json["funds"]
    return dict(fund)


def expected_veda(here: PeerWorld, now: int) -> tuple[str, Guards]:
    data = call_data("VedaAccountant", "updateExchangeRate", PRICE)
    return data, {"upper_bound": (2_500, 5_000), "lower_bound": (0, -5_000), "minimum_delay": (WAIT, VEDA_DELAY)}


def expected_lagoon(here: PeerWorld, now: int) -> tuple[str, Guards]:
    # The vault's price of a whole share has a virtual one in it; its change is taken as often as a year holds the wait.
    price = (4_010_000 * 10**6 + 1) * WAD // (4_000_000 * WAD + 10**12)
    rate = (price - 10**6) * year_factor(DAY + 10) * WAD // 10**6
    data = call_data("LagoonVault", "updateNewTotalAssets", 4_010_000 * 10**6)
    return data, {"upper_rate": (rate, LAGOON_RATE), "lower_rate": (0, -LAGOON_RATE)}


def expected_mellow(here: PeerWorld, now: int) -> tuple[str, Guards]:
    # Shares (1e18) for 1e18 raw units: of USDC 1e30 / 1.0025; a unit of WBTC (8 decimals) buys 600 times as many.
    usdc = 10**36 // PRICE
    reports = [(here.world.tokens["USDC"], usdc), (here.world.tokens["WBTC"], 600 * usdc)]
    guards: Guards = {}
    for asset, held, price in (("USDC", 10**30, usdc), ("WBTC", 600 * 10**30, 600 * usdc)):
        absolute, relative = held - price, (held - price) * WAD // held
        guards[f"{asset}.timeout"] = (WAIT, HOUR)
        for band, limit in (("max", WAD // 5), ("suspicious", WAD // 50)):
            guards[f"{asset}.{band}_absolute_deviation"] = (absolute, 10**40)
            guards[f"{asset}.{band}_relative_deviation"] = (relative, limit)
    return call_data("MellowOracle", "submitReports", reports), guards


def expected_midas(here: PeerWorld, now: int) -> tuple[str, Guards]:
    answer = PRICE * 100
    return call_data("MidasFeed", "setRoundDataSafe", answer), {
        "deviation": (25 * MIDAS_DEVIATION // 100, MIDAS_DEVIATION),
        "one_hour": (WAIT, HOUR + 1),
        "lowest_answer": (answer, MIDAS_RANGE[0]),
        "highest_answer": (answer, MIDAS_RANGE[1]),
    }


def expected_generic(here: PeerWorld, now: int) -> tuple[str, Guards]:
    answer = PRICE * 100
    return call_data("Feed", "set", answer, now), {
        "decimals": (1, 1),
        "upper_bound": (25, 200),
        "lower_bound": (0, -200),
        "minimum": (answer, 50_000_000),
        "maximum": (answer, 200_000_000),
        "after_held": (WAIT, 1),
        "not_after_block": (WAIT, 0),
    }


def expected_ondo(here: PeerWorld, now: int) -> tuple[str, Guards]:
    data = call_data("OndoOracle", "setPrice", PRICE * 10**12)
    return data, {"upper_bound": (25, 100), "lower_bound": (0, -100), "interval": (WAIT, ONDO_WINDOW)}


def expected_superstate(here: PeerWorld, now: int) -> tuple[str, Guards]:
    return call_data("SuperstateOracle", "addCheckpoint", now, now + 600, PRICE, False), {
        "checkpoint_pending": (1, 1),
        "upper_delta": (1_500, SUPERSTATE_DELTA),
        "lower_delta": (0, -SUPERSTATE_DELTA),
        "after_held": (WAIT, 1),
        "before_block": (WAIT, 1),
        "not_before_block": (WAIT, MARGIN),
    }


def expected_enzyme(here: PeerWorld, now: int) -> tuple[str, Guards]:
    data = call_data("EnzymeValue", "updateValue", PRICE * 10**12)
    return data, {"upper_bound": (25, 500), "lower_bound": (0, -500), "interval": (WAIT, ENZYME_WAIT)}


def expected_centrifuge(here: PeerWorld, now: int) -> tuple[str, Guards]:
    return call_data("CentrifugeHub", "updateSharePrice", POOL, SHARE_CLASS, PRICE * 10**12, now), {
        "upper_bound": (25, 500),
        "lower_bound": (0, -500),
        "after_held": (WAIT, 1),
        "not_after_block": (WAIT, 0),
    }


EXPECTED: dict[str, Callable[[PeerWorld, int], tuple[str, Guards]]] = {
    "centrifuge": expected_centrifuge,
    "enzyme": expected_enzyme,
    "generic": expected_generic,
    "lagoon": expected_lagoon,
    "mellow": expected_mellow,
    "midas": expected_midas,
    "ondo": expected_ondo,
    "superstate": expected_superstate,
    "veda": expected_veda,
}


def test_publisher_examples__folder__holds_those_that_are_known() -> None:
    assert {path.stem for path in FOLDER.glob("*.yaml")} == set(PEERS) == set(EXPECTED)


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_dry_run__shipped_example__shows_the_exact_call_the_verdict_and_each_guard(bench: Bench, name: str) -> None:
    here = with_peer(bench, name)
    # A checkpoint is of a time before its block: an idle chain's newest block is that of the valuation itself.
    bench.ahead = 1 + MARGIN if name == "superstate" else 0
    before = bench.nonces()
    result = post(bench, name)
    assert result.code == 0, result.out
    told = only(result)
    (frame,) = result.json["frames"]
    data, guards = EXPECTED[name](here, frame["now"])
    assert (told["reason"], told["advice"]) == ("dry_run", "")
    assert told["call"]["data"] == data
    assert told["call"]["funds"] == [told["fund"]]
    verdict = told["verdict"]
    assert (verdict["accepts"], verdict["send"], verdict["reason"], verdict["role"]) == (True, True, None, None)
    assert told["read_back"] is None
    found = {guard["guard"]: guard for guard in verdict["guards"]}
    assert list(found) == list(guards)
    for guard, (value, limit) in guards.items():
        shown = found[guard]
        has = int(shown["value"]) if value is WAIT else value
        assert (shown["passes"], shown["value"], shown["limit"]) == (True, str(has), str(limit)), guard
        # The room that is left: below a ceiling, above a floor, and above the lowest fall.
        room = limit - has if shown["side"] == "at_most" else has - limit
        assert (int(shown["distance"]), room >= 0) == (room, True), guard
    assert bench.nonces() == before
    assert not bench.database.exists()


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_nav_and_check__shipped_example__value_the_fund_and_find_no_error(bench: Bench, name: str) -> None:
    with_peer(bench, name)
    (fund,) = bench.cli("nav", "--json", config=config_of(name)).json["funds"]
    assert (fund["status"], int(fund["price_per_share"]), int(fund["nav_after"])) == (
        "live",
        PRICE * 10**12,
        to_wad("4010000"),
    )
    checked = bench.cli("check", "--json", config=config_of(name))
    assert (checked.code, checked.json["errors"]) == (0, 0), checked.out
    # What remains is of the examples' size: one node, two groups of sources.
    places = {each["place"] for each in checked.json["findings"]}
    assert {place for place in places if not place.startswith("assets.")} == {"chains.home"}


def test_dry_run__base_off_its_peg__converts_at_its_price(bench: Bench) -> None:
    with_peer(bench, "veda")
    bench.do(bench.world.set_price("USDC", to_wad("0.9995")))
    told = only(post(bench, "veda"))
    # 3,010,000 USDC and 1,000,000 USDT over 4,000,000 shares, counted in USDC, rounded down.
    price = (3_010_000 * to_wad("0.9995") + 1_000_000 * WAD) // 4_000_000
    rate_in_usdc = price * 10**6 // to_wad("0.9995")
    assert rate_in_usdc == 1_002_625
    assert told["call"]["data"] == call_data("VedaAccountant", "updateExchangeRate", rate_in_usdc)
    assert told["verdict"]["accepts"]


Change = Callable[[PeerWorld], Coroutine[Any, Any, None]]


async def paused(here: PeerWorld) -> None:
    await here.call(here.variables["VEDA_ACCOUNTANT"], "pause()")


async def without_the_role(here: PeerWorld) -> None:
    update = selector("updateExchangeRate(uint96)")
    await here.call(here.variables["VEDA_ACCOUNTANT"], "setCanCall(address,bytes4,bool)", here.poster, update, False)


async def not_a_contract(here: PeerWorld) -> None:
    here.variables["VEDA_ACCOUNTANT"] = here.world.tokens["USDT"]


async def richer(here: PeerWorld) -> None:
    await here.mint("USDC", here.variables["VEDA_VAULT"], 400_000 * 10**6)


async def posted_just_now(here: PeerWorld) -> None:
    await here.call(here.variables["VEDA_ACCOUNTANT"], "updateExchangeRate(uint96)", 10**6, account=POSTER)


@pytest.mark.parametrize(
    ("change", "level", "place", "message", "advice"),
    [
        (paused, "error", "publishers.veda", "paused (owner must act)", "unpause()"),
        (without_the_role, "error", "publishers.veda", "peer_refuses (owner must act)", "UPDATE_EXCHANGE_RATE_ROLE"),
        (not_a_contract, "error", "publishers.veda.contract", "is no contract of kind veda", ""),
        (richer, "warning", "publishers.veda", "upper_bound (owner must act)", "updateUpper"),
        (posted_just_now, None, "", "", ""),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_check__contract_that_would_not_take_a_post__is_named_with_role_and_advice(
    bench: Bench, change: Change, level: str | None, place: str, message: str, advice: str
) -> None:
    here = with_peer(bench, "veda")
    bench.do(change(here))
    bench.variables |= here.variables
    checked = bench.cli("check", "--json", config=config_of("veda"))
    told = [each for each in checked.json["findings"] if each["place"].startswith("publishers.")]
    if level is None:
        assert told == []
        return
    (found,) = told
    assert (found["level"], found["place"]) == (level, place)
    assert message in found["message"]
    assert advice in found["advice"]
    assert found["advice"]
    assert (checked.code != 0) is (level == "error")


def test_check__without_a_key__says_that_nothing_can_be_posted_and_nobody_is_named(bench: Bench) -> None:
    with_peer(bench, "veda")
    config = bench.folder / "veda.yaml"
    shipped = config_of("veda").read_text(encoding="utf-8")
    config.write_text(re.sub(r"    sender: .*\n", "", shipped), encoding="utf-8")
    chains = bench.world.access(live=False)
    checked = bench.cli("check", "--json", chains=chains, config=config)
    told = {each["place"]: (each["level"], each["message"]) for each in checked.json["findings"]}
    assert told["chains.home.signer"] == ("warning", "there is no signer: nothing can be posted")
    assert told["publishers.veda.sender"][0] == "warning"
    assert checked.code == 0


def refusal(result: Result, reason: str, role: str | None, advice: str) -> Told:
    """A post that the contract would refuse, with its reason, role and advice, and an exit code that says so."""
    told = only(result)
    verdict = told["verdict"]
    assert (verdict["accepts"], verdict["send"], verdict["reason"], verdict["role"]) == (False, False, reason, role)
    assert advice in verdict["advice"]
    assert told["advice"] == verdict["advice"]
    assert (result.code, result.json["error"]["code"]) == (3, "guard_refused")
    assert result.json["error"]["advice"] == told["advice"]
    return told


def test_dry_run__veda_paused__is_refused_with_the_order_of_recovery(bench: Bench) -> None:
    here = with_peer(bench, "veda")
    bench.do(here.call(here.variables["VEDA_ACCOUNTANT"], "pause()"))
    told = refusal(post(bench, "veda"), "paused", "owner", "unpause()")
    assert told["reason"] == "veda:paused"


def test_dry_run__veda_beyond_its_band__names_the_bound_to_widen(bench: Bench) -> None:
    here = with_peer(bench, "veda")
    bench.do(here.mint("USDC", here.variables["VEDA_VAULT"], 10_000 * 10**6))
    assert post(bench, "veda").code == 0  # 1.005 is the bound itself
    bench.do(here.mint("USDC", here.variables["VEDA_VAULT"], 4 * 10**6))
    told = refusal(post(bench, "veda"), "upper_bound", "owner", "updateUpper(10051)")
    guard = next(guard for guard in told["verdict"]["guards"] if guard["guard"] == "upper_bound")
    assert (guard["value"], guard["limit"], guard["distance"], guard["passes"]) == ("5001", "5000", "-1", False)


def test_dry_run__lagoon_beyond_its_guardrails__is_the_councils(bench: Bench) -> None:
    here = with_peer(bench, "lagoon")
    bench.do(here.mint("USDC", here.variables["LAGOON_SAFE"], 90_000 * 10**6))
    told = refusal(
        post(bench, "lagoon"), "guardrails", "security_council", "securityCouncilUpdateTotalAssets(4100000000000)"
    )
    assert int(told["verdict"]["guards"][0]["distance"]) < 0


def test_dry_run__mellow_between_its_bands__is_suspicious_and_left_to_people(bench: Bench) -> None:
    here = with_peer(bench, "mellow")
    bench.do(here.mint("USDC", here.variables["MELLOW_SUBVAULT"], 200_000 * 10**6))
    refusal(post(bench, "mellow"), "suspicious", "ACCEPT_REPORT_ROLE", "")


def test_dry_run__midas_too_early__says_from_when(bench: Bench) -> None:
    here = with_peer(bench, "midas")
    bench.do(here.call(here.variables["MIDAS_FEED"], "setRoundDataSafe(int256)", 10**8, account=POSTER))
    posted = bench.chain.now
    bench.wait(120)  # the keeper's own interval is a minute
    told = refusal(post(bench, "midas"), "too_early", None, "more than an hour")
    assert told["verdict"]["ready_at"] == posted + HOUR + 1 + MARGIN


def test_dry_run__midas_beyond_its_deviation__is_never_sent_by_the_unguarded_call(bench: Bench) -> None:
    here = with_peer(bench, "midas")
    bench.do(here.mint("USDC", here.variables["MIDAS_CUSTODY"], 100_000 * 10**6))
    told = refusal(post(bench, "midas"), "deviation", "feedAdminRole()", "Look at the price")
    assert told["call"]["data"] == call_data("MidasFeed", "setRoundDataSafe", 102_750_000)


@pytest.mark.parametrize(
    ("name", "reason", "role"),
    [
        ("centrifuge", "upper_bound", "pool manager"),
        ("enzyme", "upper_bound", "updater"),
        ("generic", "upper_bound", "owner of the feed"),
        ("ondo", "upper_bound", "DEFAULT_ADMIN_ROLE"),
        ("superstate", "upper_delta", "owner"),
    ],
)
def test_dry_run__generic_beyond_its_bounds__names_guard_role_and_advice(
    bench: Bench, name: str, reason: str, role: str
) -> None:
    here = with_peer(bench, name)
    bench.do(here.mint("USDC", here.variables["HOLDER"], 400_000 * 10**6))
    told = refusal(post(bench, name), reason, role, "")
    assert told["advice"]
    guard = next(guard for guard in told["verdict"]["guards"] if guard["guard"] == reason)
    assert (guard["passes"], int(guard["distance"]) < 0) == (False, True)


def test_dry_run__publisher_that_posts_nothing__names_those_that_do(still: Bench) -> None:
    result = still.cli("post", "--publisher", "veda", "--dry-run", "--json")
    assert (result.code, result.json["error"]["code"]) == (2, "usage")
    assert "registry" in result.json["error"]["advice"]


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(set(EXPECTED) - {"superstate", "veda"}))
def test_live__shipped_example__is_posted_read_back_verified_and_not_posted_again(bench: Bench, name: str) -> None:
    with_peer(bench, name)
    result = post(bench, name, "--live")
    assert result.code == 0, result.out
    told = only(result)
    assert (told["state"], told["read_back"]["accepted"], told["read_back"]["held"]) == ("posted", True, False)
    # Lagoon serves the settled price until the Safe settles; Mellow's is the inverse of what it was told.
    served = {"lagoon": WAD, "mellow": 10**48 // (10**36 // PRICE)}.get(name, PRICE * 10**12)
    assert int(told["read_back"]["price_per_share"]) == served
    assert bench.cli("verify", "--all", "--json", config=config_of(name)).json["verified"] == 1
    (status,) = bench.cli("status", "--json", config=config_of(name)).json["funds"]
    assert status["fund"] == told["fund"]
    bench.wait(120)
    refusal(post(bench, name, "--live"), "unchanged", None, "its heartbeat is not due")


async def mined_at(bench: Bench, transaction: str) -> int:
    """The time of the block of a transaction."""
    receipt = await bench.chain.transactor().receipt(transaction)
    assert receipt is not None
    return (await bench.chain.reader().stamp(receipt.block_number)).timestamp


def rate(bench: Bench, here: PeerWorld, function: str = "getRateSafe()") -> int:
    accountant = Address(here.variables["VEDA_ACCOUNTANT"])
    data = bench.do(bench.chain.reader().call(accountant, encode_call(function)))
    return int(decode_result(("uint256",), data)[0])


def test_live__veda__posts_reads_back_verifies_and_waits_out_its_delay(bench: Bench) -> None:
    here = with_peer(bench, "veda")
    result = post(bench, "veda", "--live")
    assert result.code == 0, result.out
    told = only(result)
    assert (told["state"], told["reason"]) == ("posted", None)
    assert told["read_back"] == {
        "accepted": True,
        "reason": None,
        "role": None,
        "advice": "",
        "price_per_share": str(PRICE * 10**12),
        "nav": str(to_wad("4010000")),
        "valuation_time": bench.do(mined_at(bench, told["transaction"])),
        "held": False,
    }
    assert rate(bench, here) == PRICE
    verified = bench.cli("verify", "--all", "--json", config=config_of("veda"))
    assert verified.code == 0, verified.out
    (proven,) = verified.json["frames"]
    assert (proven["publisher"], int(proven["price_per_share"])) == ("veda", PRICE * 10**12)
    (posted,) = proven["posts"]
    assert (posted["contract"], posted["transaction"]) == (here.variables["VEDA_ACCOUNTANT"], told["transaction"])
    assert "by veda" in bench.cli("verify", "--all", config=config_of("veda")).out
    # Nothing has changed: nothing is sent, whatever the delay.
    bench.wait(60)
    told = refusal(post(bench, "veda", "--live"), "unchanged", None, "its heartbeat is not due")
    bench.do(here.mint("USDC", here.variables["VEDA_VAULT"], 1_000 * 10**6))
    bench.wait(60)
    refusal(post(bench, "veda", "--live"), "too_early", None, "could be stored and pause")
    bench.do(here.settle_down(VEDA_DELAY + MARGIN))
    assert only(post(bench, "veda", "--live"))["state"] == "posted"
    assert rate(bench, here) == PRICE + 250


def test_live__veda_paused_by_somebody_elses_post__is_refused_with_the_recovery_and_goes_on_after_it(
    bench: Bench,
) -> None:
    here = with_peer(bench, "veda")
    accountant = here.variables["VEDA_ACCOUNTANT"]
    assert post(bench, "veda", "--live").code == 0
    # Somebody with the same right posts twice the rate: it is stored, and the accountant pauses on it.
    bench.do(here.call(accountant, "updateExchangeRate(uint96)", 2 * PRICE, account=POSTER))
    assert rate(bench, here, "getRate()") == 2 * PRICE
    bench.do(here.settle_down(VEDA_DELAY + MARGIN))
    before = bench.nonces()
    told = refusal(post(bench, "veda", "--live"), "paused", "owner", "updateLower(5000), calls unpause()")
    assert (told["state"], told["reason"]) == ("skipped", "veda:paused")
    assert bench.nonces() == before
    # The owner does it in that order.
    bench.do(here.call(accountant, "updateLower(uint16)", 5_000, account=OWNER))
    bench.do(here.call(accountant, "unpause()", account=OWNER))
    bench.do(here.settle_down(VEDA_DELAY + MARGIN))
    result = post(bench, "veda", "--live")
    assert (result.code, only(result)["state"]) == (0, "posted"), result.out
    assert rate(bench, here) == PRICE


def test_live__superstate_valued_at_the_newest_block__waits_until_its_time_lies_in_the_past(bench: Bench) -> None:
    here = with_peer(bench, "superstate")
    valued_at = bench.chain.now
    told = refusal(post(bench, "superstate"), "too_early", None, "sent once that is over")
    assert told["verdict"]["ready_at"] == valued_at + 1 + MARGIN
    result = post(bench, "superstate", "--live")
    assert (result.code, only(result)["state"]) == (0, "posted"), result.out
    oracle = Address(here.variables["SUPERSTATE_ORACLE"])
    data = bench.do(bench.chain.reader().call(oracle, encode_call("checkpoints(uint256)", 2)))
    assert decode_result(("uint64", "uint64", "uint128"), data) == (valued_at, valued_at + 600, PRICE)


def test_live__lagoon__is_accepted_and_the_safes_turn(bench: Bench) -> None:
    with_peer(bench, "lagoon")
    result = post(bench, "lagoon", "--live")
    assert result.code == 0, result.out
    told = only(result)
    assert (told["state"], told["reason"]) == ("posted", "lagoon:unsettled")
    assert (told["read_back"]["accepted"], told["read_back"]["role"]) == (True, "safe")
    assert f"settleDeposit({4_010_000 * 10**6})" in told["read_back"]["advice"]
