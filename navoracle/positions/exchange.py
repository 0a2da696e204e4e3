"""Balances of an exchange account, through ccxt's unified balance, read twice: an exchange proves nothing.

What is missing is not zero. ccxt leaves a total empty where an exchange states only a part of it, and lists what was
borrowed apart from the total.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Final, Literal, NamedTuple, Self

from pydantic import BaseModel, Field, model_validator

from navoracle.domain.errors import SourceRefused
from navoracle.domain.positions import LIABILITIES, Component, Holding, Position
from navoracle.domain.units import BPS, Bps, RawAmount, Rounding
from navoracle.domain.valuation import PriceKey
from navoracle.ports import ExchangeCall, ExchangeMethod, Read, ReadPoint
from navoracle.positions.base import Basis, Claim
from navoracle.readers import BasisPoints, Name, ReaderModel
from navoracle.services import decimal_of, decode_object, json_object

PLACES: Final = 18
"""Decimals to which amounts are held; more are rounded against the fund."""

ACCOUNT_TYPES: Final = ("spot", "margin", "swap", "future", "delivery", "option", "funding", "unified", "linear")
"""What ccxt calls the accounts of an exchange; which of them is the default is the exchange's affair."""

LOOKS: Final = (1, 2)
STATED: Final = Bps(9_000)
"""Confidence in an amount that an exchange states."""

_NO_CURRENCIES: Final = frozenset({"free", "used", "total", "debt", "timestamp", "datetime"})


class Balance(NamedTuple):
    """One currency's balance: `total` before debts, rounded down, and what is owed, rounded up; None is not stated."""

    total: int | None
    debt: int | None
    empty: bool


class Amounts(NamedTuple):
    """One look at one currency, both stated."""

    total: int
    debt: int


class ExchangeCurrency(BaseModel, frozen=True, extra="forbid"):
    """A currency of the account: the exchange's code, the asset that prices it, and its part of the NAV.

    Attributes:
        currency: the exchange's code.
        asset: the configured asset that prices it.
    """

    currency: Name
    asset: Name
    component: Component = Component.CASH

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.component in LIABILITIES:
            raise ValueError(f"{self.component.value} is no component of a balance: debts are counted by themselves")
        return self


class ExchangeAccount(ReaderModel, frozen=True):
    """An account at an exchange.

    Attributes:
        exchange: the configured exchange.
        account: ccxt's account type ("spot", "margin", "swap", ...); the exchange's default where it is empty.
        borrows: the account can borrow, so that a balance must state its debt. A stated debt always counts.
        elsewhere: currencies of the account that another position counts, debts and all.
    """

    exchange: Name
    account: str = ""
    borrows: bool = False
    elsewhere: tuple[Name, ...] = ()

    @property
    def chain(self) -> None:
        """Exchanges are read off chain."""
        return

    def ask(self, method: ExchangeMethod, look: int) -> ExchangeCall:
        """A question about the account."""
        return ExchangeCall(self.exchange, method, self.account, look)

    def claims_of(self, currency: str) -> tuple[Claim, ...]:
        """The account's balance of a currency; an account without a name may be any of the exchange's."""
        accounts = (self.account,) if self.account else ("", *ACCOUNT_TYPES)
        return tuple(Claim(None, self.exchange, account, f"{currency} balance") for account in accounts)

    def decode_balances(self, data: bytes) -> dict[str, Balance]:
        """Every currency that the exchange lists.

        Raises:
            EmptyResult, MalformedResult: the answer is no unified balance.
        """
        body = decode_object(data, self.id)
        return {
            currency: self._balance(currency, json_object(stated, f"{self.id}: {currency}"))
            for currency, stated in body.items()
            if currency not in _NO_CURRENCIES
        }

    def check_debts(self, found: Mapping[str, Balance], counted: Iterable[str]) -> None:
        """Refuse what is owed in a currency that nothing counts: leaving out a debt would be a gain.

        Raises:
            SourceRefused: a debt, or a total below zero; the message names the currencies.
        """
        known = {*counted, *self.elsewhere}
        owing = sorted(
            name
            for name, balance in found.items()
            if name not in known and ((balance.debt is not None and balance.debt > 0) or (balance.total or 0) < 0)
        )
        if owing:
            raise SourceRefused(
                f"{self.id}: the account at {self.exchange} owes {', '.join(owing)}, which nothing here counts",
                advice="Count them with a position of kind exchange_balance; name them in `elsewhere` where one does.",
            )

    def stated(self, currency: str, balance: Balance) -> Amounts:
        """Total and debt of a listed currency.

        Raises:
            SourceRefused: the total is not stated, or the debt of an account that can borrow.
        """
        if balance.total is None:
            raise SourceRefused(
                f"{self.id}: {self.exchange} does not state the total of {currency}",
                advice="A part of a balance is not its whole; try another `account` type.",
            )
        if balance.debt is None and self.borrows:
            raise SourceRefused(
                f"{self.id}: {self.exchange} does not state what is owed of {currency}",
                advice="Try another `account` type; set `borrows: false` only if the account cannot borrow.",
            )
        return Amounts(balance.total, 0 if balance.debt is None else balance.debt)

    def unlisted(self, currency: str) -> SourceRefused:
        """The refusal of an account that does not list a currency at all."""
        return SourceRefused(
            f"{self.id}: {self.exchange} does not list {currency}",
            advice="Check its code and the `account` type. An exchange that leaves out what there is none of needs "
            "`omits_zero: true` (balances only).",
        )

    def _balance(self, currency: str, stated: Mapping[str, Any]) -> Balance:
        def figure(name: str, rounding: Rounding) -> int | None:
            value = stated.get(name)
            return None if value is None else decimal_of(value, PLACES, rounding, f"{self.id}: {currency} {name}")

        total, debt = figure("total", Rounding.DOWN), figure("debt", Rounding.UP)
        figures = (total, debt, figure("free", Rounding.UP), figure("used", Rounding.UP))
        if debt is not None and debt < 0:
            raise SourceRefused(
                f"{self.id}: the debt of {currency} is negative ({stated['debt']})",
                advice="A debt is stated as a positive number; look at what the exchange answers.",
            )
        return Balance(total, debt, empty=total == 0 and not any(figures))


class ExchangeAccountPosition(ExchangeAccount, frozen=True):
    """A position on an exchange.

    Attributes:
        confidence: of what the exchange states.
        epoch: the settlement epoch whose queued deposits it comes from; None for the fund's own.
    """

    confidence: BasisPoints = STATED
    epoch: int | None = Field(default=None, ge=0)

    @property
    def basis(self) -> Basis:
        """Marked at market: an exchange states amounts, not costs."""
        return "market"

    def holding(self, name: str, component: Component, asset: str, amount: int) -> Holding:
        """An amount of 18 places under a name of its own."""
        return Holding(name, component, asset, RawAmount(amount, PLACES), self.epoch, self.confidence)


class ExchangeBalancePosition(ExchangeAccountPosition, frozen=True):
    """All of an account's balances: totals as holdings, what was borrowed as debts.

    Two looks must agree; of totals the lower counts, of debts the higher. Every currency of which the account has
    something must be configured or ignored by name.

    Attributes:
        currencies: what is counted.
        ignore: currencies that are left out on purpose; never what is owed of them.
        agreement_bps: how far two looks at one figure may lie apart, of the larger.
        omits_zero: the exchange leaves out currencies of which there is nothing; without it a missing one is refused.
    """

    kind: Literal["exchange_balance"]
    currencies: Annotated[tuple[ExchangeCurrency, ...], Field(min_length=1)]
    ignore: tuple[Name, ...] = ()
    agreement_bps: BasisPoints = Bps(10)
    omits_zero: bool = False

    @model_validator(mode="after")
    def _check(self) -> Self:
        names = [*(counted.currency for counted in self.currencies), *self.ignore, *self.elsewhere]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(
                f"{', '.join(twice)} stands twice in `currencies`, `ignore` and `elsewhere`: name each currency once"
            )
        return self

    @property
    def claims(self) -> tuple[Claim, ...]:
        """The account's balance of each counted currency."""
        return tuple(claim for counted in self.currencies for claim in self.claims_of(counted.currency))

    @property
    def assets(self) -> tuple[PriceKey, ...]:
        """Each counted asset on both sides: a balance may be owed."""
        return tuple((counted.asset, side) for counted in self.currencies for side in ("asset", "debt"))

    def read(self, at: ReadPoint) -> Read[tuple[Position, ...]]:
        """Read the balances twice, one after the other.

        Raises:
            SourceRefused: a total (or a due debt) is not stated; a currency is missing, or there and not configured;
                the looks disagree.
            EmptyResult, MalformedResult: an answer is no unified balance.
        """
        looks: list[dict[str, Balance]] = []
        for look in LOOKS:
            (data,) = yield (self.ask("fetch_balance", look),)
            looks.append(self.decode_balances(data))
        for found in looks:
            self._check_known(found)
            self.check_debts(found, [counted.currency for counted in self.currencies])
        return tuple(holding for counted in self.currencies for holding in self._holdings(counted, looks))

    def _check_known(self, found: Mapping[str, Balance]) -> None:
        known = {*(counted.currency for counted in self.currencies), *self.ignore, *self.elsewhere}
        strangers = sorted(name for name, balance in found.items() if name not in known and not balance.empty)
        if strangers:
            raise SourceRefused(
                f"{self.id}: {self.exchange} holds {', '.join(strangers)}, which nothing prices",
                advice="Add them to `currencies`, or to `ignore` where they shall not count.",
            )

    def _holdings(self, counted: ExchangeCurrency, looks: Iterable[Mapping[str, Balance]]) -> tuple[Holding, ...]:
        stated = [self._stated(counted.currency, found) for found in looks]
        total = min(self._agreed(f"{counted.currency} total", [found.total for found in stated]))
        debt = max(self._agreed(f"{counted.currency} debt", [found.debt for found in stated]))
        if total < 0 and debt > 0:
            raise SourceRefused(
                f"{self.id}: {counted.currency} has a negative total and a debt beside it",
                advice="The exchange may state the debt twice; look at what it answers before counting either.",
            )
        name = f"{self.id}/{counted.currency}"
        return (
            self.holding(name, counted.component, counted.asset, max(0, total)),
            self.holding(f"{name}-debt", Component.DEBT, counted.asset, max(debt, -total)),
        )

    def _stated(self, currency: str, found: Mapping[str, Balance]) -> Amounts:
        balance = found.get(currency)
        if balance is not None:
            return self.stated(currency, balance)
        if not self.omits_zero:
            raise self.unlisted(currency)
        return Amounts(0, 0)

    def _agreed(self, what: str, figures: list[int]) -> list[int]:
        if not agree(min(figures), max(figures), self.agreement_bps):
            raise SourceRefused(
                f"{self.id}: two looks at {what} are more than {self.agreement_bps} bps apart",
                advice="Read again when nothing moves; widen `agreement_bps` if the account trades all the time.",
            )
        return figures


def agree(one: int, other: int, limit: Bps) -> bool:
    """Whether two figures lie within `limit` of the larger of the two."""
    return abs(one - other) * BPS <= limit * max(abs(one), abs(other))
