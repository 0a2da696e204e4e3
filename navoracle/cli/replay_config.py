"""`navoracle replay --config`: everything that a configuration says, over recorded series."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Literal

from navoracle.cli.replay_outputs import STEM, Outputs, Told
from navoracle.cli.timelines import exit_code, fresh_database, ticking
from navoracle.composition.plans import subject_of
from navoracle.composition.stores import open_fresh_store
from navoracle.config.loading import load_config
from navoracle.domain.errors import UsageError
from navoracle.domain.units import Timestamp
from navoracle.replay.configured import prepare_configuration
from navoracle.replay.engine import replay_configuration
from navoracle.replay.risk import RiskTable


def replay_file(
    file: Path,
    *,
    start: Timestamp | None,
    end: Timestamp | None,
    chain: Literal["embedded", "none"],
    sample_seconds: int | None,
    where: Outputs,
    database: str | None,
    as_json: bool,
) -> int:
    """Replay a configuration file, leave its files, and print what happened; returns the exit code.

    Raises:
        ConfigurationError, UsageError: the file, a series or an option is not what a replay needs.
        StoreError: the database cannot be written.
    """
    config = load_config(file)
    names = tuple(config.funds)
    if where.picture is not None and len(names) > 1:
        raise UsageError("--plot draws one fund", advice=f"The configuration has {', '.join(names)}: leave it out.")
    prepared = asyncio.run(
        prepare_configuration(config, start=start, end=end, chain=chain, sample_seconds=sample_seconds)
    )
    readings = None if where.risk is None else RiskTable(subject_of(prepared.config).funds.values())
    url = database or fresh_database(STEM)
    with open_fresh_store(url) as store, ticking(prepared.start, prepared.end, quiet=as_json) as ticker:
        result = asyncio.run(
            replay_configuration(
                prepared,
                store,
                ticker.slot,
                events_folder=where.events_folder,
                state_folder=where.state_folder,
                readings=readings,
            )
        )
        where.write_events(store)
    where.write_slots(names[0], result.slots)
    if readings is not None and where.risk is not None:
        readings.write(where.risk)
    told = Told(prepared.start, prepared.end, prepared.series, (), url, where.picture)
    told.present(result, {}, as_json=as_json)
    return exit_code(result.slots, result.verification)
