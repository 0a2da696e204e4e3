"""A derivatives account at an exchange, looked at twice: its equity and its open positions.

An exchange proves nothing: two looks, one after the other, must find the same positions and agree on the equity.
"""

from __future__ import annotations

from typing import NamedTuple

from navoracle.domain.errors import SourceRefused
from navoracle.domain.units import Bps
from navoracle.ports import Read
from navoracle.positions.exchange import LOOKS, ExchangeAccount, agree
from navoracle.positions.perpetual import Perpetual, check_unrealized, decode_perpetual
from navoracle.readers import BasisPoints, Name
from navoracle.services import decode_json, json_array, json_object


class Look(NamedTuple):
    """What one look at the account found: its equity in the settlement currency (18 places), and its open positions."""

    equity: int
    positions: tuple[Perpetual, ...]


class DerivativesAccount(ExchangeAccount, frozen=True):
    """A derivatives account that settles in one currency.

    Attributes:
        currency: what the account settles in, by the exchange's code; a position that settles in another is refused.
        asset: the configured asset that prices it.
        equity_includes_unrealized: the exchange's balance is the account's equity, which holds the profits already.
            Exchanges differ: compare the balance with the exchange's own page while a position is open.
        agreement_bps: how far two looks at the equity may lie apart, of the larger.
        verify_unrealized: hold each stated profit against size, entry and mark price.
        mark_tolerance_bps: how far the two may lie apart, of the notional.
    """

    asset: Name
    currency: Name
    equity_includes_unrealized: bool
    agreement_bps: BasisPoints = Bps(50)
    verify_unrealized: bool = True
    mark_tolerance_bps: BasisPoints = Bps(100)

    def looks(self) -> Read[tuple[Look, Look]]:
        """Read balance and positions twice, one after the other.

        Raises:
            SourceRefused: a figure that is due is not stated, or does not agree with the others or the other look; a
                debt in another currency that nothing counts.
            EmptyResult, MalformedResult: an answer is no unified balance, or no list of positions.
        """
        found: list[Look] = []
        for look in LOOKS:
            balance, positions = yield (self.ask("fetch_balance", look), self.ask("fetch_positions", look))
            found.append(self._look(self._wallet(balance), self._positions(positions)))
        first, second = found
        if {position.key for position in first.positions} != {position.key for position in second.positions}:
            raise SourceRefused(
                f"{self.id}: positions were opened or closed between two looks",
                advice="Read again when nothing moves: balance and positions may belong to different moments.",
            )
        if not agree(first.equity, second.equity, self.agreement_bps):
            raise SourceRefused(
                f"{self.id}: two looks at the equity are more than {self.agreement_bps} bps apart",
                advice="Read again when nothing moves; widen `agreement_bps` for an account of high leverage.",
            )
        return first, second

    def _wallet(self, data: bytes) -> int:
        found = self.decode_balances(data)
        self.check_debts(found, (self.currency,))
        balance = found.get(self.currency)
        if balance is None:
            raise self.unlisted(self.currency)
        total, debt = self.stated(self.currency, balance)
        return total - debt

    def _positions(self, data: bytes) -> tuple[Perpetual, ...]:
        entries = json_array(decode_json(data, self.id), f"{self.id}: positions")
        decoded = [decode_perpetual(self.id, json_object(entry, f"{self.id}: position")) for entry in entries]
        found = tuple(position for position in decoded if position is not None)
        for position in found:
            if position.settle != self.currency:
                raise SourceRefused(
                    f"{self.id}: {position.name} settles in {position.settle}, not in {self.currency}",
                    advice="Add a position for each currency that the account settles in, with its own `account` type.",
                )
        if len({position.key for position in found}) != len(found):
            raise SourceRefused(
                f"{self.id}: {self.exchange} lists one position twice",
                advice="Look at what the exchange answers: counted twice it would be worth twice as much.",
            )
        return found

    def _look(self, wallet: int, positions: tuple[Perpetual, ...]) -> Look:
        if self.verify_unrealized:
            for position in positions:
                check_unrealized(self.id, position, self.mark_tolerance_bps)
        profits = 0 if self.equity_includes_unrealized else sum(position.unrealized for position in positions)
        return Look(wallet + profits, positions)
