"""From a recorded world back to a frame: the configuration and the state that it holds, or another configuration."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from navoracle.composition.evidence_plans import FUND_PRIOR, PRICES, SAMPLES
from navoracle.composition.plans import subject_of
from navoracle.composition.resolving import resolve
from navoracle.config.models import Config
from navoracle.domain.cadence import Cadence
from navoracle.domain.errors import UsageError, VerificationFailed
from navoracle.domain.frame import BlockStamp, ReadRecord
from navoracle.domain.prior import Prior
from navoracle.domain.units import Timestamp
from navoracle.json_depth import require_shallow
from navoracle.keeper.frame import FramePorts
from navoracle.keeper.plan import FramePlan
from navoracle.keeper.planner import Planner
from navoracle.keeper.recording import FORMAT, World
from navoracle.keeper.verify import answer_of, request_of

_STAMPS = TypeAdapter(tuple[BlockStamp, ...])
_READS = TypeAdapter(tuple[ReadRecord, ...])
_ADVICE = "Record it again with `navoracle record`, with this version of navoracle."


@dataclass(frozen=True, slots=True)
class RecordedCase:
    """A recorded world, ready to be valued: its plan, its ports, and the evidence hashes that it was recorded with."""

    config: Config
    plan: FramePlan
    ports: FramePorts
    recorded: Mapping[str, str]


async def open_world(file: Path, config: Config | None = None) -> RecordedCase:
    """Read a recorded world and plan its frame again.

    Args:
        config: value the world by this configuration instead of the recorded one; what it asks and was not recorded
            fails as `not_recorded`.

    Raises:
        UsageError: the file is not there, or is no recorded world.
        ConfigurationError: a reader cannot be resolved from what was recorded.
    """
    try:
        text = file.read_bytes()
        require_shallow(text)
        parsed = json.loads(text)
    except OSError as error:
        raise UsageError(f"{file}: {error.strerror}", advice="Name a file that `navoracle record` wrote.") from error
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{file} is not JSON: {error}", advice="Name a file that `navoracle record` wrote.") from error
    if not isinstance(parsed, dict) or parsed.get("format") != FORMAT:
        raise UsageError(f"{file} is no recorded world of format {FORMAT}", advice=_ADVICE)
    try:
        return await _open(parsed, config)
    except (ValidationError, AttributeError, LookupError, TypeError, ValueError, VerificationFailed) as error:
        why = f"{error.error_count()} fields are wrong" if isinstance(error, ValidationError) else str(error)
        raise UsageError(f"{file} cannot be read as a recorded world: {why}", advice=_ADVICE) from error


async def _open(parsed: Mapping[str, Any], config: Config | None) -> RecordedCase:
    chosen = Config.model_validate_json(parsed["config"]) if config is None else config
    records = _READS.validate_python(parsed["reads"])
    clock = Timestamp(int(parsed["clock"]))
    world = World(
        clock=clock,
        stamps=_STAMPS.validate_python(parsed["stamps"]),
        answers={(record.chain, request_of(record)): answer_of(record) for record in records},
    )
    ports = world.ports()
    chain_ids = {name: section.chain_id for name, section in chosen.chains.items()}
    subject = await resolve(subject_of(chosen), ports.chains, ports.off_chain, clock, chain_ids)
    funds = [name for name in parsed["funds"] if name in subject.funds] or list(subject.funds)
    planner = Planner(subject, None, {}, now=clock)
    plan = await planner.slot(
        funds, Timestamp(int(parsed["slot_time"])), Cadence(parsed["cadence"]), publish=False, now=clock
    )
    return RecordedCase(chosen, plan.started_from(_prior(parsed["prior"])), ports, dict(parsed["result"]))


def _prior(described: Mapping[str, Any]) -> Prior:
    return Prior(
        prices=PRICES.validate_python(described["prices"]),
        samples=SAMPLES.validate_python(described["samples"]),
        funds={name: FUND_PRIOR.validate_python(prior) for name, prior in described["funds"].items()},
    )
