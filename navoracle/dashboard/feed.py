"""Live pages: one task looks for changes, whatever the number of open pages, and each page is loaded once for all."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Any, Final, Generic, TypeVar

import structlog
from nicegui import Client, ui

from navoracle.domain.errors import NavoracleError
from navoracle.requests.desk import RequestDesk

LOOK_SECONDS: Final = 1.0

Head = TypeVar("Head")
Data = TypeVar("Data")


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why a page cannot be shown now."""

    message: str
    advice: str


class Feed:
    """Loads pages, and tells the open ones when there is something new.

    Args:
        version: another value whenever anything that a page shows may have changed; asked in another thread.
    """

    def __init__(self, version: Callable[[], Hashable], seconds: float = LOOK_SECONDS) -> None:
        self._version = version
        self._seconds = seconds
        self._views: set[View[Any, Any]] = set()
        self._loaded: dict[Hashable, asyncio.Task[Any]] = {}
        self._seen: Hashable = None
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to look; called in the loop that serves the pages."""
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._run(), name="dashboard feed")

    async def stop(self) -> None:
        """Stop looking."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None

    def add(self, view: View[Any, Any]) -> None:
        """A page is open."""
        self._views.add(view)

    def remove(self, view: View[Any, Any]) -> None:
        """A page is closed."""
        self._views.discard(view)

    async def load(self, key: Hashable, load: Callable[[], Data]) -> Data | Trouble:
        """What `load` says, from another thread, once for all pages that ask for the same while nothing changes."""
        task = self._loaded.get(key)
        if task is None:
            task = self._loaded[key] = asyncio.create_task(asyncio.to_thread(load))
        try:
            found: Data = await asyncio.shield(task)
            return found
        except NavoracleError as error:
            return Trouble(error.message, error.advice)
        except (OSError, ValueError) as error:
            return Trouble(f"the state cannot be read: {error}", "Look at the state files' folder and its owner.")

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(self._seconds)
            if self._views:
                await self._look()

    async def _look(self) -> None:
        try:
            seen = await asyncio.to_thread(self._version)
        except (NavoracleError, OSError, ValueError) as error:
            seen = str(error)
        if seen == self._seen:
            return
        self._seen = seen
        self._loaded.clear()
        for view in tuple(self._views):
            try:
                await view.refresh()
            except (RuntimeError, LookupError, TypeError, ValueError) as error:
                # One page's defect must not keep the others from being told.
                structlog.get_logger("navoracle.dashboard").error(
                    "page_failed", page=view.name, error=repr(error), advice="Report this as a defect of the page."
                )


@dataclass(eq=False)
class View(Generic[Head, Data]):
    """One open page of one browser.

    Attributes:
        name: the page's path.
        load: reads what the page shows for its parameters, and what stands over it, in another thread.
        build: makes the elements and returns what updates them.
        told: shows what stands over the page.
        desk: where signed requests go; None where this process takes none.
        visitor: the address that the page was asked from.
    """

    name: str
    feed: Feed
    client: Client
    load: Callable[[Any], tuple[Head, Data]]
    build: Callable[[View[Head, Data], Data], Callable[[Data], None]]
    parameters: Hashable
    told: Callable[[Head], None]
    desk: RequestDesk | None = None
    visitor: str = "?"
    update: Callable[[Data], None] | None = None
    _place: ui.element | None = field(default=None, repr=False)
    _trouble: ui.element | None = field(default=None, repr=False)

    async def open(self) -> None:
        """Make the page in the place that is current, and keep it up to date until the browser leaves."""
        self._trouble = ui.element("div").classes("trouble")
        self._trouble.props["role"] = "alert"
        self._place = ui.element("div").classes("page")
        self.feed.add(self)
        self.client.on_delete(lambda: self.feed.remove(self))
        await self.refresh()

    async def change(self, parameters: Hashable) -> None:
        """Show the page for other parameters."""
        self.parameters = parameters
        await self.refresh()

    async def refresh(self) -> None:
        """Show what is there now."""
        parameters = self.parameters
        found = await self.feed.load((self.name, parameters), lambda: self.load(parameters))
        if self.client.is_deleted or self._place is None or self._trouble is None or parameters != self.parameters:
            return
        with self.client:
            self._tell(found if isinstance(found, Trouble) else None)
            if isinstance(found, Trouble):
                return
            head, data = found
            self.told(head)
            with self._place:
                if self.update is None:
                    self.update = self.build(self, data)
                self.update(data)

    def _tell(self, trouble: Trouble | None) -> None:
        if self._trouble is None:
            return
        self._trouble.clear()
        if trouble is not None:
            with self._trouble:
                ui.label(trouble.message)
                ui.label(trouble.advice)
