"""Every contract of another vault system: whether it is one, who may post to it, and what it says of a post now."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from navoracle.checks.findings import Finding, error, warning
from navoracle.checks.registries import check_balance, no_signer
from navoracle.composition.publishers import chains_of_publishers, peer_publisher, resolved_peer
from navoracle.composition.system import ChainAccess
from navoracle.config.models import Config
from navoracle.domain.errors import ChainError, ConfigurationError, DomainError
from navoracle.domain.frame import FundFrame
from navoracle.domain.prices import PriceEstimate
from navoracle.domain.units import Timestamp
from navoracle.domain.valuation import PriceKey
from navoracle.keeper.plan import FundPlan
from navoracle.keeper.records import fund_post
from navoracle.ports import Address, Clock
from navoracle.publisher_port import Preview, Publisher

_NO_ROOT: Final = "0x" + bytes(32).hex()
_PASSES_BY_ITSELF: Final = frozenset({"unchanged", "too_early"})


async def check_publishers(
    config: Config,
    access: Mapping[str, ChainAccess],
    clock: Clock,
    funds: Iterable[FundPlan],
    found: Iterable[FundFrame],
    estimates: Mapping[PriceKey, PriceEstimate],
    now: Timestamp,
) -> list[Finding]:
    """Resolve every publisher that a fund uses, and ask its contract what it would do with the fund's post now.

    Args:
        access: the chains that can be read.
        found: the funds as they were valued just now, with the `estimates` of that frame.
        now: its valuation time.
    """
    findings: list[Finding] = []
    for name in sorted(chains_of_publishers(config)):
        if name in access and config.chains[name].registry is None:
            findings += await _check_signer(config, name, access[name])
    valued = {part.fund: part for part in found}
    for fund in funds:
        reached = access.get(fund.chain or "")
        if fund.publisher is not None and reached is not None:
            findings += await _check(config, reached, clock, fund, valued[fund.fund], estimates, now)
    return findings


async def _check_signer(config: Config, name: str, access: ChainAccess) -> list[Finding]:
    """What a chain's posts are sent with, where no registry's check says it."""
    place = f"chains.{name}.signer"
    safe = config.chains[name].safe
    if safe is not None and safe.proposes == "posts":
        return []
    if access.poster is not None:
        return await check_balance(access, access.poster.address, place)
    # Why a configured key cannot be used is told where it is opened.
    return [no_signer(place)] if config.chains[name].signer is None else []


async def _check(
    config: Config,
    access: ChainAccess,
    clock: Clock,
    fund: FundPlan,
    found: FundFrame,
    estimates: Mapping[PriceKey, PriceEstimate],
    now: Timestamp,
) -> list[Finding]:
    name = fund.publisher or ""
    place = f"publishers.{name}"
    try:
        peer = await resolved_peer(name, config, {config.publishers[name].chain: access.reader})
    except (ChainError, ConfigurationError) as failure:
        return [error(f"{place}.contract", failure.message.removeprefix(f"{place}: "), failure.advice)]
    sender = _sender(config, peer.chain, access) or peer.sender
    findings: list[Finding] = []
    if sender is None:
        findings.append(
            warning(
                f"{place}.sender",
                "nobody is named who posts: whether its contract takes their call is not known",
                "Add `sender: ADDRESS`, or the chain's `signer`.",
            )
        )
    publisher = peer_publisher(peer, access.reader, sender, clock)
    try:
        preview = await _preview(publisher, fund, found, estimates, now)
        if preview is not None:
            return findings + _of_preview(place, preview)
        served = (await publisher.confirmed({fund.fund: fund.fund_id})).get(fund.fund)
    except (ChainError, DomainError) as failure:
        return [*findings, error(place, failure.message, failure.advice)]
    if served is not None and served.held:
        findings.append(warning(place, "its contract is paused, or holds its value", "See docs/publishers.md."))
    return findings


def _sender(config: Config, chain: str, access: ChainAccess) -> Address | None:
    """Who posts on a chain: the Safe that posts are proposed to, or the signer; None where neither is known."""
    safe = config.chains[chain].safe
    if safe is not None and safe.proposes == "posts":
        return safe.address
    return None if access.poster is None else access.poster.address


async def _preview(
    publisher: Publisher,
    fund: FundPlan,
    found: FundFrame,
    estimates: Mapping[PriceKey, PriceEstimate],
    now: Timestamp,
) -> Preview | None:
    """What the contract would do with the fund's post; None where the fund could not be valued, which is told there."""
    if found.valuation is None:
        return None
    post = fund_post(fund, found, found.valuation, estimates)
    (preview,) = await publisher.preview(publisher.encode([post], now, _NO_ROOT))
    return preview


def _of_preview(place: str, preview: Preview) -> list[Finding]:
    if preview.reason is None or preview.reason in _PASSES_BY_ITSELF:
        return []
    role = "" if preview.role is None else f" ({preview.role} must act)"
    message = f"its contract would not take a post now: {preview.reason}{role}"
    # A value out of bounds may be right again in an hour; a pause or a missing role is not.
    lasting = preview.role is not None and all(guard.passes for guard in preview.guards)
    return [(error if lasting else warning)(place, message, preview.advice)]
