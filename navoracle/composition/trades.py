"""Which transfers say that a fund trades: from the resolved position readers, and the watch over each chain's logs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, Final

import structlog

from navoracle.abi import decode_uint256, encode_call
from navoracle.chain.log_watch import LogWatch, LogWatchState, LogWatchStatus
from navoracle.chain.reader import Web3ChainReader
from navoracle.domain.errors import ChainError
from navoracle.domain.positions import LIABILITIES
from navoracle.domain.units import MAX_DECIMALS, WAD, Bps, Wad
from navoracle.keeper.planner import Subject
from navoracle.keeper.trades import SeenTrade, TokenRate, TradeSubject, TradeWatch
from navoracle.ports import Address, Answer, Call, ChainReader, Scrutiny
from navoracle.positions import (
    AaveRewards,
    AaveV3Position,
    CompoundV3Position,
    Erc20Position,
    Erc4626Position,
    Erc7540Requests,
    LidoWithdrawals,
    MerklRewards,
    MorphoBluePosition,
    PendleLpPosition,
    PendleSyPosition,
    PendleYtPosition,
    SusdeCooldown,
    UniswapV3Position,
)
from navoracle.positions.lido_withdrawals import DECIMALS as ETHER_DECIMALS
from navoracle.positions.pendle.lp import LP_DECIMALS
from navoracle.positions.pendle.sy import EXCHANGE_RATE
from navoracle.readers import DECIMALS, resolved_decimals

CONVERT: Final = "convertToAssets(uint256)"
_WORD: Final = 32
_RATE_ADVICE: Final = (
    "Check the contract and the chain's endpoints: while its rate was never read, every transfer of the token asks for "
    "an emergency."
)


def trade_watches(
    subject: Subject,
    readers: Mapping[str, Web3ChainReader],
    *,
    price: Callable[[str], Wad | None],
    nav: Callable[[str], Wad | None],
    on_trade: Callable[[SeenTrade], None],
    limit_bps: Bps = Bps(1_000),
    poll_seconds: float = 2.0,
) -> tuple[tuple[TradeWatch, LogWatch], ...]:
    """A watch for each chain on which a fund holds tokens, with the source of its logs, whose `status` may be shown.

    Args:
        subject: with resolved readers.
        readers: of each chain by name; their nodes are asked for logs.
        price, nav, on_trade, limit_bps: as `TradeWatch` takes them.
        poll_seconds: between two looks at a chain's head while nothing is subscribed.
    """
    subjects = trade_subjects(subject)
    watches = []
    for chain in sorted({each.chain for each in subjects}):
        source = LogWatch(readers[chain].pool, poll_seconds=poll_seconds, on_event=log_watch_event)
        shares = [reader for fund in subject.funds.values() for reader in fund.positions if reader.chain == chain]
        vaults = list(dict.fromkeys(each.vault for each in shares if isinstance(each, Erc4626Position)))
        yields = list(dict.fromkeys(each.sy for each in shares if isinstance(each, PendleSyPosition)))
        rates = partial(read_rates, readers[chain], vaults, yields)
        watch = TradeWatch(
            source, subjects, price=price, nav=nav, on_trade=on_trade, limit_bps=limit_bps, read_rates=rates
        )
        watches.append((watch, source))
    return tuple(watches)


def trade_subjects(subject: Subject) -> tuple[TradeSubject, ...]:
    """What to watch for each fund: one subject for each token and holder. Raises ConfigurationError: not resolved.

    Not seen: native coins, NFTs, moves inside a market on behalf of an account whose own tokens stay where they are,
    and everything off chain. The fund's own shares are not watched: minting and burning them trades nothing.
    """
    found: dict[tuple[str, str, str, str], TradeSubject] = {}
    for name, fund in sorted(subject.funds.items()):
        for reader in fund.positions:
            for each in _subjects(name, reader):
                found.setdefault((each.fund, each.chain, each.token.lower(), each.holder.lower()), each)
    return tuple(found.values())


def _subjects(fund: str, reader: Any) -> Iterator[TradeSubject]:
    """What one position reader's fund trades in."""
    match reader:
        case Erc20Position():
            make = _maker(fund, reader.chain, reader.holder)
            owed = reader.component in LIABILITIES
            yield make(reader.token, reader.asset, resolved_decimals(reader, reader.decimals), owed=owed)
        case Erc4626Position():
            make = _maker(fund, reader.chain, reader.holder)
            decimals = resolved_decimals(reader, reader.underlying_decimals)
            yield make(reader.vault, reader.asset, decimals, at_rate=True)
        case Erc7540Requests() | SusdeCooldown():
            make = _maker(fund, reader.chain, reader.holder)
            yield make(reader.underlying, reader.asset, resolved_decimals(reader, reader.underlying_decimals))
        case LidoWithdrawals():
            yield _maker(fund, reader.chain, reader.holder)(reader.steth, reader.asset, ETHER_DECIMALS)
        case UniswapV3Position():
            make = _maker(fund, reader.chain, reader.holder)
            yield make(reader.token, reader.asset, resolved_decimals(reader, reader.decimals))
            yield make(reader.other_token, reader.other_asset, resolved_decimals(reader, reader.other_decimals))
        case MerklRewards() | AaveRewards():
            make = _maker(fund, reader.chain, reader.holder)
            for reward, scale in zip(reader.rewards, reader.decimals or (), strict=True):
                if not reward.locked:
                    yield make(reward.token, reward.asset, scale)
        case PendleLpPosition() | PendleYtPosition() | PendleSyPosition():
            yield from _pendle(fund, reader)
        case AaveV3Position() | MorphoBluePosition() | CompoundV3Position():
            yield from _lending(fund, reader)


def _pendle(fund: str, reader: PendleLpPosition | PendleYtPosition | PendleSyPosition) -> Iterator[TradeSubject]:
    """The token itself, and its rewards as they are claimed."""
    make = _maker(fund, reader.chain, reader.holder)
    match reader:
        case PendleLpPosition():
            yield make(reader.market, reader.asset, LP_DECIMALS)
        case PendleYtPosition():
            yield make(reader.yt, reader.asset, resolved_decimals(reader, reader.decimals))
        case PendleSyPosition():
            decimals = resolved_decimals(reader, reader.asset_decimals)
            yield make(reader.sy, reader.asset, decimals, at_rate=True)
    for reward, scale in zip(reader.rewards, reader.reward_decimals or (), strict=True):
        yield make(reward.token, reward.asset, scale)


def _lending(fund: str, reader: AaveV3Position | MorphoBluePosition | CompoundV3Position) -> Iterator[TradeSubject]:
    """Receipts and debts where they are tokens; where they are not, the tokens that go to the market and come back."""
    make = _maker(fund, reader.chain, reader.account)
    match reader:
        case AaveV3Position():
            for reserve, tokens in zip(reader.reserves, reader.tokens or (), strict=True):
                yield make(tokens.a_token, reserve.asset, tokens.decimals)
                for debt in tokens.debt_tokens:
                    yield make(debt, reserve.asset, tokens.decimals, owed=True)
        case MorphoBluePosition():
            terms = reader.terms
            scale = resolved_decimals(reader, None if terms is None else terms.loan_decimals)
            yield make(reader.loan.token, reader.loan.asset, scale)
            if reader.collateral is not None:
                scale = resolved_decimals(reader, None if terms is None else terms.collateral_decimals)
                yield make(reader.collateral.token, reader.collateral.asset, scale)
        case CompoundV3Position():
            scales = iter(() if reader.market is None else reader.market.decimals)
            base = resolved_decimals(reader, next(scales, None))
            yield make(reader.comet, reader.base.asset, base)
            yield make(reader.base.token, reader.base.asset, base)
            for pledged in reader.collateral:
                yield make(pledged.token, pledged.asset, resolved_decimals(reader, next(scales, None)))
            if reader.rewards is not None:
                scale = resolved_decimals(reader, next(scales, None))
                yield make(reader.rewards.token, reader.rewards.asset, scale)


def _maker(fund: str, chain: str, holder: Address) -> Callable[..., TradeSubject]:
    def make(token: Address, asset: str, decimals: int, *, owed: bool = False, at_rate: bool = False) -> TradeSubject:
        return TradeSubject(fund, chain, holder, token, asset, decimals, owed, at_rate)

    return make


async def read_rates(
    reader: ChainReader, vaults: Sequence[Address], yields: Sequence[Address]
) -> dict[Address, TokenRate]:
    """What raw shares of vaults (ERC-4626) and Pendle SY tokens convert to, rounded up.

    One node is asked, as for the logs. What cannot be read is logged and left out: nothing is raised.
    """
    found: dict[Address, TokenRate] = {}
    try:
        stamp = await reader.stamp()
        first = [Call(vault, DECIMALS) for vault in vaults] + [Call(sy, EXCHANGE_RATE) for sy in yields]
        answers = await reader.read(first, stamp, Scrutiny.ONE)
        scales = {vault: 10**decimals for vault, decimals in _numbers(vaults, answers) if decimals <= MAX_DECIMALS}
        found |= {sy: (rate + 1, WAD) for sy, rate in _numbers(yields, answers[len(vaults) :])}
        second = [Call(vault, encode_call(CONVERT, unit)) for vault, unit in scales.items()]
        worths = await reader.read(second, stamp, Scrutiny.ONE)
        # Rounded down by the vault, hence one more.
        found |= {vault: (worth + 1, scales[vault]) for vault, worth in _numbers(list(scales), worths)}
    except ChainError as error:
        structlog.get_logger("navoracle.trades").warning("rates_unread", error=error.message, advice=error.advice)
    for token in (token for token in (*vaults, *yields) if token not in found):
        structlog.get_logger("navoracle.trades").warning("rate_unread", token=token, advice=_RATE_ADVICE)
    return found


def _numbers(tokens: Sequence[Address], answers: Sequence[Answer]) -> Iterator[tuple[Address, int]]:
    """The answers that are numbers."""
    for token, answer in zip(tokens, answers, strict=False):
        if answer.failure is None and len(answer.data) >= _WORD:
            yield token, decode_uint256(answer.data)


def log_watch_event(status: LogWatchStatus) -> None:
    """Tell the operator how the logs of a chain are found now, and what to do."""
    log = structlog.get_logger("navoracle.trades")
    fields = {"chain": status.chain, "state": status.state.value, "node": status.node}
    if status.state is LogWatchState.BLIND:
        log.error("log_watch", **fields, detail=status.detail, advice=status.advice)
    elif status.detail:
        log.warning("log_watch", **fields, detail=status.detail, advice=status.advice)
    else:
        log.info("log_watch", **fields)
