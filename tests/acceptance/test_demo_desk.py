"""The desk of a demo that is served on its own day: what is asked for there is carried out while time is paced."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest
from fastapi import FastAPI

from navoracle.chain.embedded import account_key
from navoracle.chain.signers import EphemeralSigner, sign_checked
from navoracle.config.models import Config
from navoracle.demo.handout import Handout
from navoracle.demo.run import START, DemoResult, run_demo
from navoracle.demo.stage import Pages, Stage
from navoracle.demo.world import GUARDIAN, POSTER, RISK
from navoracle.domain.cadence import Cadence
from navoracle.domain.errors import RequestRefused
from navoracle.domain.units import Timestamp
from navoracle.ports import Address
from navoracle.read_model.model import ReadModel
from navoracle.requests.actions import Action
from navoracle.requests.desk import RequestDesk
from navoracle.requests.document import ActionRequest, SignedRequest
from navoracle.state_files.reader import read_set
from navoracle.storage import SqlStore
from navoracle.store_port import RequestState, SlotState

pytestmark = [pytest.mark.sockets, pytest.mark.slow]

PATIENCE: Final = 240


@dataclass
class Watched:
    """A demo of one hour that is served, and what its pages would have."""

    folder: Path
    store: SqlStore
    stop: asyncio.Event
    desk: RequestDesk | None = None
    model: ReadModel | None = None
    over: bool = False

    def stage(self) -> Stage:
        def pages(_config: Config) -> Pages:
            def add(_app: FastAPI, model: ReadModel, desk: RequestDesk) -> bool:
                self.desk, self.model = desk, model
                return False

            return add

        def opened(port: int | None, _handout: Handout) -> None:
            assert port

        def over(_handout: Handout) -> None:
            self.over = True

        return Stage(self.folder / "state", 0, None, 1.0, self.folder / "demo", pages, opened, over)

    async def play(self) -> DemoResult:
        def ignore(*_: object) -> None:
            pass

        return await run_demo(1, self.store, ignore, ignore, self.stage(), stop=self.stop)

    def kpis(self, fund: str) -> dict[str, Any]:
        """What the state files say of a fund at a glance."""
        return read_set(self.folder / "state", fund)["kpis.json"]

    def routed(self, fund: str) -> tuple[str, Timestamp | None]:
        """Whether the telemetry of a fund's router is known, and its time."""
        kpis = self.kpis(fund)
        return kpis["router"]["state"], kpis["telemetry"]["router"]["updated_at"]

    @property
    def now(self) -> Timestamp:
        assert self.model is not None
        return self.model.sources.now()

    async def ask(self, action: Action, fund: str, account: int, nonce: int) -> str:
        """Hand a signed request in at the desk, as a page does; its id."""
        assert self.desk is not None
        target, now = self.desk.targets[fund], self.now
        asked = ActionRequest(
            fund=fund, action=action, slot=now, reason="tried by hand", deadline=now + 900, nonce=nonce,
            chain=target.chain_id, contract=target.contract,
        )  # fmt: skip
        signer = EphemeralSigner(account_key(account))
        signature = await sign_checked(signer, asked.payload)
        await self.desk.receive(
            SignedRequest(asked, Address(signer.address), signature.to_bytes()).document(), "a page"
        )
        return asked.id

    def ended(self, request: str) -> bool:
        rows = {row.record.id: row for row in self.store.requests()}
        return rows[request].state is RequestState.DONE

    def posted(self, fund: str) -> int:
        rows = self.store.slots(fund=fund)
        return sum(row.cadence is Cadence.EMERGENCY and row.state is SlotState.POSTED for row in rows)


async def until(holds: Callable[[], bool], what: str) -> None:
    async with asyncio.timeout(PATIENCE):
        while not holds():
            await asyncio.sleep(0.05)
    assert holds(), what


async def test_desk__requests_before_and_after_the_end_of_the_story__are_carried_out(tmp_path: Path) -> None:
    store = SqlStore.open(f"sqlite:///{tmp_path / 'demo.db'}")
    watched = Watched(tmp_path, store, asyncio.Event())
    demo = asyncio.create_task(watched.play())
    try:
        await until(lambda: watched.desk is not None, "the story begins")
        in_story = await watched.ask(Action.EMERGENCY_UPDATE, "stable", GUARDIAN, 1)
        await until(lambda: watched.over, "the story is over")
        assert watched.ended(in_story)
        assert watched.posted("stable") == 1
        told, at = watched.routed("multi")
        assert told == "known"
        assert at is not None
        assert at > START
        assert watched.routed("levered-pt") == ("unknown", None)

        with pytest.raises(RequestRefused, match="holds no role"):
            await watched.ask(Action.EMERGENCY_UPDATE, "multi", POSTER, 1)
        paced = await watched.ask(Action.EMERGENCY_UPDATE, "multi", GUARDIAN, 2)
        await until(lambda: watched.ended(paced) and watched.posted("multi") == 1, "an EMERGENCY post")
        held = await watched.ask(Action.HOLD, "multi", RISK, 3)
        await until(lambda: watched.ended(held), "a hold")
        before = watched.now
        await until(lambda: watched.now >= before + 3_600, "an hour goes by")
        told, later = watched.routed("multi")
        assert told == "known"
        assert later is not None
        assert later > before
        assert watched.kpis("multi")["router"]["slip_q50_bps"] is not None
        newest = store.slots(fund="multi", limit=1)[0]
        assert newest.state is not SlotState.POSTED
        assert store.slots(fund="stable", limit=1)[0].state is SlotState.POSTED
    finally:
        watched.stop.set()
        result = await demo
        store.close()
    assert not result.stopped
    assert result.verification.rejected == ()
