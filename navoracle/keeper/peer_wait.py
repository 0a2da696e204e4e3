"""Waiting for a contract that takes no post yet, where that is soon over."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from navoracle.ports import Clock
from navoracle.publisher_port import Preview
from navoracle.store_port import Claim, Store

PEER_PATIENCE: Final = 240
"""Seconds that a post waits for a contract that takes none yet; after them the next slot posts."""

PEER_LEASE: Final = 60
PEER_WAIT: Final = 15
"""Seconds for which the slots' claims are renewed at every look while it waits, and between two looks."""


async def wait_until_ready(previews: Iterable[Preview], claims: Sequence[Claim], *, store: Store, clock: Clock) -> bool:
    """Wait until the contract takes posts again, where that is soon; the slots stay this keeper's meanwhile.

    Returns whether anything was waited for: the previews are old then.

    Raises:
        LeaseLost: another keeper has a slot.
        StoreError: the claims cannot be renewed.
    """
    ready_at = max((preview.ready_at for preview in previews if preview.ready_at is not None), default=None)
    if ready_at is None or not 0 < ready_at - clock.now() <= PEER_PATIENCE:
        return False
    while (left := ready_at - clock.now()) > 0:
        await clock.sleep(min(left, PEER_WAIT))
        store.renew_claims(claims, PEER_LEASE)
    return True
