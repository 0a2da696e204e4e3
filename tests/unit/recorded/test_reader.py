"""Recorded series and documents behind the off-chain port."""

from __future__ import annotations

from pathlib import Path

import pytest

from navoracle.domain.errors import ConfigurationError
from navoracle.domain.units import WAD, Timestamp, Wad
from navoracle.ports import Answer, Document, OffChainReader, RecordedRow
from navoracle.recorded.reader import RecordedReader
from navoracle.recorded.series import Series
from navoracle.recorded_rows import decode_row

EMPTY = Answer(b"", failure="empty_result")
SERIES = Series("file", 60, (Timestamp(120), Timestamp(180)), (Wad(WAD), Wad(1)))


async def test_read__rows_and_documents__are_answered_in_order(tmp_path: Path) -> None:
    (tmp_path / "custody.json").write_bytes(b"signed")
    reader: OffChainReader = RecordedReader({"usdc": SERIES}, tmp_path)
    requests = (Document("custody.json"), RecordedRow("usdc"), Document("absent.json"))
    document, row, absent = await reader.read(requests, Timestamp(179))
    assert document == Answer(b"signed")
    assert decode_row(row.data, 18) == (120, WAD)
    assert absent == EMPTY


async def test_read__row__is_the_newest_known_and_exact() -> None:
    reader = RecordedReader({"usdc": SERIES})
    assert reader.answer(RecordedRow("usdc"), Timestamp(119)) == EMPTY
    assert decode_row(reader.answer(RecordedRow("usdc"), Timestamp(180)).data, 18) == (180, 1)


async def test_read__series_not_loaded__is_a_configuration_error_naming_the_others() -> None:
    with pytest.raises(ConfigurationError, match="dai") as caught:
        await RecordedReader({"usdc": SERIES}).read((RecordedRow("dai"),), Timestamp(1))
    assert "usdc" in caught.value.advice


@pytest.mark.parametrize("path", ["../secret", "/etc/hostname", "a/../../secret", "link"])
async def test_read__document_outside_the_folder__is_refused(tmp_path: Path, path: str) -> None:
    folder = tmp_path / "documents"
    folder.mkdir()
    (tmp_path / "secret").write_bytes(b"secret")
    (folder / "link").symlink_to(tmp_path / "secret")
    with pytest.raises(ConfigurationError, match="outside"):
        await RecordedReader({}, folder).read((Document(path),), Timestamp(1))


async def test_read__document_that_is_a_folder__is_unreadable(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    answer = RecordedReader({}, tmp_path).answer(Document("folder"), Timestamp(1))
    assert answer.failure is not None
    assert answer.failure.startswith("unreadable")


async def test_read__no_folder_of_documents__is_a_configuration_error() -> None:
    with pytest.raises(ConfigurationError, match="no folder"):
        await RecordedReader({}).read((Document("custody.json"),), Timestamp(1))
