"""What takes the reports of a Mellow vault: inverted prices of all of its assets in one batch, the base asset first.

Source: `src/oracles/Oracle.sol`, `OracleSubmitter.sol` and `OracleHelper.sol` of mellow-finance/flexible-vaults. A
report within the narrow band reaches the vault at once; between the two bands it is stored, flagged and kept from the
vault until somebody accepts it; beyond the wide one the whole batch reverts.
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import replace
from typing import Annotated, ClassVar, Final, Self

from eth_utils.address import to_checksum_address
from pydantic import BaseModel, Field, model_validator

from navoracle.abi import decode_result, decode_uint256, encode_call
from navoracle.domain.conversions import inverted_asset_price, inverted_price, price_of_inverted
from navoracle.domain.errors import CallReverted, ConfigurationError, SourceRefused
from navoracle.domain.peer_guards.mellow import MellowReport
from navoracle.domain.prior import ConfirmedNav
from navoracle.domain.units import WAD, Rounding, Timestamp, Wad, mul_div
from navoracle.ports import Address, Call, Read, ReadPoint
from navoracle.publisher_port import FundPost, Preview, ReadBack, Receipt
from navoracle.publishers.peers.amounts import heartbeat_due
from navoracle.publishers.peers.base import PeerModel, PeerRead, price_in, unchanged
from navoracle.publishers.peers.mellow_reports import (
    ACCEPT_REPORT_ROLE,
    ERRORS,
    REMEDIES,
    SUBMIT_REPORTS_ROLE,
    SUSPICIOUS,
    SUSPICIOUS_PENDING,
    OracleState,
    Report,
    acceptance,
    decode_reports,
    encode_reports,
    judge,
    read_oracle,
)
from navoracle.publishers.peers.simulation import refused, simulate
from navoracle.readers import (
    ChecksumAddress,
    Decimals,
    Name,
    block_of,
    check_names,
    decimals_call,
    decode_decimals,
    resolved_decimals,
)

NATIVE: Final = Address("0xEeeeeEeeeEeEeeEeEeEeeEEEeeeeEeeeeeeeEEeE")
"""Where Mellow's contracts mean the chain's own coin, of 18 decimals."""

ASSETS_CHANGED: Final = "assets_changed"

_SUPPORTED: Final = encode_call("supportedAssets()")


class MellowAsset(BaseModel, frozen=True, extra="forbid"):
    """One asset that the oracle supports.

    Attributes:
        asset: its name in the configuration.
        token: its address at the oracle; 0xEeee...EEeE for the chain's own coin.
        decimals: filled by `resolve`.
    """

    asset: Name
    token: ChecksumAddress
    decimals: Decimals | None = None


class MellowReporter(PeerModel, frozen=True):
    """What takes the reports of a Mellow vault.

    The NAV's price per share must be net of fees; of what waits in redemption queues it is neither more nor less than
    of any other share (`getPricesD18` of `OracleHelper.sol` divides net assets by shares likewise).

    Attributes:
        assets: every asset that the oracle supports, the vault's base asset first.
        send_suspicious: whether to send reports that are stored as suspicious and wait for ACCEPT_REPORT_ROLE.
    """

    resolved_fields: ClassVar[tuple[str, ...]] = ()

    assets: Annotated[tuple[MellowAsset, ...], Field(min_length=1)]
    send_suspicious: bool = False

    @model_validator(mode="after")
    def _check_assets(self) -> Self:
        names, tokens = [one.asset for one in self.assets], [one.token for one in self.assets]
        if len(set(names)) != len(names) or len(set(tokens)) != len(tokens):
            raise ValueError("an asset is named twice in `assets`: each has one report in a batch")
        if self.base is not None and names[0] != self.base:
            raise ValueError(
                f"`assets` begins with {names[0]!r}: name the base asset {self.base!r} first, "
                "or the vault takes its fees once for each asset"
            )
        if self.base is None and len(names) > 1:
            raise ValueError("the other assets are priced in the base asset: name it as `base`")
        return self

    @property
    def priced_in(self) -> tuple[str, ...]:
        """All its assets, except for a base that is the unit of account."""
        return () if self.base is None else tuple(one.asset for one in self.assets)

    @property
    def is_resolved(self) -> bool:
        """Whether every asset's decimals are known."""
        return all(one.decimals is not None for one in self.assets)

    def resolve(self, at: ReadPoint) -> Read[Self]:
        """Read the decimals of the assets, and compare the assets with those that the oracle supports.

        Raises:
            SourceRefused: the oracle supports other assets, or the vault has another base asset.
        """
        oracle = yield from self.oracle()
        (count, vault) = yield (Call(oracle, _SUPPORTED), Call(oracle, encode_call("vault()")))
        numbers = range(decode_uint256(count))
        asked = tuple(Call(oracle, encode_call("supportedAssetAt(uint256)", number)) for number in numbers)
        answers = (yield asked) if asked else ()
        supported = {to_checksum_address(decode_result(("address",), answer)[0]) for answer in answers}
        configured = {str(one.token) for one in self.assets}
        if supported != configured:
            missing, unknown = sorted(supported - configured), sorted(configured - supported)
            raise SourceRefused(
                f"{self.id}: the oracle {oracle} also supports {', '.join(missing) or 'nothing'}"
                f" and does not support {', '.join(unknown) or 'nothing'} of what is configured",
                advice="Configure exactly the oracle's assets: one that is left out keeps an old price.",
            )
        yield from self._check_base(Address(to_checksum_address(decode_result(("address",), vault)[0])))
        tokens = [one for one in self.assets if one.token != NATIVE]
        decimals = (yield tuple(decimals_call(one.token) for one in tokens)) if tokens else ()
        known = {one.token: decode_decimals(self, one.token, data) for one, data in zip(tokens, decimals, strict=True)}
        assets = tuple(one.model_copy(update={"decimals": known.get(one.token, 18)}) for one in self.assets)
        return self.model_copy(update={"assets": assets})

    def encode(self, post: FundPost, valuation_time: Timestamp) -> bytes:
        """`submitReports` with the price of every asset, each rounded down as Mellow's own helper does.

        Raises:
            OutOfRange: a price is not positive, rounds to zero or fits no uint224.
            DomainError: an asset's price is missing. ConfigurationError: the publisher is not resolved.
        """
        base = self.assets[0]
        decimals = resolved_decimals(self, base.decimals)
        share = self.in_base(post, post.price_per_share)
        first = inverted_price(share, decimals, Rounding.DOWN)
        prices = [first]
        for one in self.assets[1:]:
            in_base = Wad(mul_div(price_in(post, one.asset), WAD, self.price_of_base(post), Rounding.DOWN))
            own = resolved_decimals(self, one.decimals)
            prices.append(
                inverted_asset_price(first, in_base, base_decimals=decimals, asset_decimals=own, rounding=Rounding.DOWN)
            )
        return encode_reports(
            [Report(one.asset, one.token, price) for one, price in zip(self.assets, prices, strict=True)]
        )

    def confirmed(self, at: ReadPoint) -> PeerRead[ConfirmedNav | None]:
        """The base asset's last report as a share price, held while it is suspicious; None before the first one."""
        oracle = yield from self.oracle()
        state = yield from read_oracle(oracle, [self.assets[0].token])
        return None if state.last[0].timestamp == 0 else self._confirmed(state.last[0], at)

    def preview(self, post: FundPost, data: bytes, at: ReadPoint) -> PeerRead[Preview]:
        """What the oracle would do with the batch: its timeout and bands to the wei, its own views, and its setter."""
        oracle = yield from self.oracle()
        reports = self._reports(data)
        try:
            state = yield from read_oracle(oracle, [report.token for report in reports])
        except CallReverted as revert:
            return _changed(post.fund, f"it answers no report ({revert.message})")
        (count,) = yield (Call(oracle, _SUPPORTED),)
        if decode_uint256(count) != len(reports):
            return _changed(
                post.fund, f"it supports {decode_uint256(count)} of them, and {len(reports)} are configured"
            )
        judged = self._judge(post.fund, reports, state, at.now, self.margin)
        if self._unchanged(reports, state, at.now):
            if judged.reason == SUSPICIOUS_PENDING:
                # Sent again, it would get another time, and an acceptance that is on its way would fail.
                return replace(judged, send=False)
            return unchanged(post.fund, judged.guards)
        if not judged.send:
            return judged
        views = yield tuple(
            Call(oracle, encode_call("validatePrice(uint256,address)", report.price, report.token))
            for report in reports
        )
        for report, view in zip(reports, views, strict=True):
            valid, suspicious = decode_result(("bool", "bool"), view)
            if not valid or (suspicious and judged.reason is None):
                return refused(
                    post.fund,
                    f"validatePrice of {report.asset}: {'suspicious' if valid else 'invalid'}",
                    {},
                    judged.guards,
                    ACCEPT_REPORT_ROLE,
                )
        # A call runs at the newest block's time: where the timeout alone would refuse it there, it says nothing of now.
        if self._judge(post.fund, reports, state, block_of(self, at).timestamp, 0).send:
            name = yield from simulate(self, data, ERRORS)
            if name is not None:
                return refused(post.fund, name, REMEDIES, judged.guards, SUBMIT_REPORTS_ROLE)
        return judged

    def read_back(self, fund: str, data: bytes, receipt: Receipt, at: ReadPoint) -> PeerRead[ReadBack]:
        """Whether the oracle holds every report of the batch and told the vault; else what it holds instead."""
        oracle = yield from self.oracle()
        reports = self._reports(data)
        state = yield from read_oracle(oracle, [report.token for report in reports])
        confirmed = self._confirmed(state.last[0], at)
        mined = block_of(self, at).timestamp
        ours = [
            (report.price, mined) == (last.price, last.timestamp)
            for report, last in zip(reports, state.last, strict=True)
        ]
        if not receipt.success:
            return ReadBack(fund, accepted=False, reason="reverted", confirmed=confirmed)
        if not all(ours):
            newer = any(last.timestamp >= mined for last, own in zip(state.last, ours, strict=True) if not own)
            return ReadBack(fund, accepted=False, reason="superseded" if newer else "missing", confirmed=confirmed)
        held = [(report, last) for report, last in zip(reports, state.last, strict=True) if last.suspicious]
        if held:
            listed = ", ".join(acceptance(report.token, last) for report, last in held)
            advice = (
                f"Check the prices, then accept them, {self.acceptance}: {listed}. The vault was told none of them."
            )
            return ReadBack(
                fund, accepted=False, reason=SUSPICIOUS, confirmed=confirmed, role=ACCEPT_REPORT_ROLE, advice=advice
            )
        return ReadBack(fund, accepted=True, reason=None, confirmed=confirmed)

    @property
    @abstractmethod
    def acceptance(self) -> str:
        """How a suspicious report is accepted, for people."""

    @abstractmethod
    def oracle(self) -> Read[Address]:
        """The oracle that holds the reports."""

    def _check_base(self, vault: Address) -> Read[None]:
        """Refuse a first asset that is not the base of the vault's fees; a vault without one has no such fees."""
        (manager,) = yield (Call(vault, encode_call("feeManager()")),)
        fees = Address(to_checksum_address(decode_result(("address",), manager)[0]))
        (base,) = yield (Call(fees, encode_call("baseAsset(address)", vault)),)
        (found,) = decode_result(("address",), base)
        if int(found, 16) != 0:
            check_names(self, f"the base asset of {vault}", self.assets[0].token, found)

    def _reports(self, data: bytes) -> tuple[Report, ...]:
        names = {one.token.lower(): one for one in self.assets}
        found = decode_reports(data)
        if [token for token, _ in found] != [one.token.lower() for one in self.assets]:
            raise ConfigurationError(
                f"{self.id}: the post was encoded for other assets than those configured now",
                advice="Value again: a post that was prepared under another configuration is never sent.",
            )
        return tuple(Report(names[token].asset, names[token].token, price) for token, price in found)

    def _judge(
        self, fund: str, reports: tuple[Report, ...], state: OracleState, now: Timestamp, margin: int
    ) -> Preview:
        return judge(
            fund,
            reports,
            state,
            now,
            margin=margin,
            send_suspicious=self.send_suspicious,
            accept=self.acceptance,
        )

    def _unchanged(self, reports: tuple[Report, ...], state: OracleState, now: Timestamp) -> bool:
        """Whether the oracle has just these prices, and none of them is so old that its heartbeat is due."""
        same = all(report.price == last.price for report, last in zip(reports, state.last, strict=True))
        return same and not any(heartbeat_due(self, last.timestamp, now) for last in state.last)

    def _confirmed(self, report: MellowReport, at: ReadPoint) -> ConfirmedNav:
        decimals = resolved_decimals(self, self.assets[0].decimals)
        price = price_of_inverted(report.price, decimals, Rounding.DOWN) if report.price else Wad(0)
        return ConfirmedNav(
            nav=None,
            price_per_share=price,
            valuation_time=report.timestamp,
            held=report.suspicious,
            block_number=block_of(self, at).number,
            frame=None,
        )


def _changed(fund: str, what: str) -> Preview:
    advice = f"The oracle's assets are others than when this started: {what}. Correct `assets` and start again."
    return Preview(fund, ASSETS_CHANGED, send=False, advice=advice)
