"""The drop folder: each file is taken once, whoever looks; nothing strange is read; every end is shown."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from navoracle.domain.errors import ChainError, ConfigurationError
from navoracle.requests.drop_folder import STALE_AFTER, DropFolder, drop_document
from tests.unit.requests.builders import GUARDIAN, NOW, Office, signed


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    office = Office.at(tmp_path)
    yield office
    office.store.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "drop"
    folder.mkdir()
    return folder


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def reason_of(folder: Path, name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / f"{name}.refused.reason").read_text(encoding="utf-8"))
    return found


def watching(folder: Path, office: Office) -> DropFolder:
    return DropFolder(folder, office.desk, office.clock)


async def test_poll__good_request__is_taken_and_shown_as_taken(office: Office, folder: Path) -> None:
    document = await signed()
    path = drop_document(folder, document)
    assert names(folder) == [path.name]
    assert await watching(folder, office).poll() == 1
    assert names(folder) == [f"{path.name}.taken"]
    (row,) = office.store.queued_requests()
    assert (row.record.id, row.record.received_by) == (document.request.id, f"drop folder: {path.name}")
    assert await watching(folder, office).poll() == 0


async def test_poll__refused__says_why_beside_it(office: Office, folder: Path) -> None:
    (folder / "a.json").write_bytes((await signed(deadline=NOW - 1)).document())
    assert await watching(folder, office).poll() == 1
    assert names(folder) == ["a.json.refused", "a.json.refused.reason"]
    assert reason_of(folder, "a.json")["reason"] == "expired"


async def test_poll__same_request_dropped_again__is_refused_and_keeps_both(office: Office, folder: Path) -> None:
    document = await signed()
    watch = watching(folder, office)
    for _ in range(3):
        (folder / "a.json").write_bytes(document.document())
        await watch.poll()
    found = names(folder)
    assert found[0].startswith("a.json.")
    assert sum(name.endswith(".refused") for name in found) == 2
    assert sum(name.endswith(".taken") for name in found) == 1
    assert reason_of(folder, "a.json")["reason"] == "replayed"
    assert len(office.store.requests()) == 1


async def test_poll__two_keepers_at_once__take_every_file_once(office: Office, folder: Path, tmp_path: Path) -> None:
    other = Office.at(tmp_path)
    for nonce in range(20):
        drop_document(folder, await signed(nonce=nonce))
    settled = await asyncio.gather(watching(folder, office).poll(), watching(folder, other).poll())
    assert sum(settled) == 20
    assert all(name.endswith(".taken") for name in names(folder))
    assert len(office.store.requests()) == 20
    assert office.refused == other.refused == []
    other.store.close()


async def test_poll__link__is_not_followed(office: Office, folder: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside.json"
    outside.write_bytes((await signed()).document())
    (folder / "a.json").symlink_to(outside)
    assert await watching(folder, office).poll() == 1
    assert reason_of(folder, "a.json")["reason"] == "malformed"
    assert outside.exists()
    assert office.store.requests() == ()


async def test_poll__pipe_folder_and_large_file__are_not_read(office: Office, folder: Path) -> None:
    os.mkfifo(folder / "pipe.json")
    (folder / "folder.json").mkdir()
    (folder / "large.json").write_bytes(b"x" * 20_000)
    assert await asyncio.wait_for(watching(folder, office).poll(), 5) == 3
    assert "not a plain file" in reason_of(folder, "pipe.json")["message"]
    assert "cannot be read: Is a directory" in reason_of(folder, "folder.json")["message"]
    assert "more than 16384 bytes" in reason_of(folder, "large.json")["message"]


async def test_poll__other_files__are_left_alone(office: Office, folder: Path) -> None:
    for name in (".a.json", "b.txt", "c.json.tmp", "d.JSON"):
        (folder / name).write_bytes((await signed()).document())
    assert await watching(folder, office).poll() == 0
    assert names(folder) == [".a.json", "b.txt", "c.json.tmp", "d.JSON"]


async def test_poll__more_than_fifty__are_taken_in_turns(office: Office, folder: Path) -> None:
    for number in range(60):
        (folder / f"{number:03}.json").write_bytes(b"{}")
    watch = watching(folder, office)
    assert [await watch.poll(), await watch.poll(), await watch.poll()] == [50, 10, 0]


async def test_poll__chain_fails__gives_the_file_back_and_goes_on_with_the_others(office: Office, folder: Path) -> None:
    document = await signed()
    (folder / "a.json").write_bytes(document.document())
    (folder / "b.json").write_bytes(b"{}")
    office.chain.answers.clear()
    with pytest.raises(ChainError):
        await watching(folder, office).poll()
    assert names(folder) == ["a.json", "b.json.refused", "b.json.refused.reason"]
    office.grant(GUARDIAN.address, 4)
    assert await watching(folder, office).poll() == 1
    assert "a.json.taken" in names(folder)


async def test_poll__keeper_died_with_a_file__another_one_takes_it_later(office: Office, folder: Path) -> None:
    left = folder / f"a.json.{'0' * 16}.working"
    left.write_bytes((await signed()).document())
    watch = watching(folder, office)
    assert await watch.poll() == 0
    office.clock.set(NOW + STALE_AFTER - 1)
    assert await watch.poll() == 0
    assert names(folder) == [left.name]
    office.clock.set(NOW + STALE_AFTER)
    assert await watch.poll() == 1
    assert names(folder) == ["a.json.taken"]


async def test_poll__file_given_back_meets_a_new_one_of_its_name__keeps_both(office: Office, folder: Path) -> None:
    (folder / f"a.json.{'0' * 16}.working").write_bytes((await signed(nonce=1)).document())
    watch = watching(folder, office)
    await watch.poll()
    (folder / "a.json").write_bytes((await signed(nonce=2)).document())
    office.clock.set(NOW + STALE_AFTER)
    assert await watch.poll() == 2
    assert len(office.store.requests()) == 2


async def test_poll__folder_is_not_there__says_what_to_do(office: Office, folder: Path) -> None:
    with pytest.raises(ConfigurationError, match="cannot be used: No such file") as caught:
        await watching(folder / "none", office).poll()
    assert "drop_folder" in caught.value.advice


async def test_poll__name_with_control_characters__is_recorded_without_them(office: Office, folder: Path) -> None:
    (folder / "a\n\x1b[2J.json").write_bytes((await signed()).document())
    assert await watching(folder, office).poll() == 1
    assert office.taken[0].received_by == "drop folder: a??[2J.json"


async def test_drop_document__twice__is_refused_and_leaves_nothing_unfinished(folder: Path) -> None:
    document = await signed()
    path = drop_document(folder, document)
    assert path.read_bytes() == document.document() + b"\n"
    with pytest.raises(ConfigurationError, match="File exists"):
        drop_document(folder, document)
    assert names(folder) == [path.name]
    with pytest.raises(ConfigurationError, match="No such file"):
        drop_document(folder / "none", document)
