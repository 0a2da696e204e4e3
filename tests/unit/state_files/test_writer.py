"""Sets flip whole, one keeper at a time; what a crash or a full disk leaves behind is cleaned up."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from navoracle.domain.units import Timestamp
from navoracle.state_files import writer as module
from navoracle.state_files.names import folder_name
from navoracle.state_files.reader import read_index, read_set, with_live_ages
from navoracle.state_files.writer import KEEP_MOST, SetWriter, current_number, numbers_of


def documents(frame: int) -> dict[str, bytes]:
    return dict.fromkeys(("a.json", "b.json"), b'{"frame": %d}' % frame)


def frames(folder: Path, fund: str = "alpha") -> set[int]:
    return {document["frame"] for document in read_set(folder, fund).values()}


def test_set__written__is_read_under_its_own_names_through_current(tmp_path: Path) -> None:
    writer = SetWriter(tmp_path)
    writer.write("alpha", documents(1))
    writer.write("alpha", documents(2))
    assert frames(tmp_path) == {2}
    assert (tmp_path / "alpha" / "a.json").read_bytes() == b'{"frame": 2}'
    assert (tmp_path / "alpha" / "a.json").readlink() == Path("current/a.json")
    assert (tmp_path / "alpha" / "current").readlink() == Path(".sets/2")


def test_reader__with_a_set_open__keeps_it_while_others_are_put_in_place(tmp_path: Path) -> None:
    writer = SetWriter(tmp_path, fsync=False)
    writer.write("alpha", documents(1))
    opened = os.open(tmp_path / "alpha" / "current", os.O_RDONLY | os.O_DIRECTORY)
    for number in range(2, 10):
        writer.write("alpha", documents(number))
    try:
        with os.fdopen(os.open("b.json", os.O_RDONLY, dir_fd=opened), "rb") as file:
            assert file.read() == b'{"frame": 1}'
    finally:
        os.close(opened)


def test_sets__long_out_of_place__are_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    writer = SetWriter(tmp_path, fsync=False)
    for number in range(1, KEEP_MOST + 12):
        writer.write("alpha", documents(number))
    sets = tmp_path / "alpha" / ".sets"
    assert len(numbers_of(sets)) == KEEP_MOST + 1
    monkeypatch.setattr(module, "KEEP_SECONDS", -1)
    writer.write("alpha", documents(99))
    assert len(numbers_of(sets)) == 1
    assert frames(tmp_path) == {99}


def test_folder__of_another_keeper__is_refused_until_that_one_ends(tmp_path: Path) -> None:
    first, second = SetWriter(tmp_path), SetWriter(tmp_path)
    first.write("alpha", documents(1))
    with pytest.raises(OSError, match="another keeper writes to"):
        second.write("alpha", documents(2))
    assert frames(tmp_path) == {1}
    first.close()
    second.write("alpha", documents(2))
    assert frames(tmp_path) == {2}


def test_disk__full_within_a_set__leaves_the_one_before_in_place_and_no_rest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer = SetWriter(tmp_path)
    writer.write("alpha", documents(1))
    real, written = os.write, [0]

    def full(descriptor: int, data: memoryview) -> int:
        written[0] += 1
        if written[0] == 2:
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(descriptor, data[:3])  # a short write is gone on with

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(OSError, match="No space left"):
        writer.write("alpha", documents(2))
    assert frames(tmp_path) == {1}
    assert numbers_of(tmp_path / "alpha" / ".sets") == [1]
    written[0] = 100
    writer.write("alpha", documents(3))
    assert frames(tmp_path) == {3}


def test_start__after_a_crash__removes_the_set_that_never_came_to_be(tmp_path: Path) -> None:
    first = SetWriter(tmp_path)
    first.write("alpha", documents(1))
    first.close()
    torn = tmp_path / "alpha" / ".sets" / "2"
    torn.mkdir()
    (torn / "a.json").write_bytes(b'{"fra')
    (tmp_path / "alpha" / ".current.new").symlink_to(".sets/2")
    second = SetWriter(tmp_path)
    second.write("alpha", documents(3))
    assert frames(tmp_path) == {3}
    assert current_number(tmp_path / "alpha") == 2
    assert sorted(path.name for path in (tmp_path / "alpha" / ".sets" / "2").iterdir()) == ["a.json", "b.json"]


def test_file__of_somebody_in_the_way__is_replaced_by_the_link(tmp_path: Path) -> None:
    (tmp_path / "alpha").mkdir()
    (tmp_path / "alpha" / "a.json").write_text("mine")
    SetWriter(tmp_path).write("alpha", documents(1))
    assert (tmp_path / "alpha" / "a.json").read_bytes() == b'{"frame": 1}'


def test_index__written__replaces_the_one_before(tmp_path: Path) -> None:
    writer = SetWriter(tmp_path)
    assert read_index(tmp_path) == {}
    for number in (1, 2):
        writer.write_index(b'{"n": %d}' % number)
    assert read_index(tmp_path) == {"n": 2}


def test_fsync__unless_it_is_off__makes_every_file_and_folder_safe(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[int] = []
    monkeypatch.setattr(os, "fsync", synced.append)
    SetWriter(tmp_path / "on").write("alpha", documents(1))
    assert len(synced) == 5  # two files, their folder, the folder of sets, the fund's folder
    synced.clear()
    SetWriter(tmp_path / "off", fsync=False).write("alpha", documents(1))
    assert synced == []


@pytest.mark.parametrize(
    ("fund", "folder"),
    [
        ("alpha", "alpha"),
        ("α fund", "%CE%B1 fund"),
        ("a/../b", "a%2F..%2Fb"),
        ("..", "%2E."),
        (".lock", "%2Elock"),
        ("index.json", "index%2Ejson"),
        ("v1.2", "v1.2"),
        ("<b>", "%3Cb%3E"),
        ("100%", "100%25"),
    ],
)
def test_folder__of_any_fund__stays_within_the_state_folder(fund: str, folder: str) -> None:
    assert folder_name(fund) == folder


def test_set__of_a_fund_with_a_hostile_name__is_written_and_read_in_its_folder(tmp_path: Path) -> None:
    SetWriter(tmp_path).write("../x", documents(1))
    assert frames(tmp_path, "../x") == {1}
    assert not (tmp_path.parent / "x").exists()


def test_read__of_a_fund_without_files__is_empty_and_of_a_broken_file_an_error(tmp_path: Path) -> None:
    assert read_set(tmp_path, "alpha") == {}
    SetWriter(tmp_path).write("alpha", {"a.json": b"[1]"})
    with pytest.raises(ValueError, match=r"a\.json holds no JSON object"):
        read_set(tmp_path, "alpha")


def test_ages__shown_later__are_as_of_now_wherever_a_time_stands_beside_them() -> None:
    document = {
        "updated_at": 100, "age_s": 1, "unknown": {},
        "confirmed": {"valuation_time": 50, "age_s": 3, "nav": "1"},
        "fx": {"as_of": None, "age_s": None},
        "prices": {"ETH": {"as_of": 90, "age_s": 4}},
        "list": [{"as_of": 80, "age_s": 0}],
        "freshness": {"balances_age_s": 9},
    }  # fmt: skip
    found = with_live_ages(document, Timestamp(200))
    assert found["age_s"] == 100
    assert found["confirmed"] == {"valuation_time": 50, "age_s": 150, "nav": "1"}
    assert found["fx"] == {"as_of": None, "age_s": None}
    assert found["prices"]["ETH"]["age_s"] == 110
    assert found["list"][0]["age_s"] == 120
    assert found["freshness"] == {"balances_age_s": 9}
    assert document["age_s"] == 1
