"""State files: where what frames found is written for people and tools that read files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from navoracle.config.base import Section

if TYPE_CHECKING:
    from navoracle.config.models import Config


PositionId = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]+\..+$")]
Label = Annotated[str, Field(min_length=1, max_length=200)]


class ExternalSection(Section):
    """Telemetry of others, merged into `kpis.json`; `{fund}` in a path stands for the fund's name.

    Attributes:
        router: what an order router measured: one JSON object.
        symbols: what is known of assets: one JSON object for each, by the asset's name.
        execution: what an executor measured: one JSON object.
    """

    router: Path | None = None
    symbols: Path | None = None
    execution: Path | None = None


class StateFilesSection(Section):
    """State files of every fund.

    Attributes:
        folder: where they are written; this keeper's own.
        external: telemetry of others.
        max_external_age: seconds after which telemetry counts as unknown.
        history: most points of a series, and most changes of a risk status.
        fsync: whether a set is on the disk before it is put in place, so that a power failure tears nothing either.
        venues: labels of your own for where a position is, by the position's id ("alpha.usdc").
    """

    folder: Path
    external: ExternalSection = ExternalSection()
    max_external_age: Annotated[int, Field(gt=0)] = 900
    history: Annotated[int, Field(ge=1, le=10_000)] = 500
    fsync: bool = True
    venues: dict[PositionId, Label] = Field(default_factory=dict)


def anchored_state_files(section: StateFilesSection | None, folder: Path) -> StateFilesSection | None:
    """The section with its paths taken from the configuration's folder."""
    if section is None:
        return None
    said = section.external
    external = {name: path and folder / path for name, path in dict(said).items()}
    return section.model_copy(update={"folder": folder / section.folder, "external": said.model_copy(update=external)})


def venue_problems(config: Config) -> list[str]:
    """Labels of positions that no fund has, one sentence each."""
    if config.state_files is None:
        return []
    known = {position.id for fund in config.funds.values() for position in fund.positions}
    return [
        f"state_files.venues.{name}: no fund has that position; write it as FUND.ID"
        for name in config.state_files.venues
        if name not in known
    ]
