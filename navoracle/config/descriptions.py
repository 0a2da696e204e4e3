"""What each setting means, in one sentence: taken from the `Attributes:` of its model's docstring.

The same text is in the JSON schema, where editors show it, and in the reference of the guide.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, Final, get_args

from pydantic import BaseModel

SHARED: Final[Mapping[str, str]] = {
    "id": "its name in frames and messages; only needed where two in one list would have the same",
    "kind": "which of the kinds this is",
    "chain": "the chain that is read, by its name under `chains`",
    "confidence": "how sure its answer is before anything speaks against it, in basis points",
    "decimals": "the token's decimals; read from the chain at the start unless stated",
    "quote_decimals": "the other token's decimals; read from the chain at the start unless stated",
    "component": "what it counts as",
    "holder": "the account whose units count",
    "token": "the token's contract",
    "vault": "the vault's contract",
    "amount": "how many, in whole tokens",
    "epoch": "the settlement epoch whose deposits became this; it then counts only in the NAV after",
}
"""Settings that mean the same wherever a model does not say more."""

_ATTRIBUTES: Final = re.compile(r"^Attributes:\n((?:[ ]+\S.*(?:\n|$)|\n)+)", re.MULTILINE)
_ENTRY: Final = re.compile(r"^ {4}(\w+(?:, \w+)*): ", re.MULTILINE)


def models_of(root: type[BaseModel]) -> tuple[type[BaseModel], ...]:
    """A model and every model that its fields may hold, at any depth; each once, in the order of the fields."""
    found: dict[type[BaseModel], None] = {}
    waiting = [root]
    while waiting:
        model = waiting.pop()
        if model not in found:
            found[model] = None
            inner = [each for field in model.model_fields.values() for each in _models_in(field.annotation)]
            waiting += reversed(inner)
    return tuple(found)


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in get_args(annotation):
        yield from _models_in(part)


def description_of(model: type[BaseModel], name: str) -> str | None:
    """What a field means, without a full stop; None where nobody wrote it down.

    The nearest class that says something of the field counts; then what holds for every model.
    """
    for owner in model.__mro__:
        if issubclass(owner, BaseModel) and (text := _attributes(owner).get(name)) is not None:
            return text
    return SHARED.get(name)


def summary_of(model: type[BaseModel]) -> str:
    """The first paragraph of the model's docstring, as one line."""
    return " ".join(inspect.cleandoc(model.__doc__ or "").split("\n\n")[0].split())


@cache
def _attributes(model: type[BaseModel]) -> Mapping[str, str]:
    """The entries under `Attributes:` of the class's own docstring, by name."""
    section = _ATTRIBUTES.search(inspect.cleandoc(model.__dict__.get("__doc__") or ""))
    if section is None:
        return {}
    names_and_texts = _ENTRY.split(section.group(1))[1:]
    found: dict[str, str] = {}
    for names, text in zip(names_and_texts[::2], names_and_texts[1::2], strict=True):
        for name in names.split(", "):
            found[name] = " ".join(text.split()).removesuffix(".")
    return found
