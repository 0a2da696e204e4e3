"""State files of a replay: the same as the service's, after every frame, by the replay's clock."""

from __future__ import annotations

from pathlib import Path

from navoracle.composition.state_files import state_files_of
from navoracle.composition.system import System
from navoracle.config.state_files import StateFilesSection
from navoracle.domain.errors import UsageError
from navoracle.domain.frame import NavFrame
from navoracle.domain.prior import ConfirmedNav
from navoracle.state_files.state_files import StateFiles
from navoracle.store_port import Store


class ReplayStateFiles:
    """Writes what a replay's frames find; nothing without a folder.

    Attributes:
        served: what the chain serves, by fund; whoever reads it puts it there.
    """

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self._files: StateFiles | None = None
        self.served: dict[str, ConfirmedNav] = {}

    def began(self, system: System, store: Store) -> None:
        """The system is there. What the configuration says of state files holds, but for their folder."""
        if self._folder is not None:
            said = system.config.state_files or StateFilesSection(folder=self._folder)
            section = said.model_copy(update={"fsync": False})  # whatever is lost can be replayed
            self._files = state_files_of(section, system.config, system, store, self.served, folder=self._folder)

    def framed(self, frame: NavFrame) -> None:
        """A frame was run."""
        if self._files is not None:
            self._files.hear(frame)
            self._files.write()

    def close(self) -> str | None:
        """Write what is due; why that was not possible, None where it was."""
        if self._files is None:
            return None
        self._files.close()
        return self._files.trouble


def require_empty_folder(folder: Path) -> None:
    """Refuse a folder that holds anything: a replay's files are not mixed with others.

    Raises:
        UsageError: it holds something, is no folder, or cannot be looked into.
    """
    try:
        if not folder.exists() or not any(folder.iterdir()):
            return
    except OSError as error:
        raise UsageError(f"{folder}: {error.strerror}", advice="Name a new or empty folder.") from error
    raise UsageError(f"{folder} is not empty", advice="Name a new or empty folder.")
