"""The high-water mark and the fee clock of a fund: those of its own vault, and without one the keeper's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Literal

from navoracle.domain.units import wad_text
from navoracle.read_model.documents import Documents
from navoracle.read_model.records import Record, Time, WadText, number, wad_of
from navoracle.store_port import Store

UNREAD: Final = "the fund's vault was not read"


class FeeStanding(Record):
    """The high-water mark and the fee clock by which the newest fees payable were computed."""

    kept_by: Literal["vault", "keeper"]
    """Who keeps them: the fund's own vault, which the newest frame read, or without one the keeper."""
    high_water_mark: WadText | None
    """As the fee terms measure it; null where there is none yet."""
    accrued_since: Time | None
    """Null where the clock has not begun."""


def fee_standing(
    store: Store, fund: str, documents: Documents, document: Mapping[str, Any] | None, unknown: dict[str, str]
) -> FeeStanding:
    """A vault's by the state files, which tell of looks between slots too; without them by the newest evidence.

    Args:
        document: the newest evidence, which knows whether the fund has a vault.
        unknown: is given the reason where a vault could not be read.

    Raises:
        StoreError: the database cannot be read.
    """
    if document is None or document["plan"]["fund"]["vault"] is None:
        kept = store.load_fund(fund).fees
        return FeeStanding(
            kept_by="keeper", high_water_mark=wad_text(kept.high_water_mark), accrued_since=kept.accrued_since
        )
    told = None if documents.nav is None else documents.nav.fees
    if told is not None:
        return FeeStanding(
            kept_by="vault", high_water_mark=wad_of(told.high_water_mark), accrued_since=told.accrued_since
        )
    vault = document["result"]["fund"]["vault"]
    if vault is None:
        unknown["/fees/high_water_mark"] = unknown["/fees/accrued_since"] = UNREAD
        return FeeStanding(kept_by="vault", high_water_mark=None, accrued_since=None)
    said = vault["fees"]
    return FeeStanding(
        kept_by="vault", high_water_mark=said["high_water_mark"], accrued_since=number(said["accrued_since"])
    )
