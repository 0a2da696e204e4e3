"""The currency that NAVs are also told in."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StringConstraints

from navoracle.config.base import Name, Section
from navoracle.domain.units import Wad
from navoracle.readers import DecimalWad

Currency = Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9]*$")]


class ReportingSection(Section):
    """A currency that NAVs are also told in, beside the unit of account; nothing is valued or posted by it.

    Attributes:
        currency: what it is called.
        asset: the asset whose price is what one unit of it is worth.
        fallback: units of it for one of account, told and marked while that price is not to be had; without it the
            rate is unknown then.
    """

    currency: Currency
    asset: Name
    fallback: Annotated[DecimalWad, Field(gt=Wad(0))] | None = None
