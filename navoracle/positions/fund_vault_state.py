"""The fees and flows that the fund's own vault counts: `funds.FUND.vault`."""

from __future__ import annotations

from typing import Annotated, ClassVar, Self

from pydantic import Field

from navoracle.abi import decode_result, decode_uint256
from navoracle.domain.errors import ConfigurationError
from navoracle.domain.fees import FeeState, FeeTerms
from navoracle.domain.units import SECONDS_PER_YEAR, Timestamp, Wad
from navoracle.domain.vault import VaultState
from navoracle.ports import Call, Read, ReadPoint
from navoracle.readers import ChecksumAddress, Name, ReaderModel
from navoracle.vault_calls import (
    ASSET_SCALE,
    FEE_STATE,
    FEE_TERMS,
    FEE_TERMS_TYPES,
    FLOW_TOTALS,
    FLOW_TOTALS_TYPES,
    decode_flows,
)


class FundVaultState(ReaderModel, frozen=True):
    """The fee terms, fee state and flows of the fund's own vault (`funds.FUND.vault`).

    Attributes:
        contract: the FundVault.
        asset_scale: value (Wad) of a raw unit of its asset; filled by `resolve`.
    """

    section_fields: ClassVar[frozenset[str]] = frozenset({"id"})
    resolved_fields: ClassVar[tuple[str, ...]] = ("asset_scale",)

    chain: Name
    contract: ChecksumAddress
    asset_scale: Annotated[int, Field(gt=0)] | None = None

    def resolve(self, at: ReadPoint) -> Read[Self]:
        """Read the scale of the vault's asset."""
        (data,) = yield (Call(self.contract, ASSET_SCALE),)
        return self.model_copy(update={"asset_scale": decode_uint256(data)})

    def read(self, at: ReadPoint) -> Read[VaultState]:
        """Read fees and flows in one round; a mark or a clock of zero is none yet.

        Raises:
            OutOfRange: rates that are none. ConfigurationError: the reader is not resolved.
        """
        scale = self.asset_scale
        if scale is None:
            raise ConfigurationError(
                f"{self.id} is not resolved: the scale of the vault's asset is not known",
                advice="Resolve readers against the chain before the first frame.",
            )
        terms, state, flows = yield (
            Call(self.contract, FEE_TERMS),
            Call(self.contract, FEE_STATE),
            Call(self.contract, FLOW_TOTALS),
        )
        management, performance, _, cap, *_ = decode_result(FEE_TERMS_TYPES, terms)
        mark, clock = decode_result(("uint256", "uint256"), state)
        return VaultState(
            terms=FeeTerms(Wad(management), Wad(performance), cap_bps=cap, max_seconds=SECONDS_PER_YEAR),
            fees=FeeState(Wad(mark) if mark else None, Timestamp(clock) if clock else None),
            flows=decode_flows(decode_result(FLOW_TOTALS_TYPES, flows), scale),
        )
