"""What a person decides of a first configuration, and its names while it is written: each once, none taken twice."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from navoracle.composition.discovered import Discovery
from navoracle.config.draft import DraftFund, DraftItem, Variable, safe_name, variable_name
from navoracle.discovery import FoundToken

DOLLARS: Final = "USD"

HELD: Final = "holding"
"""How an asset is called of which nothing is known."""


@dataclass(frozen=True, slots=True)
class Wishes:
    """What a person decides.

    Attributes:
        unit: the unit of account; US dollars when None. Where it is named as the vault's asset is, it is that asset.
        fund: the fund's name; its share token's when None.
        fund_id: the number of a fund that no registry has yet.
        key_file: the poster's key.
    """

    unit: str | None = None
    fund: str | None = None
    fund_id: int | None = None
    key_file: str | None = None


@dataclass(slots=True)
class Writing:
    """A draft under way; `itself` is the token that is the unit of account, where there is one."""

    discovery: Discovery
    unit: str
    itself: FoundToken | None
    variables: list[Variable] = field(default_factory=list)
    assets: dict[str, FoundToken | None] = field(default_factory=dict)
    publishers: dict[str, DraftItem] = field(default_factory=dict)
    funds: list[DraftFund] = field(default_factory=list)

    def leave(self, *parts: str, meaning: str, secret: bool = False) -> str:
        """Leave something to the environment; returns `${NAME}`."""
        name = variable_name(*parts, taken=[variable.name for variable in self.variables])
        self.variables.append(Variable(name, meaning, secret))
        return f"${{{name}}}"

    def unknown_asset(self, fund: str) -> str:
        """The name of an asset of which nothing is known but whose it is."""
        name = safe_name(f"{fund}-{HELD}", HELD, [*self.assets, self.unit])
        self.assets[name] = None
        return name

    def asset(self, token: FoundToken) -> str:
        """The name of the asset that prices a token, one for each token."""
        for name, known in self.assets.items():
            if known is not None and known.address == token.address:
                return name
        taken = [*self.assets, *([] if token == self.itself else [self.unit])]
        if token.address is None:
            name = safe_name("ETH", "ETH", taken)
        else:
            name = safe_name(token.symbol, f"token-{token.address[2:8]}", taken)
        self.assets[name] = token
        return name
