"""The guide in docs/ taken apart: its sections, the kinds that they describe, and their snippets as configurations."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final, get_args

import yaml
from eth_utils.address import to_checksum_address
from eth_utils.crypto import keccak
from pydantic import BaseModel

from navoracle.positions import PositionModel, SupplyModel
from navoracle.prices import Rate, Source
from tests.requirements import PROJECT

PLACES: Final[Mapping[tuple[str, str], Any]] = {
    ("sources", "Sources"): Source,
    ("rates", "Rates"): Rate,
    ("positions", "Positions"): PositionModel,
    ("positions", "Supplies"): SupplyModel,
}
"""Where the kinds of each union are described: page and heading."""

PAGES: Final = ("sources", "rates", "positions", "chains", "keys", "requests", "safe", "risk", "gates")

_VARIABLE = re.compile(r"\$\{([A-Z0-9_]+)\}")
_FENCE = re.compile(r"```(\w*)\n(.*?)```", re.DOTALL)
_KIND = re.compile(r"`([a-z0-9_]+)`")
_ASSETS = frozenset({"asset", "other_asset", "interest_asset", "quoted_in", "base"})
"""Settings whose text names an asset."""


@dataclass(frozen=True)
class Section:
    """A third-level section of a page, or what stands before the first one of a second-level section (no kinds)."""

    page: str
    part: str
    kinds: tuple[str, ...]
    text: str

    @property
    def name(self) -> str:
        """How a test calls it."""
        return f"{self.page}-{'-'.join(self.kinds) or self.part}"

    @property
    def prose(self) -> str:
        """The text without its snippets."""
        return _FENCE.sub("", self.text)

    def snippets(self) -> list[Any]:
        """Its YAML, as plain data, variables filled."""
        return [yaml.safe_load(filled(body)) for language, body in _FENCE.findall(self.text) if language == "yaml"]

    def items(self) -> list[dict[str, Any]]:
        """The readers that its snippets show."""
        found: list[dict[str, Any]] = []
        for snippet in self.snippets():
            found += snippet if isinstance(snippet, list) else [snippet]
        return found


def read(name: str) -> str:
    """A document of the project."""
    return (PROJECT / name).read_text(encoding="utf-8")


@cache
def sections(page: str) -> tuple[Section, ...]:
    """The sections of a page of the guide."""
    found: list[Section] = []
    for part in re.split(r"^## ", read(f"docs/{page}.md"), flags=re.MULTILINE):
        head, *others = re.split(r"^### ", part, flags=re.MULTILINE)
        title, _, text = head.partition("\n")
        found.append(Section(page, title, (), text))
        for other in others:
            heading, _, body = other.partition("\n")
            found.append(Section(page, title, tuple(_KIND.findall(heading)), body))
    return tuple(found)


def described(place: tuple[str, str]) -> list[Section]:
    """The sections that describe the kinds of one union."""
    page, part = place
    return [section for section in sections(page) if section.part == part and section.kinds]


def models_of(union: Any) -> dict[str, type[BaseModel]]:
    """A union's models by their kind."""
    models = get_args(get_args(union)[0])
    return {get_args(model.model_fields["kind"].annotation)[0]: model for model in models}


def filled(text: str) -> str:
    """Text with every `${NAME}` replaced by something of the right shape, the same for the same name."""
    return _VARIABLE.sub(lambda match: _stand_in(match.group(1)), text)


def _stand_in(name: str) -> str:
    digest = keccak(text=name)
    if name.endswith("_RPC") or name == "OWN_NODE":
        return f"https://{name.lower().replace('_', '-')}.example/key"
    if name.endswith("_ID"):
        return "0x" + digest.hex()
    if name.endswith(("_KEY", "_SECRET", "_PASSPHRASE")):
        return digest.hex()
    return to_checksum_address(digest[:20])


def configuration(section: Section) -> dict[str, Any]:
    """The least configuration that holds a section's readers: one asset or fund, and everything that they refer to."""
    items = section.items()
    assets: dict[str, Any] = {name: _recorded(name) for name in _named(items, _ASSETS)}
    fund: dict[str, Any] = {
        "id": 1,
        "supply": {"kind": "fixed", "shares": "1"},
        "positions": [{"kind": "declared", "asset": "USD", "component": "cash", "amount": "1"}],
    }
    if section.part == "Sources":
        assets["SHOWN"] = {"min_sources": 1, "sources": items}
    elif section.part == "Rates":
        assets |= {f"SHOWN{index}": {"derived": item} for index, item in enumerate(items)}
    elif section.part == "Positions":
        fund["positions"] = items
    else:
        (fund["supply"],) = items
    top: dict[str, Any] = {}
    if section.kinds == ("fund_vault",):
        # A fund's own vault is also where its shares and fees are, on its registry's chain.
        chain, vault = items[0]["chain"], items[0]["vault"]
        supply = {"kind": "erc20", "chain": chain, "token": vault}
        fund |= {"chain": chain, "vault": {"chain": chain, "contract": vault}, "supply": supply}
        top["home_chain"] = chain
    return around({"assets": assets, "funds": {"shown": fund}}, items) | top


def around(shown: Mapping[str, Any], items: object) -> dict[str, Any]:
    """A part of a configuration, and what it refers to elsewhere, as small as can be."""
    whole: dict[str, Any] = {
        "chains": {name: {"chain_id": 1, "rpc": "https://node.example"} for name in _named(items, {"chain"})},
        "credentials": {name: {"header": "x-key", "value": "a"} for name in _named(items, {"credential"})},
        "exchanges": {name: {"id": name} for name in _named(items, {"exchange"})},
        "recorded": {name: {"file": "series.csv"} for name in {"stand-in", *_named(items, {"series", "index"})}},
        "assets": {},
        "funds": {"shown": {"id": 1, "supply": {"kind": "fixed", "shares": "1"}, "positions": [_CASH]}},
    }
    for name, value in shown.items():
        whole[name] = {**whole.get(name, {}), **value}
    named = _named(items, _ASSETS) - whole["assets"].keys()
    whole["assets"] |= {name: _recorded(name) for name in named}
    return whole


_CASH: Final = {"kind": "declared", "asset": "USD", "component": "cash", "amount": "1"}


def _recorded(name: str) -> dict[str, Any]:
    source = {"kind": "recorded", "group": name.lower(), "series": "stand-in", "max_age": 60}
    return {"min_sources": 1, "sources": [source]}


def _named(value: object, settings: frozenset[str] | set[str]) -> set[str]:
    """Every text that one of the settings has, at any depth."""
    return {text for name, text in _texts(value) if name in settings and text != "USD"}


def _texts(value: object) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for name, inner in value.items():
            if isinstance(inner, str):
                yield name, inner
            yield from _texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)
