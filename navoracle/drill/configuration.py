"""The configuration of a rehearsal: what was configured, with the places, keys and sources of a made-up world."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import yaml

from navoracle.chain.reader import MULTICALL3
from navoracle.config.models import Config
from navoracle.drill.commands import KEYS, POSTER
from navoracle.drill.world import World

_CHAIN: Final = ("confirmations", "finality", "quorum", "max_lag", "max_head_age", "pin", "timeout", "transactions")
_WHOLE: Final = ("version", "unit_of_account", "record_size", "cadence")
_HEARTBEAT: Final = 30 * 86_400


def rehearsal(
    world: World,
    urls: Sequence[str],
    folder: Path,
    *,
    config: Config | None = None,
    account: int = POSTER,
    chain: Mapping[str, Any] | None = None,
    transactions: Mapping[str, Any] | None = None,
    changes: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """The configuration, as plain data: nodes are `urls`, the key is a file in `folder`, so is the database.

    Args:
        config: what was configured; its limits are kept, and nothing of it that names a place, a key or a person.
        account: whose key posts.
        chain: further settings of the chain.
        transactions: further settings of its transactions.
        changes: further sections.
    """
    shape = world.shape
    key_file = folder / f"poster-{account}.key"
    if not key_file.exists():
        key_file.touch(mode=0o600)
        key_file.write_text(KEYS[account].hex(), encoding="ascii")
    kept = {} if config is None else config.model_dump(mode="json", include=set(_WHOLE))
    section = {} if config is None else config.chains[shape.chain].model_dump(mode="json", include=set(_CHAIN))
    if int(section.get("quorum") or 0) > len(urls):
        section["quorum"] = len(urls)
    # A rehearsal reaches nobody's relay.
    section["transactions"] = {**section.get("transactions", {}), "relay": None, **(transactions or {})}
    return {
        **kept,
        "version": 1,
        "home_chain": shape.chain,
        "store": {"url": f"sqlite:///{folder}/drill.db"},
        "chains": {
            shape.chain: {
                **section,
                "chain_id": shape.chain_id,
                "endpoints": [{"url": url, "operator": f"node-{number}"} for number, url in enumerate(urls, 1)],
                "multicall": MULTICALL3,
                "registry": world.registry,
                "signer": {"key_file": str(key_file)},
                **(chain or {}),
            }
        },
        "assets": {symbol: _asset(world, symbol) for symbol in shape.assets},
        "funds": {name: _fund(world, name) for name in shape.funds},
        **(changes or {}),
    }


def write(path: Path, configuration: Mapping[str, Any]) -> Path:
    """Write a configuration as YAML."""
    path.write_text(yaml.safe_dump(dict(configuration), sort_keys=False), encoding="utf-8")
    return path


def _asset(world: World, symbol: str) -> dict[str, Any]:
    asset = world.shape.assets[symbol]
    return {
        **asset.limits,
        "sources": [
            {
                "kind": "chainlink",
                "group": group,
                "chain": world.shape.chain,
                "feed": world.feed(symbol, group),
                "heartbeat": _HEARTBEAT,
                "deviation_bps": 50,
            }
            for group in asset.groups
        ],
    }


def _fund(world: World, name: str) -> dict[str, Any]:
    fund, chain = world.shape.funds[name], world.shape.chain
    return {
        **fund.kept,
        "id": fund.number,
        "chain": chain,
        "supply": {"kind": "erc20", "chain": chain, "token": world.share(name)},
        "positions": [
            {
                "kind": "erc20",
                "id": holding.id,
                "chain": chain,
                "asset": holding.asset,
                "component": holding.component,
                "token": world.token(holding.asset),
                "holder": world.holder(name, holding.id),
            }
            for holding in fund.holdings
        ],
    }
