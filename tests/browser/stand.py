"""A dashboard over state files that a test writes, served by a thread of the test's own process."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from navoracle.composition.stores import open_store
from navoracle.dashboard.access import Password, hashed
from navoracle.dashboard.attach import Settings
from navoracle.dashboard.gate import Access
from navoracle.dashboard.standalone import serving_dashboard
from navoracle.domain.units import Timestamp
from navoracle.read_model.model import ReadModel
from navoracle.read_model.sources import FundFacts, Sources
from navoracle.read_model.verification import Verification
from navoracle.state_files.documents import documents_of
from navoracle.state_files.documents.index import entry_json, index_entry
from navoracle.state_files.writer import SetWriter
from navoracle.store_port import AlertRow
from tests.browser.keeper import RunningClock, Told, desk_of, fill, rich_facts
from tests.unit.state_files import builders
from tests.unit.storage.builders import alert_row

MARKUP: Final = '<img src=x onerror="window.broken=1">'
"""A fund's name; where it were taken for markup, `window.broken` would be set."""

ASSET: Final = "<b onmouseover=window.broken=1>USDC</b>"
PASSWORD: Final = "correct horse battery staple"
MANY: Final = 10_000


class Stand:
    """The dashboard with many funds, one of which has everything and a name with markup in it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._writer = SetWriter(folder / "state", fsync=False)
        self._store = open_store(f"sqlite:///{folder / 'stand.db'}")
        fill(self._store)
        self._started = time.monotonic()
        self._thread: threading.Thread | None = None
        self._ready = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None
        self.port = 0
        self.facts = {f"fund-{number:05d}": f"fund-{number:05d}" for number in range(MANY - 1)}
        self._entries: dict[str, Any] = {}
        self._served = MANY

    def now(self) -> Timestamp:
        """The stand's clock: the builders' time, and what has passed since."""
        return Timestamp(builders.NOW + 20 + int(time.monotonic() - self._started))

    def write(self, nav: str | None = None) -> None:
        """Write the fund's files and the index, with another NAV where one is given."""
        facts = replace(rich_facts(), view=replace(builders.VIEW, fund=MARKUP))
        facts = replace(facts, now=self.now())
        documents = {name: self._altered(content, nav) for name, content in documents_of(facts).items()}
        entry = entry_json(index_entry(facts))
        if nav is not None:
            entry["nav"] = nav
        if not self._entries:
            self._entries = {
                name: {**entry, "folder": name, "nav": str(number)} for number, name in enumerate(self.facts)
            }
        self._entries[MARKUP] = entry
        self._writer.write(MARKUP, documents)
        entries = {name: self._entries[name] for name in self._names()}
        index = {"format": 1, "updated_at": entry["updated_at"], "age_s": 0, "funds": entries}
        self._writer.write_index(json.dumps(index).encode())

    def serve_only(self, funds: int) -> None:
        """Serve so many of the plain funds from now on, and the two that are not plain."""
        self._served = funds
        self.write()

    def document(self, name: str) -> dict[str, Any]:
        """A document of the fund as it is in its file."""
        (found,) = (self._folder / "state").glob(f"*onerror*/{name}.json")
        document: dict[str, Any] = json.loads(found.read_text())
        return document

    def alert(self) -> None:
        """Let something be wrong, with markup in what is said of it."""
        told, at = "the NAV is old: <script>window.broken=1</script>", self.now()
        row = alert_row("NavStale:x", told, advice="Look at the node.", first_at=at, last_at=at)
        self._store.save_alert(replace(row, subject=MARKUP))

    def alerts(self) -> tuple[AlertRow, ...]:
        """Every alert as it is kept."""
        return self._store.alerts()

    def requests(self) -> set[str]:
        """The requests that were taken."""
        return {row.record.id for row in self._store.requests()}

    def start(self) -> None:
        """Serve until `stop`."""
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), name="stand", daemon=True)
        self._thread.start()
        assert self._ready.wait(60), "the stand does not come up"

    def stop(self) -> None:
        """Stop serving, as a server that dies would."""
        if self._loop is not None and self._stop is not None and self._thread is not None:
            self._loop.call_soon_threadsafe(self._stop.set)
            self._thread.join(30)
            self._thread = None
        self._writer.close()
        self._store.close()

    async def _serve(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        known = {name: FundFacts(name, "main", frozenset()) for name in (*self.facts, MARKUP)}
        model = ReadModel(
            Sources(
                store=self._store,
                funds=lambda: {name: known[name] for name in self._names()},
                state_folder=self._folder / "state",
                now=self.now,
                verify=_verify,
                live=Told(),
            )
        )
        access = Access(Password(hashed(PASSWORD)), {"127.0.0.1"})
        desk = desk_of(self._store, RunningClock(self.now))
        async with serving_dashboard(model, Settings(access, 3_600), "127.0.0.1", 0, desk) as self.port:
            self._ready.set()
            await self._stop.wait()

    def _names(self) -> list[str]:
        return [*list(self.facts)[: self._served - 1], MARKUP]

    @staticmethod
    def _altered(content: bytes, nav: str | None) -> bytes:
        document = json.loads(content)
        if nav is not None and "total_equity" in document:
            document["nav"] = document["total_equity"] = nav
        return json.dumps(document).replace("USDC", ASSET).encode()


def _verify(frame: str, fund: str) -> Verification:
    raise AssertionError(f"{frame} of {fund} has no evidence here")
