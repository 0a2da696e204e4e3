"""A first configuration as text: with comments, choices, and `${NAME}` for what only a person can know.

Whatever a contract says of itself reaches the text as a name that was made safe, or within a comment of one line.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import yaml

HEARTBEAT: Final = 3_600
"""Seconds, where nobody says a feed's own: the shortest that is usual. Too short is found out, too long is not."""

_PLAIN: Final = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")
"""What may stand without quotes; what begins with a digit may be a number or a date to YAML."""

_LONGEST_COMMENT: Final = 100

_CONTRACT_FIELDS: Final[Mapping[str, str]] = {"chronicle": "oracle", "api3": "proxy"}
"""What a kind of source calls its contract, where that is not `feed`."""


@dataclass(frozen=True, slots=True)
class Variable:
    """What the environment must say, and what it is; `secret` where it may hold a key."""

    name: str
    meaning: str
    secret: bool = False


@dataclass(frozen=True, slots=True)
class DraftSource:
    """A feed: its address or `${NAME}`, in which group it votes, every how many seconds it answers; kind and remark."""

    group: str
    feed: str
    heartbeat: int = HEARTBEAT
    kind: str = "chainlink"
    remark: str = ""


@dataclass(frozen=True, slots=True)
class DraftItem:
    """A line of settings in the order in which they are given, and a remark."""

    settings: Mapping[str, Any]
    remark: str = ""


@dataclass(frozen=True, slots=True)
class DraftFund:
    """A fund. Posted to the registry of its chain, or to a `publisher`; `vault` is its own FundVault."""

    name: str
    id: int
    supply: str
    positions: Sequence[DraftItem]
    publisher: str | None = None
    vault: str | None = None
    remarks: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Draft:
    """A whole configuration.

    Attributes:
        about: what it was written for, a line each.
        rpcs: the variables of the chain's nodes.
        publishers: sections by name.
        assets: the sources of each asset, by its name.
    """

    about: Sequence[str]
    variables: Sequence[Variable]
    unit: str
    chain: str
    chain_id: int
    rpcs: Sequence[str]
    assets: Mapping[str, Sequence[DraftSource]]
    funds: Sequence[DraftFund]
    publishers: Mapping[str, DraftItem]
    registry: str | None = None
    multicall: str | None = None
    key_file: str | None = None


def safe_name(text: str | None, fallback: str, taken: Collection[str] = ()) -> str:
    """A name for a section out of any text: letters, digits, `-` and `_`, at most 64; numbered where it is taken.

    Args:
        fallback: what is used where the text has nothing of a name; itself a name.
    """
    plain = unicodedata.normalize("NFKD", text or "").encode("ascii", errors="ignore").decode()
    found = re.sub(r"[^A-Za-z0-9_-]+", "-", plain).strip("-_")[:48] or fallback
    return next(name for name in _numbered(found) if name not in taken)


def variable_name(*parts: str, taken: Collection[str] = ()) -> str:
    """A variable's name out of parts, numbered where it is taken; `_` comes before a digit."""
    joined = re.sub(r"[^A-Z0-9]+", "_", "_".join(parts).upper()).strip("_")
    found = f"_{joined}" if joined[:1].isdigit() else joined
    return next(name for name in (each.replace("-", "_") for each in _numbered(found)) if name not in taken)


def render(draft: Draft, schema: str) -> str:
    """The configuration's text.

    Args:
        schema: where editors find the schema, from the file's own folder.
    """
    blocks = [
        _head(draft, schema),
        _top(draft),
        _chain(draft),
        *([_publishers(draft.publishers)] if draft.publishers else []),
        _assets(draft.assets, draft.chain, draft.unit),
        _funds(draft),
    ]
    return "\n\n".join(blocks) + "\n"


def remark(text: str) -> str:
    """Any text on one line of a comment: what cannot be printed is left out, what is too long is cut."""
    printable = "".join(sign if sign.isprintable() else " " for sign in text)
    return printable if len(printable) <= _LONGEST_COMMENT else printable[: _LONGEST_COMMENT - 1] + "…"


def _numbered(name: str) -> Iterator[str]:
    yield name
    number = 1
    while True:
        number += 1
        yield f"{name}-{number}"


def _head(draft: Draft, schema: str) -> str:
    lines = [f"# yaml-language-server: $schema={schema}", "#"]
    lines += [f"# {remark(line)}" for line in draft.about]
    if draft.variables:
        lines += ["#", "# ${NAME} is taken from the environment, or replaced here by its value (secrets are not):", "#"]
        width = max(len(variable.name) for variable in draft.variables)
        lines += [
            f"#   export {variable.name}=...{' ' * (width - len(variable.name))}   {remark(variable.meaning)}"
            for variable in draft.variables
        ]
    lines += [
        "#",
        "#   navoracle check         what is wrong with it, with its place and the remedy",
        "#   navoracle nav           what the funds are worth now; nothing is recorded or sent",
        "#   navoracle post          a dry run; --live records, signs and sends",
    ]
    return "\n".join(lines)


def _top(draft: Draft) -> str:
    return "\n".join(
        [
            "version: 1",
            f"unit_of_account: {_scalar(draft.unit)} # what prices and NAVs are counted in",
            f"home_chain: {_scalar(draft.chain)} # its block's timestamp is the time of every valuation",
            "",
            "store:",
            "  url: sqlite:///navoracle.db # or postgresql+psycopg://..., from a variable: for two keepers",
            "",
            "state_files:",
            "  folder: state # what frames found, as files: pages and tools read them, and status.html needs no server",
        ]
    )


def _chain(draft: Draft) -> str:
    lines = ["chains:", f"  {_scalar(draft.chain)}:", f"    chain_id: {draft.chain_id}"]
    if len(draft.rpcs) == 1:
        lines += [
            f'    rpc: "${{{draft.rpcs[0]}}}"',
            "    # In place of `rpc`, nodes of three operators: two must agree, and one may fail or lie.",
            "    # endpoints:",
            *(f'    #   - {{ url: "${{RPC_URL_{number}}}" }}' for number in (1, 2, 3)),
        ]
    else:
        lines += ["    endpoints: # two operators must agree, unless `quorum` says otherwise"]
        lines += [f'      - {{ url: "${{{name}}}" }}' for name in draft.rpcs]
    lines.append("    confirmations: 2 # value at the block that lies this many behind the newest")
    if draft.multicall is not None:
        lines.append(f"    multicall: {_scalar(draft.multicall)}")
    if draft.registry is not None:
        lines.append(f"    registry: {_scalar(draft.registry)}")
    elif not draft.publishers:
        lines.append(
            '    # registry: "0x..." # `navoracle deploy` makes one; without it funds are valued and not posted'
        )
    if draft.key_file is None:
        lines.append(
            "    # signer: { key_file: poster.key } # the key that posts: 64 hex digits, mode 600; docs/keys.md"
        )
    else:
        lines.append(f"    signer: {{ key_file: {_scalar(draft.key_file)} }} # read only by --live")
    lines.append('    # sequencer: { feed: "0x..." } # on a rollup: the uptime feed of its sequencer')
    return "\n".join(lines)


def _publishers(publishers: Mapping[str, DraftItem]) -> str:
    lines = ["publishers: # contracts of other systems that take the NAV; docs/publishers.md"]
    for name, item in publishers.items():
        lines.append(f"  {_scalar(name)}:")
        lines += _block(item.settings, "    ")
        if item.remark:
            lines.append(f"    # {remark(item.remark)}")
    return "\n".join(lines)


def _assets(assets: Mapping[str, Sequence[DraftSource]], chain: str, unit: str) -> str:
    if not assets:
        return f"assets: {{}} # the only asset is {remark(unit)}, the unit of account itself"
    lines = [
        "# One vote per group; two groups must remain, or there is no live price: three bear the loss of one.",
        "# `heartbeat` is what a feed's operator promises: an older answer is stale. `deviation_bps` takes confidence.",
        "# Other kinds: pyth, redstone, chronicle, api3, uniswap_v3, curve, exchange, ...; docs/sources.md.",
        "assets:",
    ]
    for name, sources in assets.items():
        lines += [f"  {_scalar(name)}:", "    min_sources: 2", "    sources:"]
        for source in sources:
            if source.remark:
                lines.append(f"      # {remark(source.remark)}")
            contract = _CONTRACT_FIELDS.get(source.kind, "feed")
            settings = {"kind": source.kind, "group": source.group, "chain": chain, contract: source.feed}
            lines.append(f"      - {_flow({**settings, 'heartbeat': source.heartbeat})}")
    return "\n".join(lines)


def _funds(draft: Draft) -> str:
    lines = [
        "# Under `positions`, everything that a fund holds or owes, each once; what is left out is not in its NAV.",
        "# Kinds: erc20, native, erc4626, aave_v3, morpho_blue, uniswap_v3, exchange_balance, ...; docs/positions.md.",
        "funds:",
    ]
    for fund in draft.funds:
        lines.append(f"  {_scalar(fund.name)}:")
        lines += [f"    # {remark(text)}" for text in fund.remarks]
        posted = draft.registry is not None and fund.publisher is None
        lines.append(f"    id: {fund.id}" + (" # on the registry" if posted else ""))
        if fund.publisher is None:
            lines.append(f"    chain: {_scalar(draft.chain)} # where it is posted")
        else:
            lines.append(f"    publisher: {_scalar(fund.publisher)} # where it is posted")
        if fund.vault is not None:
            lines.append(f"    vault: {_flow({'chain': draft.chain, 'contract': fund.vault})}")
        lines.append(f"    supply: {_flow({'kind': 'erc20', 'chain': draft.chain, 'token': fund.supply})}")
        lines.append("    positions:")
        for item in fund.positions:
            first, *others = _block(item.settings, "        ")
            told = f" # {remark(item.remark)}" if item.remark else ""
            lines += [f"      - {first.strip()}{told}", *others]
        if fund.vault is None and fund.publisher is None:
            lines.append('    # fees: { management_rate: "0.01", performance_rate: "0.10" } # a year; of the gain')
        lines.append("    # guards: { max_change_bps: 3000 } # a larger change of the price per share is not posted")
    return "\n".join(lines)


def _block(settings: Mapping[str, Any], indent: str) -> list[str]:
    lines = []
    for key, value in settings.items():
        if isinstance(value, list):
            lines.append(f"{indent}{key}:")
            lines += [f"{indent}  - {_flow(item)}" for item in value]
        else:
            lines.append(f"{indent}{key}: {_scalar(value)}")
    return lines


def _flow(settings: Mapping[str, Any]) -> str:
    return "{ " + ", ".join(f"{key}: {_scalar(value)}" for key, value in settings.items()) + " }"


def _scalar(value: bool | int | str) -> str:
    """A value as YAML reads it back: a name that is no number, date or truth value to YAML stands without quotes."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if _PLAIN.fullmatch(value) and yaml.safe_load(value) == value:
        return value
    return json.dumps(value)
