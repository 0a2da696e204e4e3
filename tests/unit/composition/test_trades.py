"""What is watched for trades: each position kind's tokens at their holders, at the right scale and side."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import TypeAdapter
from structlog.testing import capture_logs

from navoracle.chain.log_watch import LogWatchState, LogWatchStatus
from navoracle.composition.trades import log_watch_event, read_rates, trade_subjects
from navoracle.domain.errors import ChainError, ConfigurationError
from navoracle.domain.fees import FeeTerms
from navoracle.domain.frame import BlockStamp
from navoracle.domain.guard_policy import GuardPolicy
from navoracle.domain.units import WAD
from navoracle.keeper.plan import FundPlan
from navoracle.keeper.planner import Subject
from navoracle.keeper.trades import TradeSubject
from navoracle.positions import Erc20Supply, PositionModel
from navoracle.testing import FakeChain, block_stamp
from tests.unit.addresses import address

MODEL: TypeAdapter[Any] = TypeAdapter(PositionModel)
HOLDER, T1, T2, T3, T4, SHARES = (address(number) for number in (0xB0, 0xA1, 0xA2, 0xA3, 0xA4, 0xEE))
MARKET = "0x" + "12" * 32


def position(kind: str, **fields: Any) -> Any:
    return MODEL.validate_python({"kind": kind, "id": f"f.{kind}", "chain": "home", **fields})


def held(kind: str, **fields: Any) -> Any:
    return position(kind, holder=HOLDER, **{"asset": "A", **fields})


def subject(*positions: Any, **more: tuple[Any, ...]) -> Subject:
    supply = Erc20Supply(kind="erc20", id="f.supply", chain="home", token=SHARES, decimals=18)
    funds = {"f": positions, **more}
    plans = {
        name: FundPlan(name, number, None, tuple(found), supply, FeeTerms(), GuardPolicy())
        for number, (name, found) in enumerate(funds.items())
    }
    return Subject("USD", "home", {}, plans)


def watched(token: str, asset: str, decimals: int, **more: bool) -> TradeSubject:
    return TradeSubject("f", "home", HOLDER, token, asset, decimals, **more)  # type: ignore[arg-type]


CASES: list[tuple[Any, list[TradeSubject]]] = [
    (held("erc20", component="cash", token=T1, decimals=6), [watched(T1, "A", 6)]),
    (held("erc20", component="debt", token=T1, decimals=6), [watched(T1, "A", 6, owed=True)]),
    (held("native", component="cash"), []),
    (
        held("erc4626", component="collateral", vault=T1, underlying=T2, underlying_decimals=6),
        [watched(T1, "A", 6, at_rate=True)],
    ),
    (held("erc7540", vault=T1, underlying=T2, underlying_decimals=6), [watched(T2, "A", 6)]),
    (held("susde_cooldown", vault=T1, underlying=T2, underlying_decimals=18), [watched(T2, "A", 18)]),
    (held("lido_withdrawals", queue=T1, steth=T2), [watched(T2, "A", 18)]),
    # Requests and claims are no trades, and what leaves for the custodian arrives in a position of its own.
    (position("fund_vault", asset="A", vault=T1, underlying=T2, decimals=[6]), []),
    (held("weeth_withdrawals", nft=T1, liquidity_pool=T2, token_ids=[1]), []),
    (
        held(
            "uniswap_v3",
            component="collateral",
            manager=T1,
            token_id=1,
            token=T2,
            other_token=T3,
            other_asset="B",
            pool=T4,
            tick_lower=-10,
            tick_upper=10,
            decimals=6,
            other_decimals=18,
        ),
        [watched(T2, "A", 6), watched(T3, "B", 18)],
    ),
    (
        position(
            "merkl",
            holder=HOLDER,
            distributor=T1,
            rewards=[{"asset": "A", "token": T2}, {"asset": "B", "token": T3, "locked": True}],
            decimals=[6, 18],
        ),
        [watched(T2, "A", 6)],
    ),
    (
        position(
            "aave_rewards",
            holder=HOLDER,
            controller=T1,
            earning=[T4],
            rewards=[{"asset": "A", "token": T2, "strategy": T3}],
            decimals=[6],
        ),
        [watched(T2, "A", 6)],
    ),
    (
        position(
            "aave_v3",
            account=HOLDER,
            pool=T1,
            reserves=[{"asset": "A", "token": T2}],
            tokens=[
                {
                    "reserve_id": 0,
                    "decimals": 6,
                    "a_token": T3,
                    "variable_debt_token": T4,
                    "stable_debt_token": SHARES,
                }
            ],
        ),
        [watched(T3, "A", 6), watched(T4, "A", 6, owed=True), watched(SHARES, "A", 6, owed=True)],
    ),
    (
        position(
            "morpho_blue",
            account=HOLDER,
            morpho=T1,
            market=MARKET,
            loan={"asset": "A", "token": T2},
            collateral={"asset": "B", "token": T3},
            terms={"oracle": None, "irm": None, "lltv": 1, "loan_decimals": 6, "collateral_decimals": 18},
        ),
        [watched(T2, "A", 6), watched(T3, "B", 18)],
    ),
    (
        position(
            "compound_v3",
            account=HOLDER,
            comet=T1,
            base={"asset": "A", "token": T2},
            collateral=[{"asset": "B", "token": T3}],
            rewards={"asset": "C", "token": T4, "contract": SHARES},
            market={"listed": [T3], "decimals": [6, 8, 18]},
        ),
        [watched(T1, "A", 6), watched(T2, "A", 6), watched(T3, "B", 8), watched(T4, "C", 18)],
    ),
    (
        held("pendle_lp", market=T1, rewards=[{"asset": "B", "token": T2}], reward_decimals=[6]),
        [watched(T1, "A", 18), watched(T2, "B", 6)],
    ),
    (
        held("pendle_yt", yt=T1, sy=T2, base_token=T3, interest_asset="B", decimals=6, reward_decimals=[]),
        [watched(T1, "A", 6)],
    ),
    (
        held("pendle_sy", sy=T1, base_token=T2, asset_decimals=6, reward_decimals=[]),
        [watched(T1, "A", 6, at_rate=True)],
    ),
    (MODEL.validate_python({"kind": "declared", "id": "f.d", "asset": "A", "component": "cash", "amount": "1"}), []),
]


@pytest.mark.parametrize(("reader", "expected"), CASES, ids=[f"{n} {case[0].kind}" for n, case in enumerate(CASES)])
def test_trade_subjects__position__is_watched_by_its_tokens(reader: Any, expected: list[TradeSubject]) -> None:
    assert list(trade_subjects(subject(reader))) == expected


def test_trade_subjects__every_kind_of_position__has_been_thought_of() -> None:
    off_chain = {"exchange_balance", "exchange_perpetual", "attested", "recorded_lending"}
    stated = {"declared", "declared_at_cost", "declared_accrual", "declared_margin_call"}
    kinds = {branch.model_fields["kind"].annotation.__args__[0] for branch in PositionModel.__args__[0].__args__}
    assert kinds - off_chain - stated == {case[0].kind for case in CASES} - stated


def test_trade_subjects__same_token_and_holder_twice__is_watched_once_for_each_fund() -> None:
    usdc = held("erc20", component="cash", token=T2, decimals=6)
    cooldown = held("susde_cooldown", vault=T1, underlying=T2, underlying_decimals=6)
    found = trade_subjects(subject(usdc, cooldown, g=(usdc,)))
    assert [(each.fund, each.token) for each in found] == [("f", T2), ("g", T2)]


def test_trade_subjects__own_shares__are_not_watched() -> None:
    assert SHARES not in [each.token for each in trade_subjects(subject(CASES[0][0]))]


@pytest.mark.parametrize(
    "reader",
    [
        held("erc20", component="cash", token=T1),
        held("erc4626", component="cash", vault=T1, underlying=T2),
        position("compound_v3", account=HOLDER, comet=T1, base={"asset": "A", "token": T2}),
        position(
            "morpho_blue", account=HOLDER, morpho=T1, market=MARKET, loan={"asset": "A", "token": T2}, collateral=None
        ),
        held("pendle_sy", sy=T1, base_token=T2),
    ],
)
def test_trade_subjects__not_resolved__is_refused(reader: Any) -> None:
    with pytest.raises(ConfigurationError, match="not resolved"):
        trade_subjects(subject(reader))


# ---- rates


async def test_read_rates__vault_and_sy__are_what_they_convert_to_rounded_up() -> None:
    chain = FakeChain(block_stamp(1, chain="home"))
    chain.put(T1, "decimals()", [], ["uint8"], 18)
    chain.put(T1, "convertToAssets(uint256)", [WAD], ["uint256"], 1_050_000)
    chain.put(T2, "exchangeRate()", [], ["uint256"], 2 * WAD)
    assert await read_rates(chain, [T1], [T2]) == {T1: (1_050_001, WAD), T2: (2 * WAD + 1, WAD)}


async def test_read_rates__one_cannot_be_read__leaves_it_out_and_says_so() -> None:
    chain = FakeChain(block_stamp(1, chain="home"))
    chain.put(T1, "decimals()", [], ["uint8"], 6)
    chain.revert(T1, "convertToAssets(uint256)", 10**6, data=bytes(36))
    chain.put(T3, "decimals()", [], ["uint256"], 77)
    chain.put(T2, "exchangeRate()", [], ["uint256"], WAD)
    with capture_logs() as logs:
        assert await read_rates(chain, [T1, T3], [T2]) == {T2: (WAD + 1, WAD)}
    assert [(log["event"], log["token"]) for log in logs] == [("rate_unread", T1), ("rate_unread", T3)]
    assert all(log["advice"] for log in logs)


async def test_read_rates__chain_cannot_be_read__raises_nothing() -> None:
    class Dead(FakeChain):
        async def stamp(self, number: int | None = None) -> BlockStamp:
            raise ChainError("no node answers", advice="Bring the endpoints back.")

    with capture_logs() as logs:
        assert await read_rates(Dead(block_stamp(1)), [T1], []) == {}
    assert [log["event"] for log in logs] == ["rates_unread", "rate_unread"]


@pytest.mark.parametrize(
    ("state", "detail", "level"),
    [
        (LogWatchState.WEBSOCKET, "", "info"),
        (LogWatchState.POLLING, "", "info"),
        (LogWatchState.POLLING, "the connection was lost", "warning"),
        (LogWatchState.BLIND, "no node answers", "error"),
    ],
)
def test_log_watch_event__state__is_as_loud_as_it_is_bad(state: LogWatchState, detail: str, level: str) -> None:
    with capture_logs() as logs:
        log_watch_event(LogWatchStatus("home", state, None, detail, 1))
    (log,) = logs
    assert (log["log_level"], log["state"]) == (level, state.value)
    assert bool(log.get("advice")) is (level != "info")
