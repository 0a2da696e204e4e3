"""From what was found to a first configuration: who holds what, what prices it, where it is posted.

What the contracts do not say stays a `${NAME}`: a figure is never guessed, and nothing that is missing counts as zero.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from navoracle.composition.discovered import Discovery, NamedFeed
from navoracle.composition.draft_writing import DOLLARS, Wishes, Writing
from navoracle.config.draft import (
    HEARTBEAT,
    Draft,
    DraftFund,
    DraftItem,
    DraftSource,
    safe_name,
)
from navoracle.config.environment import RPC
from navoracle.discovery import OWN_VIEWS, Found, FoundFeed, FoundToken, Holding
from navoracle.discovery.views import NATIVE
from navoracle.domain.errors import ConfigurationError, UsageError
from navoracle.domain.positions import Component
from navoracle.domain.units import format_wad
from navoracle.ports import Address

KIND_NAMES: Final[Mapping[str, str]] = {
    "fund_vault": "FundVault",
    "nav_registry": "NavRegistry",
    "lagoon": "Lagoon vault",
    "veda": "Veda accountant",
    "mellow": "Mellow oracle",
    "mellow_submitter": "Mellow submitter",
    "mellow_feed": "Mellow feed",
    "midas": "Midas feed",
    "midas_growth": "Midas growth feed",
    "erc4626": "ERC-4626 vault",
    "token": "share token",
}
"""How each kind is called."""

_GROUPS: Final = ("chainlink", "redstone")
"""The groups of feeds that are left to be named."""

_REPORTERS: Final = ("mellow", "mellow_submitter")
"""Kinds that are told the price of every asset."""


def draft_of(discovery: Discovery, wishes: Wishes) -> Draft:
    """The configuration of what was found.

    Raises:
        UsageError: a feed is of an asset that the configuration does not have.
        ConfigurationError: the contract is not set up so far that a NAV could be posted to it.
    """
    base = discovery.found.base
    itself = base if base is not None and wishes.unit is not None and base.symbol == wishes.unit else None
    writing = Writing(discovery, wishes.unit or DOLLARS, itself)
    many = discovery.nodes > 1
    for number in range(1, discovery.nodes + 1):
        which = f"node {number} of" if many else "a node of"
        meaning = f"{which} {discovery.chain} (chain id {discovery.chain_id})"
        writing.leave(RPC, *([str(number)] if many else []), meaning=meaning, secret=True)
    rpcs = [variable.name for variable in writing.variables]
    if discovery.found.kind == "nav_registry":
        alone = wishes.fund if len(discovery.funds) == 1 else None
        for registered, vault in discovery.funds:
            _add_fund(writing, vault or Found("token", discovery.found.contract), registered.number, alone)
    else:
        told = discovery.found.fund_id if discovery.found.fund_id is not None else wishes.fund_id
        _add_fund(writing, discovery.found, 1 if told is None else told, wishes.fund)
    sources = _sources(writing)
    return Draft(
        about=_about(discovery),
        variables=writing.variables,
        unit=writing.unit,
        chain=discovery.chain,
        chain_id=discovery.chain_id,
        rpcs=rpcs,
        assets=sources,
        funds=writing.funds,
        publishers=writing.publishers,
        registry=None if discovery.registry is None else discovery.registry.contract,
        multicall=discovery.multicall,
        key_file=wishes.key_file,
    )


def amount_of(token: FoundToken, raw: int) -> str:
    """Whole tokens for people: digits beyond the token's own are cut."""
    whole = raw * 10**18 // 10**token.decimals
    return format_wad(whole).rstrip("0").rstrip(".")


def _about(discovery: Discovery) -> list[str]:
    found = discovery.found
    lines = [
        f"Written by `navoracle init` for the {KIND_NAMES[found.kind]} {found.contract}",
        f"on {discovery.chain} (chain id {discovery.chain_id}), as it was at block {discovery.stamp.number}.",
    ]
    lines += [f"  {role.name}: {role.account}" for role in found.roles]
    lines += [f"  {note}" for note in found.notes]
    return lines


def _add_fund(writing: Writing, found: Found, number: int, name: str | None) -> None:
    discovery = writing.discovery
    taken = [fund.name for fund in writing.funds]
    symbol = None if found.shares is None else found.shares.symbol
    fund = name or safe_name(None if symbol is None else symbol.lower(), f"fund-{number}", taken)
    publisher = None if found.settings is None else _add_publisher(writing, found)
    shares = None if found.shares is None else found.shares.address
    supply = shares or writing.leave(fund, "shares", meaning=f"the share token of {fund}")
    vault = found.contract if found.kind == "fund_vault" else None
    holdings = _holdings_of(writing, found)
    positions = [
        *([] if vault is None or found.base is None else [_vault_position(writing, found, found.base)]),
        *_positions(writing, holdings),
    ]
    positions += _what_is_missing(writing, found, fund, positions)
    remarks = [*found.notes] if discovery.found.kind == "nav_registry" else []
    writing.funds.append(DraftFund(fund, number, supply, positions, publisher, vault, remarks))


def _holdings_of(writing: Writing, found: Found) -> list[Holding]:
    """What is known to be held, each balance once; named accounts belong to the fund where there is one fund."""
    named = writing.discovery.holdings if len(writing.discovery.funds) < 2 else ()
    every: dict[tuple[Address | None, Address], Holding] = {}
    for holding in (*found.holdings, *named):
        every.setdefault((holding.token.address, holding.holder), holding)
    return list(every.values())


def _positions(writing: Writing, holdings: Sequence[Holding]) -> list[DraftItem]:
    chain = writing.discovery.chain
    ids = ["vault", "elsewhere"]
    items = []
    for holding in holdings:
        token = holding.token
        ids.append(safe_name(None if token.symbol is None else token.symbol.lower(), "holding", ids))
        settings: dict[str, Any] = {
            "kind": "erc4626" if holding.through_vault else "erc20",
            "id": ids[-1],
            "chain": chain,
            "asset": writing.asset(holding.priced or token),
            "component": holding.component.value,
        }
        if holding.through_vault and holding.priced is not None:
            settings |= {"vault": token.address, "underlying": holding.priced.address}
        else:
            settings |= {"token": token.address}
        told = f"{amount_of(token, holding.amount)} now"
        items.append(DraftItem({**settings, "holder": holding.holder}, told))
    return items


def _vault_position(writing: Writing, found: Found, base: FoundToken) -> DraftItem:
    settings: dict[str, Any] = {
        "kind": "fund_vault",
        "id": "vault",
        "chain": writing.discovery.chain,
        "asset": writing.asset(base),
        "vault": found.contract,
        "underlying": base.address,
    }
    if found.payouts:
        settings["in_kind"] = [{"token": token.address, "asset": writing.asset(token)} for token in found.payouts]
    return DraftItem(settings, "what lies in the vault itself")


def _what_is_missing(writing: Writing, found: Found, fund: str, positions: Sequence[DraftItem]) -> list[DraftItem]:
    """A position to be filled in, where more is said to be there than was found, or nothing was."""
    chain = writing.discovery.chain
    base = found.base
    known = sum(holding.amount for holding in found.holdings)
    rest = None if found.total is None or base is None else found.total - known
    if writing.discovery.holdings and len(writing.discovery.funds) < 2:
        return []
    if positions and (rest is None or rest <= 0):
        return []
    if rest is not None and base is not None:
        told = f"{amount_of(base, rest)} of the {amount_of(base, found.total or 0)} that it says it has lie elsewhere"
        settings = {
            "kind": "erc20",
            "id": "elsewhere",
            "chain": chain,
            "asset": writing.asset(base),
            "component": Component.COLLATERAL.value,
            "token": base.address or NATIVE,
            "holder": writing.leave(fund, "elsewhere", meaning=f"who holds it; or another kind of position: {told}"),
        }
        return [DraftItem(settings, told)]
    asset = writing.unknown_asset(fund)
    settings = {
        "kind": "erc20",
        "id": asset,
        "chain": chain,
        "asset": asset,
        "component": Component.COLLATERAL.value,
        "token": writing.leave(asset, "token", meaning=f"a token that {fund} holds; or --token"),
        "holder": writing.leave(asset, "holder", meaning=f"the account that holds it for {fund}; or --holder"),
    }
    return [DraftItem(settings, f"what {fund} holds: no contract says it; rename the asset")]


def _add_publisher(writing: Writing, found: Found) -> str:
    name = safe_name(found.kind, "publisher", [writing.discovery.chain, *writing.publishers])
    settings: dict[str, Any] = {"kind": found.kind, "chain": writing.discovery.chain, "contract": found.contract}
    if found.base is not None:
        settings["base"] = writing.asset(found.base)
    settings |= {key: value for key, value in (found.settings or {}).items() if value is not None}
    if found.kind in _REPORTERS:
        if found.base is None:
            raise ConfigurationError(
                f"{found.contract}: the vault names no base asset among those that its oracle supports",
                advice="Let its fee manager name one first: a report is priced in it.",
            )
        tokens = (found.base, *found.priced)
        settings["assets"] = [{"asset": writing.asset(token), "token": token.address or NATIVE} for token in tokens]
    told = 'sender: "0x..." # whose call is tried in a dry run; --live takes the signer\'s own address'
    writing.publishers[name] = DraftItem(settings, told)
    return name


def _sources(writing: Writing) -> dict[str, list[DraftSource]]:
    feeds: dict[str, list[tuple[NamedFeed, FoundFeed]]] = {}
    for named, found in writing.discovery.feeds:
        if named.asset not in writing.assets:
            raise UsageError(
                f"--feed {named.asset}: the configuration has no such asset",
                advice=f"Name one of: {', '.join(writing.assets)}; or add its token with --holder and --token.",
            )
        feeds.setdefault(named.asset, []).append((named, found))
    return {
        asset: _sources_of(writing, asset, feeds.get(asset, ())) for asset in writing.assets if asset != writing.unit
    }


def _sources_of(writing: Writing, asset: str, feeds: Sequence[tuple[NamedFeed, FoundFeed]]) -> list[DraftSource]:
    sources = [
        DraftSource(
            named.group,
            named.feed,
            HEARTBEAT if named.heartbeat is None else named.heartbeat,
            found.kind,
            f"{found.description or 'a feed'}, {found.decimals} decimals{_why_chainlink(named.group, found)}",
        )
        for named, found in feeds
    ]
    told = {source.group for source in sources}
    for group in _GROUPS:
        if len(told) < len(_GROUPS) and group not in told:
            told.add(group)
            feed = writing.leave("feed", asset, group, meaning=f"a feed of {asset} in {writing.unit}, {group}'s")
            other = f"; kind: {group} where it answers {OWN_VIEWS[group]}" if group in OWN_VIEWS else ""
            sources.append(DraftSource(group, feed, remark=f"and its own heartbeat{other}"))
    return sources


def _why_chainlink(group: str, found: FoundFeed) -> str:
    """Why a feed is not read as its group's own kind, where there is one of that name."""
    if group == found.kind or group not in OWN_VIEWS:
        return ""
    return f"; {found.kind}'s interface: it does not answer {OWN_VIEWS[group]}"
