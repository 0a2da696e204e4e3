"""A service to try the API on: `python -m tests.web.api_service FOLDER` makes a database and serves it.

The database holds an hour of the demo and a slot of a fund with state files and risks. FOLDER gets `address`, `token`,
and `names.toml`, which names a fund, a frame and an asset that are there.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from navoracle.composition.read_model import read_model_of, verification_of
from navoracle.demo.run import run_demo
from navoracle.domain.errors import RequestRefused
from navoracle.domain.units import Timestamp
from navoracle.read_model.model import ReadModel
from navoracle.read_model.sources import FundFacts, Sources
from navoracle.requests.document import parse_signed_request
from navoracle.storage import SqlStore
from navoracle.store_port import RequestRecord
from navoracle.web_service import build_app, serving
from tests.unit.composition.test_state_files import START, running, settings, slot
from tests.unit.read_model.worlds import Running
from tests.unit.storage.builders import alert_row
from tests.unit.web_service.fakes import TOKEN, Keeper, Text


class Parsing:
    """Reads every request, and knows none of the funds."""

    async def receive(self, document: bytes, source: str) -> RequestRecord:
        parse_signed_request(document)
        raise RequestRefused("unknown_fund", "there is no such fund", advice="Name another one.")


class Hurrying:
    """A clock by which nobody asks too often."""

    at = 0.0

    def __call__(self) -> float:
        self.at += 60
        return self.at


async def filled(folder: Path, store: SqlStore) -> ReadModel:
    """A read model with something at every path."""
    await run_demo(1, store, lambda *_: None, lambda *_: None)
    async with running(settings(folder), store, folder) as service:
        await slot(service)
        model = read_model_of(service.system.subject, store, service.system.clock, state_folder=folder / "state")
    known = {"stable": FundFacts("stable", "home", frozenset({"USDC"})), **model.sources.funds()}
    store.save_alert(alert_row("FundHalted:alpha", "halted", first_at=START, last_at=START))
    return ReadModel(
        Sources(
            store=store,
            funds=lambda: known,
            state_folder=folder / "state",
            now=lambda: Timestamp(START),
            verify=lambda frame, fund: verification_of(store, frame, fund),
            live=Running(),
        )
    )


async def main(folder: Path) -> None:
    """Serve, and say where and by which token."""
    (folder / "token").write_text(TOKEN)
    with SqlStore.open(f"sqlite:///{folder}/keeper.db") as store:
        model = await filled(folder, store)
        (post,) = model.posts(limit=1).items
        fund = post.funds[0].fund
        (folder / "names.toml").write_text(
            f'[parameters]\n"path.fund" = "{fund}"\n"path.frame" = "{post.frame}"\n"path.asset" = "USDC"\n'
            '"path.key" = "FundHalted:alpha"\n'
        )
        app = build_app(Keeper(), Parsing(), Text(), (TOKEN,), model=model, on_loopback=False, monotonic=Hurrying())
        async with serving(app, "127.0.0.1", 0) as port:
            (folder / "new").write_text(f"http://127.0.0.1:{port}")
            (folder / "new").rename(folder / "address")
            await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
