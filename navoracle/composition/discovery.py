"""Finds out what a first configuration has to say: a chain by its nodes, and the contract that somebody names on it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Final

from pydantic import SecretStr, ValidationError

from navoracle.chain.artifacts import artifact
from navoracle.chain.connect import endpoint_at
from navoracle.chain.reader import MULTICALL3, Web3ChainReader
from navoracle.chain.rpc import quantity
from navoracle.composition.discovered import Discovery, NamedFeed, Questions
from navoracle.composition.system import ChainAccess, chain_access
from navoracle.config.chains import ChainSection, EndpointSection
from navoracle.discovery import (
    ELSEWHERE,
    PROBES,
    VAULTS,
    Found,
    FoundFeed,
    Holding,
    Probe,
    RegisteredFund,
    read_feed,
    read_holding,
)
from navoracle.discovery.registry import registered
from navoracle.domain.errors import (
    CallReverted,
    ChainError,
    ConfigurationError,
    EmptyResult,
    MalformedResult,
    SourceRefused,
    UsageError,
)
from navoracle.domain.failures import Failure
from navoracle.domain.frame import BlockStamp
from navoracle.keeper.collect import read_all
from navoracle.keeper.session import Readings
from navoracle.ports import Address, Clock
from navoracle.recorded.reader import RecordedReader

CHAIN_NAMES: Final[Mapping[int, str]] = {
    1: "ethereum",
    10: "optimism",
    56: "bnb",
    100: "gnosis",
    130: "unichain",
    137: "polygon",
    8453: "base",
    42161: "arbitrum",
    43114: "avalanche",
    59144: "linea",
    31337: "home",
}
"""How chains are called where nobody says otherwise."""

_ANY_AGE: Final = 2**40
"""Seconds: what a contract is may be read on a chain that stands still; that it does is for `check` to say."""

_CONTRACTS: Final = {"fund_vault": "FundVault", "nav_registry": "NavRegistry"}

_ANSWERS: Final = frozenset({CallReverted.code, EmptyResult.code, MalformedResult.code, SourceRefused.code})
"""Failures by which a contract says that it is something else; any other is the chain's."""


async def discover(questions: Questions, *, clock: Clock, chains: Mapping[str, ChainAccess] | None = None) -> Discovery:
    """Find out all of it, at the newest block; nothing is sent.

    Args:
        chains: how chains are reached, instead of by the URLs.

    Raises:
        ChainError: no node answers, nodes are of different chains, or there is no Multicall3.
        ConfigurationError: there is no contract at an address, or none of a kind that is known, or a named token or
            feed is none.
        UsageError: what was said does not fit what was found.
    """
    name, access = await _reach(questions, clock, chains)
    owned = name not in (chains or {})
    try:
        return await _discover(questions, name, access.reader, clock)
    finally:
        if owned:
            await access.reader.close()


async def _reach(
    questions: Questions, clock: Clock, chains: Mapping[str, ChainAccess] | None
) -> tuple[str, ChainAccess]:
    for name, access in (chains or {}).items():
        if questions.chain in (None, name):
            return name, access
    chain_id = await _chain_id(questions.rpcs[0])
    name = questions.chain or CHAIN_NAMES.get(chain_id, f"chain-{chain_id}")
    try:
        section = ChainSection(
            chain_id=chain_id,
            endpoints=tuple(EndpointSection(url=SecretStr(url)) for url in questions.rpcs),
            multicall=questions.multicall or Address(MULTICALL3),
            max_head_age=_ANY_AGE,
        )
    except ValidationError as error:
        message = error.errors(include_url=False, include_input=False)[0]["msg"].removeprefix("Value error, ")
        raise UsageError(f"--rpc: {message}", advice="Name each node of the chain once.") from error
    return name, chain_access(name, section, live=False, clock=clock)


async def _chain_id(url: str) -> int:
    endpoint = endpoint_at(url, timeout=20.0)
    try:
        return quantity(await endpoint.request("eth_chainId", []), "chain id")
    finally:
        await endpoint.close()


class _Asker:
    """Puts probes to one chain at one block."""

    def __init__(self, chain: str, reader: Web3ChainReader, stamp: BlockStamp) -> None:
        self._chain = chain
        self._reader = reader
        self._stamp = stamp

    async def ask(self, questions: Mapping[str, Any]) -> Readings:
        """Ask all at once. Raises ChainError: the chain failed, rather than the contract."""
        probes = [Probe(name, self._chain, ask) for name, ask in questions.items()]
        readings = await read_all(
            probes, [self._stamp], self._stamp.timestamp, {self._chain: self._reader}, RecordedReader({})
        )
        for failure in readings.failures.values():
            if failure.code not in _ANSWERS:
                raise ChainError(failure.message, advice=failure.advice)
        return readings

    async def identify(self, address: Address, kinds: Sequence[str]) -> Found | None:
        """What the contract is, of these kinds; None where it is none of them."""
        readings = await self.ask({kind: partial(PROBES[kind], address) for kind in kinds})
        return next((readings.values[kind] for kind in kinds if kind in readings.values), None)


async def _discover(questions: Questions, chain: str, reader: Web3ChainReader, clock: Clock) -> Discovery:
    stamp = await reader.newest()
    asker = _Asker(chain, reader, stamp)
    if not await reader.code(questions.address):
        raise ConfigurationError(
            f"there is no contract at {questions.address} on {chain} (chain id {reader.chain_id})",
            advice="Check the address, and that the node is of its chain.",
        )
    found = await _identified(asker, questions.address, chain)
    await _check_version(reader, found)
    funds = await _funds(asker, found, questions)
    if len(funds) > 1 and questions.holders:
        raise UsageError(
            f"--holder and --token are of one fund, and the registry has {len(funds)}",
            advice=f"Choose one with --fund-id: {', '.join(str(fund.number) for fund, _ in funds)}.",
        )
    return Discovery(
        chain=chain,
        chain_id=reader.chain_id,
        stamp=stamp,
        nodes=max(1, len(questions.rpcs)),
        multicall=questions.multicall,
        found=found,
        funds=funds,
        registry=await _registry(asker, reader, found, questions),
        holdings=await _holdings(asker, questions),
        feeds=await _feeds(asker, questions.feeds),
    )


async def _identified(asker: _Asker, address: Address, chain: str) -> Found:
    # A contract of another system may answer as a token or a feed too, so these are asked first.
    declared = await asker.ask({kind: partial(ask, address) for kind, ask in ELSEWHERE.items()})
    for name in ELSEWHERE:
        if name in declared.values:
            raise ConfigurationError(
                f"the contract at {address} answers as {name}'s: its setter is declared in full",
                advice=f"Copy config/publishers/{name}.yaml, and set the variables that it names.",
            )
    found = await asker.identify(address, tuple(PROBES))
    if found is None:
        raise ConfigurationError(
            f"the contract at {address} on {chain} is none that is known: it answers neither as a vault, a registry, "
            "a token, nor as a contract of another system that takes a NAV",
            advice="Name the vault, its share token or its registry; or start from config/one-fund.yaml, which takes "
            "any fund, and from config/publishers/generic.yaml for a setter of your own.",
        )
    return found


async def _check_version(reader: Web3ChainReader, found: Found) -> None:
    name = _CONTRACTS.get(found.kind)
    if name is not None and not artifact(name).is_code(await reader.code(found.contract)):
        raise ConfigurationError(
            f"{found.contract} answers as a {name}, and its code is not that of this navoracle's",
            advice="Use the navoracle version that it was deployed with, or correct the address.",
        )


async def _funds(asker: _Asker, found: Found, questions: Questions) -> tuple[tuple[RegisteredFund, Found | None], ...]:
    if found.kind != "nav_registry":
        if len(questions.fund_ids) > 1:
            raise UsageError(
                f"--fund-id is given {len(questions.fund_ids)} times, and {found.contract} is one fund",
                advice="Give it once; several are for a registry.",
            )
        return ()
    wanted = found.funds
    if questions.fund_ids:
        named = {fund.number: fund for fund in found.funds}
        missing = [number for number in questions.fund_ids if number not in named]
        more = (await asker.ask({"funds": partial(registered, found.contract, missing)})).values["funds"]
        named |= {fund.number: fund for fund in more}
        wanted = tuple(named[number] for number in dict.fromkeys(questions.fund_ids))
        unknown = [str(fund.number) for fund in wanted if fund.vault is None]
        if unknown:
            raise UsageError(
                f"the registry {found.contract} has no fund {', '.join(unknown)}",
                advice="Correct --fund-id, or let ADMIN register it (registerFund).",
            )
    if not wanted:
        raise ConfigurationError(
            f"the registry {found.contract} has no funds yet",
            advice="Name the fund's vault or share token, and this registry with --registry.",
        )
    return tuple([(fund, None if fund.vault is None else await asker.identify(fund.vault, VAULTS)) for fund in wanted])


async def _registry(asker: _Asker, reader: Web3ChainReader, found: Found, questions: Questions) -> Found | None:
    if found.kind == "nav_registry":
        return found
    address = found.registry or questions.registry
    if address is None:
        return None
    if questions.registry not in (None, address):
        raise UsageError(
            f"--registry is {questions.registry}, and {found.contract} settles on {address}",
            advice="Leave --registry out.",
        )
    if found.settings is not None:
        raise UsageError(
            f"{found.contract} takes a NAV itself, and a fund is posted one way only",
            advice="Leave --registry out, or name the fund's share token in place of that contract.",
        )
    registry = await asker.identify(address, ("nav_registry",))
    if registry is None:
        raise ConfigurationError(
            f"{address} does not answer as a NavRegistry", advice="Correct the address; `navoracle deploy` makes one."
        )
    await _check_version(reader, registry)
    return registry


async def _holdings(asker: _Asker, questions: Questions) -> tuple[Holding, ...]:
    pairs = {
        f"--token {token} of --holder {holder}": partial(read_holding, token, holder)
        for holder in questions.holders
        for token in questions.tokens
    }
    return await _all(asker, pairs)


async def _feeds(asker: _Asker, feeds: Sequence[NamedFeed]) -> tuple[tuple[NamedFeed, FoundFeed], ...]:
    named = {f"--feed {feed.asset}:{feed.group}": feed for feed in feeds}
    found = await _all(asker, {flag: partial(read_feed, feed.feed, feed.group) for flag, feed in named.items()})
    return tuple(zip(named.values(), found, strict=True))


async def _all(asker: _Asker, questions: Mapping[str, Any]) -> tuple[Any, ...]:
    readings = await asker.ask(questions)
    failed: Failure | None = next(iter(readings.failures.values()), None)
    if failed is not None:
        raise ConfigurationError(f"{failed.reader}: {failed.message}", advice=failed.advice)
    return tuple(readings.values[flag] for flag in questions)
