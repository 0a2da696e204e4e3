"""Embedded chains that begin where another one stands: a world is deployed once, and each test gets a copy."""

from __future__ import annotations

from copy import copy

from eth.db.atomic import AtomicDB
from eth.db.backends.memory import MemoryDB

from navoracle.chain.embedded import EmbeddedChain
from navoracle.chain.embedded_rpc import EmbeddedEndpoint


def copy_of(chain: EmbeddedChain) -> EmbeddedChain:
    """A chain with the same blocks and state; what happens on either of them is not seen on the other."""
    original = chain.endpoint._chain
    database = original.chaindb.db
    assert isinstance(database, AtomicDB)
    held = database.wrapped_db
    assert isinstance(held, MemoryDB)
    twin = type(original)(AtomicDB(MemoryDB(dict(held.kv_store))))
    twin.chain_id = chain.chain_id
    copied = copy(chain)
    copied.endpoint = EmbeddedEndpoint(twin)
    return copied
