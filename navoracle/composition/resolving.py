"""What only the chain knows of readers, read once at the start."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Generic, TypeVar

from navoracle.composition.claims import check_claims
from navoracle.domain.errors import (
    ChainError,
    ConfigurationError,
    EndpointsDisagree,
    NoQuorum,
    ReadError,
    SourceDown,
)
from navoracle.domain.units import Timestamp
from navoracle.keeper.collect import read_all
from navoracle.keeper.planner import Subject
from navoracle.keeper.session import Readings
from navoracle.ports import ChainReader, OffChainReader, Read, ReadPoint
from navoracle.readers import ReaderModel

M = TypeVar("M", bound=ReaderModel)

_UNREACHABLE = frozenset({ReadError.code, ChainError.code, EndpointsDisagree.code, NoQuorum.code, SourceDown.code})
"""Failures of the way to a contract rather than of the contract."""


@dataclass(frozen=True, slots=True)
class _Resolving(Generic[M]):
    """A reader's resolution, in the shape of a reader, so that all are resolved in one batch."""

    reader: M

    @property
    def id(self) -> str:
        return self.reader.id

    @property
    def chain(self) -> str | None:
        chain: str | None = getattr(self.reader, "chain", None)
        return chain

    def read(self, at: ReadPoint) -> Read[M]:
        return self.reader.resolve(at)

    def describe(self) -> Mapping[str, object]:
        return self.reader.describe()


async def resolve(
    subject: Subject,
    chains: Mapping[str, ChainReader],
    off_chain: OffChainReader,
    now: Timestamp,
    chain_ids: Mapping[str, int] | None = None,
) -> Subject:
    """Read once what travels with every reader from then on (decimals), all in one batch per chain.

    Args:
        chain_ids: by chain name, so that what is counted twice is found under two names of one chain too.

    Raises:
        ChainError: a chain cannot be read.
        ConfigurationError: a reader cannot be resolved, for example because its address holds no contract; or two
            readers of a fund count the same thing.
    """
    resolved = await _resolved(subject, chains, off_chain, now)
    check_claims(resolved.funds.values(), chain_ids or {})
    return resolved


async def _resolved(
    subject: Subject, chains: Mapping[str, ChainReader], off_chain: OffChainReader, now: Timestamp
) -> Subject:
    for reader in _models(subject):
        name = getattr(reader, "chain", None)
        if name is not None and name not in chains and not reader.is_resolved:
            raise ConfigurationError(
                f"chain {name} is not configured", advice=f"Add `chains: {name}:` with its endpoint."
            )
    resolved, readings = await resolve_each(subject, chains, off_chain, now)
    failures = list(readings.failures.values())
    if failures:
        first = failures[0]
        if first.code in _UNREACHABLE:
            raise ChainError(first.message, advice=first.advice)
        more = f" (and {len(failures) - 1} more)" if len(failures) > 1 else ""
        raise ConfigurationError(f"{first.message}{more}", advice=first.advice)
    return resolved


async def resolve_each(
    subject: Subject, chains: Mapping[str, ChainReader], off_chain: OffChainReader, now: Timestamp
) -> tuple[Subject, Readings]:
    """Resolve every reader for itself: the subject with those that could be, and what was read for it.

    Raises:
        ChainError: a chain cannot be read at all.
    """
    waiting = [_Resolving(reader) for reader in _models(subject) if not reader.is_resolved]
    if not waiting:
        return subject, Readings({}, {}, {}, {})
    names = sorted({reader.chain for reader in waiting if reader.chain is not None and reader.chain in chains})
    stamps = [await chains[name].stamp() for name in names]
    readings = await read_all(waiting, stamps, now, chains, off_chain)
    return _with_readers(subject, dict(readings.values)), readings


def _models(subject: Subject) -> list[Any]:
    readers: list[Any] = []
    for asset in subject.assets.values():
        readers += asset.sources
        readers += [rate for rate in (asset.derived, asset.native) if rate is not None]
    for fund in subject.funds.values():
        readers += [*fund.positions, fund.supply, *([] if fund.vault is None else [fund.vault])]
        readers += [] if fund.risk is None else fund.risk.readers
    return readers


def _with_readers(subject: Subject, found: Mapping[str, Any]) -> Subject:
    def pick(reader: Any) -> Any:
        return None if reader is None else found.get(reader.id, reader)

    def pick_all(readers: Iterable[Any]) -> tuple[Any, ...]:
        return tuple(pick(reader) for reader in readers)

    return replace(
        subject,
        assets={
            symbol: replace(
                asset, sources=pick_all(asset.sources), derived=pick(asset.derived), native=pick(asset.native)
            )
            for symbol, asset in subject.assets.items()
        },
        funds={
            name: replace(
                fund,
                positions=pick_all(fund.positions),
                supply=pick(fund.supply),
                vault=pick(fund.vault),
                risk=None
                if fund.risk is None
                else replace(fund.risk, lending=pick_all(fund.risk.lending), margin=pick_all(fund.risk.margin)),
            )
            for name, fund in subject.funds.items()
        },
    )
