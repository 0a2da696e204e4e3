"""Rows 38 to 40: answers without end, nodes that cannot be reached, and all of them gone at once."""

from __future__ import annotations

from navoracle.drill.catalogue import row
from navoracle.drill.expect import require, require_posted
from navoracle.drill.faults import flood, slow_drip, times
from navoracle.drill.proxy import ANY_METHOD, drop_request
from navoracle.drill.rehearsal import Rehearsal
from navoracle.store_port import SlotState

HOURS_OUT = 3


@row(38, "answers that never end, or are huge", "one node drips, another sends seventy megabytes")
async def answer_is_huge_or_never_ends__is_cut_off_by_size_and_time(r: Rehearsal) -> None:
    r.fault("eth_call", slow_drip(), nodes=[0])
    require_posted(await r.slot(), r.funds)
    r.sound()
    r.fault("eth_call", times(2, flood(70)), nodes=[1])
    require_posted(await r.slot(), r.funds)


@row(39, "nodes that cannot be reached", "a closed port, a name that is none, TLS where there is none", started=False)
async def nodes_cannot_be_reached__the_others_do(r: Rehearsal) -> None:
    sound = [proxy.url for proxy in r.proxies]
    bad = ["http://127.0.0.1:9/", "http://nowhere.invalid:8545/", sound[0].replace("http://", "https://")]
    await r.start(urls=[*bad, *sound])
    require_posted(await r.slot(), r.funds)


@row(40, "all nodes are gone", "nothing answers for three hours")
async def all_nodes_are_gone__posts_nothing_old_and_the_newest_slot_after(r: Rehearsal) -> None:
    require_posted(await r.slot(), r.funds)
    r.fault(ANY_METHOD, drop_request)
    sent = len(r.broadcast)
    missed = []
    for _ in range(HOURS_OUT):
        slot_time = await r.come_due()
        await r.pass_time(600)
        missed.append(slot_time)
    last = r.clock.true_time // 3_600 * 3_600
    r.sound()
    await r.until(lambda: all(len(r.ended(slot_time)) == len(r.funds) for slot_time in missed), "the slots end")
    for slot_time in missed:
        for fund, found in r.ended(slot_time).items():
            late = found.slot_time < last and found.state is SlotState.POSTED
            require(not late, f"an old slot of {fund} was posted after the outage")
            require(found.state is SlotState.POSTED or bool(found.reason), f"the slot of {fund} has no reason")
    require(len(r.broadcast) <= sent + 1, "more than the newest slot was sent after the outage")
    require_posted(await r.slot(), r.funds)
