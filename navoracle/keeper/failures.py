"""Jobs whose failure ends nothing: it is told once, and once more when it is over."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from navoracle.domain.errors import NavoracleError
from navoracle.keeper.observer import Observer


class Failures:
    """What fails now, by the name of the job."""

    def __init__(self, observer: Observer) -> None:
        self._observer = observer
        self._failing: set[str] = set()

    async def guard(self, what: str, job: Callable[..., Awaitable[Any]], *arguments: Any) -> None:
        """Run a job; an error raised on purpose is told and goes no further."""
        try:
            await job(*arguments)
        except NavoracleError as error:
            self.tell(what, error)
        else:
            if what in self._failing:
                self._failing.discard(what)
                self._observer.recovered(what)

    def tell(self, what: str, error: NavoracleError) -> None:
        """A job failed."""
        self._failing.add(what)
        self._observer.failed(what, error)
