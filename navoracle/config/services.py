"""The sections of services off chain, and what readers say of services held against them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal, get_args

from pydantic import Field, SecretStr, field_validator

from navoracle.config.base import Section
from navoracle.redaction import is_secret_name

if TYPE_CHECKING:
    from navoracle.config.models import Config

ExchangeCredential = Literal[
    "apiKey", "secret", "password", "uid", "login", "token", "twofa", "accountId", "walletAddress", "privateKey"
]
"""The fields in which ccxt takes what opens an account."""


class CredentialSection(Section):
    """A header that opens an HTTP service.

    Attributes:
        header: the header's name.
        value: its value, out of the environment.
    """

    header: Annotated[str, Field(pattern=r"^[A-Za-z0-9-]+$")]
    value: SecretStr

    @field_validator("value")
    @classmethod
    def _sendable(cls, value: SecretStr) -> SecretStr:
        text = value.get_secret_value()
        if not text or text != text.strip() or not text.isprintable():
            raise ValueError("it is empty, or holds white space at an end or a line break: is the variable set right?")
        return value


class HttpSection(Section):
    """How HTTP services are asked.

    Attributes:
        deadline: seconds for a whole request.
        concurrency: requests to one host at once.
        per_second: requests to one host in a second.
    """

    deadline: Annotated[int, Field(gt=0, le=120)] = 10
    concurrency: Annotated[int, Field(gt=0, le=64)] = 4
    per_second: Annotated[int, Field(gt=0, le=100)] = 5


class ExchangeSection(Section):
    """An exchange, through the extra `exchanges`.

    Attributes:
        id: ccxt's name of the exchange.
        credentials: the fields that it wants (`apiKey`, `secret`, ...), out of the environment; keys that may only
            read.
        options: ccxt's options.
        sandbox: whether its test network is asked.
        deadline: seconds for a whole question, with all its requests.
    """

    id: Annotated[str, Field(pattern="^[a-z0-9]+$")]
    credentials: dict[ExchangeCredential, SecretStr] = Field(default_factory=dict)
    options: dict[str, str | int | bool] = Field(default_factory=dict)
    sandbox: bool = False
    deadline: Annotated[int, Field(gt=0, le=600)] = 30

    @field_validator("options")
    @classmethod
    def _without_secrets(cls, options: dict[str, str | int | bool]) -> dict[str, str | int | bool]:
        for name in options:
            if name in get_args(ExchangeCredential) or is_secret_name(name):
                raise ValueError(f"{name} opens the account, and options are shown: move it to `credentials`")
        return options


def service_problems(config: Config) -> list[str]:
    """Credentials and exchanges that readers name and nobody configured, and prices in another currency than said."""
    sources: list[tuple[str, Any]] = [
        (f"assets.{symbol}.sources.{index}", source)
        for symbol, asset in config.assets.items()
        for index, source in enumerate(asset.sources)
    ]
    positions: list[tuple[str, Any]] = [
        (f"funds.{name}.positions.{index}", position)
        for name, fund in config.funds.items()
        for index, position in enumerate(fund.positions)
    ]
    positions += [
        (f"funds.{name}.risk.{section}.{index}.account", account)
        for name, fund in config.funds.items()
        if fund.risk is not None
        for section, index, account in fund.risk.accounts
    ]
    problems: list[str] = []
    for place, source in sources:
        stated = getattr(source, "quote_currency", None)
        meant = config.unit_of_account if source.quoted_in is None else source.quoted_in
        if stated is not None and stated != meant:
            problems.append(f"{place}: its price is in {stated}, not in {meant}: write `quoted_in: {stated}`")
    for place, reader in sources + positions:
        for field, known in (("credential", config.credentials), ("exchange", config.exchanges)):
            named = getattr(reader, field, None)
            if named is not None and named not in known:
                having = f"it has {', '.join(known)}" if known else "there are none"
                remedy = f"add `{field}s: {named}:`, or correct it"
                problems.append(f"{place}.{field}: {named} is not among {field}s ({having}): {remedy}")
    return problems
