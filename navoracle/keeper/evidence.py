"""Evidence: one canonical JSON document per fund and frame, from which anyone can compute the NAV again.

The document holds what went in (plan, prior, blocks, clock, every raw answer) and what came out (quotes, estimates,
valuation, verdicts). Canonical means: keys sorted, no white space, every integer a decimal string, bytes as 0x-hex, so
that equal content is equal bytes. Its hash is the keccak-256 of those bytes.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from typing import Any

from eth_utils.crypto import keccak

from navoracle import __version__
from navoracle.domain.errors import DomainError
from navoracle.domain.frame import EVIDENCE_FORMAT, FundFrame, ReadRecord
from navoracle.domain.prior import FundPrior
from navoracle.keeper.collect import Collected, chains_of, gates_of, readers_of
from navoracle.keeper.plan import AssetPlan, FramePlan, FundPlan, RiskPlan
from navoracle.keeper.pricing import Prices
from navoracle.keeper.session import Readings
from navoracle.ports import Answer, Call, Document, ExchangeCall, HttpGet, NativeBalance, RecordedRow, Request

_NAMES: dict[type, tuple[str, ...]] = {}

Plain = None | bool | str | list["Plain"] | dict[str, "Plain"]


def canonical(value: object) -> bytes:
    """The canonical JSON of anything built of frozen records, mappings, sequences, enums, integers, text and bytes."""
    return json.dumps(plain(value), sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode()


def evidence_hash(document: bytes) -> bytes:
    """keccak-256 of a canonical document."""
    return keccak(document)


def plain(value: object) -> Plain:
    """Reduce a value to what canonical JSON can hold: integers become decimal strings, bytes 0x-hex.

    Raises:
        DomainError: a float, or another type that has no exact form.
    """
    # The commonest first, by their exact type: a document has thousands of values, and abstract types are slow to ask.
    kind = type(value)
    if kind is str or kind is int:
        return str(value)
    known = _NAMES.get(kind)
    if known is not None:
        return {name: plain(getattr(value, name)) for name in known}
    if value is None or isinstance(value, bool | str):
        return value
    if isinstance(value, int):
        return str(value)
    if isinstance(value, Enum):
        return plain(value.value)
    if isinstance(value, bytes):
        return "0x" + value.hex()
    if isinstance(value, Mapping):
        return {_key(key): plain(item) for key, item in value.items()}
    names = _names(type(value))
    if names is not None:
        return {name: plain(getattr(value, name)) for name in names}
    if isinstance(value, tuple | list):
        return [plain(item) for item in value]
    raise DomainError(f"{type(value).__name__} has no canonical form", advice="Report this as a defect.")


def _key(key: object) -> str:
    return "/".join(map(str, key)) if isinstance(key, tuple) else str(key)


def _names(kind: type) -> tuple[str, ...] | None:
    """The field names of a record type; None for any other type."""
    known = _NAMES.get(kind)
    if known is None and is_dataclass(kind):
        known = _NAMES[kind] = tuple(field.name for field in fields(kind))
    elif known is None and issubclass(kind, tuple) and hasattr(kind, "_fields"):
        known = _NAMES[kind] = tuple(kind._fields)
    return known


def describe_plan(plan: FramePlan) -> dict[str, Any]:
    """The resolved plan of one fund as plain JSON: `composition.plan_from_evidence` builds it again."""
    fund = plan.funds[0]
    return {
        "slot_time": plan.slot_time,
        "cadence": plan.cadence,
        "unit": plan.unit,
        "home_chain": plan.home_chain,
        "verifies": plan.verifies,
        "assets": {symbol: _describe_asset(asset) for symbol, asset in sorted(plan.assets.items())},
        "fund": _describe_fund(fund),
        "gates": [gate.describe() for gate in gates_of(plan)],
    }


def _describe_asset(asset: AssetPlan) -> dict[str, Any]:
    return {
        "symbol": asset.symbol,
        "policy": asset.policy,
        "sources": [source.describe() for source in asset.sources],
        "derived": None if asset.derived is None else asset.derived.describe(),
        "native": None if asset.native is None else asset.native.describe(),
        "native_band": asset.native_band,
    }


def _describe_fund(fund: FundPlan) -> dict[str, Any]:
    return {
        "fund": fund.fund,
        "fund_id": fund.fund_id,
        "chain": fund.chain,
        "positions": [reader.describe() for reader in fund.positions],
        "supply": fund.supply.describe(),
        "fees": fund.fees,
        "guards": fund.guards,
        "publisher": fund.publisher,
        "base": fund.base,
        "priced_in": fund.priced_in,
        "vault": None if fund.vault is None else fund.vault.describe(),
        "risk": None if fund.risk is None else _describe_risk(fund.risk),
        "gate": fund.gate,
        "reporting": fund.reporting,
    }


def _describe_risk(risk: RiskPlan) -> dict[str, Any]:
    return {
        "policy": risk.policy,
        "lending": [reader.describe() for reader in risk.lending],
        "margin": [reader.describe() for reader in risk.margin],
    }


def fund_document(
    frame_id: str,
    plan: FramePlan,
    collected: Collected,
    prices: Prices,
    found: FundFrame,
    *,
    code_version: str = __version__,
) -> bytes:
    """The canonical evidence of one fund of a frame, whatever its status."""
    own = plan.for_fund(found.fund)
    keys = own.key_closure()
    symbols = {symbol for symbol, _ in keys}
    chains = chains_of(own)
    return canonical(
        {
            "format": EVIDENCE_FORMAT,
            "code_version": code_version,
            "frame": frame_id,
            "clock": collected.clock,
            "now": collected.now,
            "stamps": [stamp for stamp in collected.stamps if stamp.chain in chains],
            "plan": describe_plan(own),
            "prior": {
                "prices": own.prior.prices,
                "samples": own.prior.samples,
                "rounds": own.prior.rounds,
                "asset_breakers": own.prior.asset_breakers,
                "fund": own.prior.funds.get(found.fund, FundPrior()),
            },
            "reads": read_records(own, collected.readings),
            "result": {
                "quotes": [quote for quote in prices.quotes if quote.asset in symbols],
                "estimates": {key: estimate for key, estimate in prices.estimates.items() if key in keys},
                "fund": found,
            },
        }
    )


def read_records(plan: FramePlan, readings: Readings) -> list[ReadRecord]:
    """Every answer that the plan's readers were given, each once, sorted."""
    records = {
        asked: record_of(asked[0], asked[1], readings)
        for reader in readers_of(plan)
        for asked in readings.asked.get(reader.id, ())
    }
    return sorted(
        records.values(), key=lambda record: (record.chain or "", record.kind, sorted(record.request.items()))
    )


def record_of(chain: str | None, request: Request, readings: Readings) -> ReadRecord:
    """One request and its raw answer."""
    return record_of_answer(chain, request, readings.answers[chain, request])


def record_of_answer(chain: str | None, request: Request, answer: Answer) -> ReadRecord:
    """A request and its raw answer, as they are kept."""
    kind, described = describe_request(request)
    return ReadRecord(
        chain=chain,
        kind=kind,
        request=described if answer.failure is None else {**described, "failure": answer.failure},
        ok=answer.failure is None,
        data="0x" + answer.data.hex(),
    )


def describe_request(request: Request) -> tuple[str, dict[str, str]]:
    """A request as its kind and plain fields."""
    match request:
        case Call(target, data, direct, sender):
            described = {"target": target, "data": "0x" + data.hex()}
            if direct:
                described["direct"] = "true"
            if sender is not None:
                described["sender"] = sender
            return "call", described
        case NativeBalance(account):
            return "native_balance", {"account": account}
        case RecordedRow(series):
            return "recorded_row", {"series": series}
        case Document(path):
            return "document", {"path": path}
        case HttpGet(url, credential):
            return "http_get", {"url": url} if credential is None else {"url": url, "credential": credential}
        case ExchangeCall(exchange, method, argument, look):
            return "exchange", {"exchange": exchange, "method": method, "argument": argument, "look": str(look)}
