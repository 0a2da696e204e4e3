"""The folder of proposals: private, whole, and believed no further than it can be checked."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from navoracle.domain.errors import ConfigurationError, VerificationFailed
from navoracle.safe import ProposalFolder, SafeState, read_safe
from navoracle.safe.folder import name_of
from tests.unit.safe.office import OTHER, SAFE, FakeSafe, post, purpose, signed


async def state(nonce: int = 3) -> SafeState:
    safe = FakeSafe(nonce)
    return await read_safe(safe, SAFE, safe.block)


async def test_put__then_known__gives_it_back(tmp_path: Path) -> None:
    folder = ProposalFolder(tmp_path)
    made = await signed()
    place = await folder.put(made)
    assert stat.S_IMODE(Path(place).stat().st_mode) == 0o600
    (found,) = await folder.known(await state())
    assert (found.transaction, found.purpose, found.place) == (made.transaction, purpose(), place)
    assert [path.name for path in tmp_path.iterdir()] == [name_of(made)]  # and nothing unfinished


async def test_known__of_another_safe_chain_or_long_past__is_not_read(tmp_path: Path) -> None:
    folder = ProposalFolder(tmp_path)
    await folder.put(await signed(nonce=3))
    (tmp_path / f"1-{SAFE}-3-0x00.json").write_text("of another chain")
    (tmp_path / f"31337-{SAFE}-4-0x00.json.part").write_text("half")
    (tmp_path / "README").write_text("proposals")
    assert len(await folder.known(await state())) == 1
    assert len(await folder.known(await state(53))) == 1
    assert await folder.known(await state(54)) == ()


async def test_known__file_that_was_changed__is_refused_by_name(tmp_path: Path) -> None:
    folder = ProposalFolder(tmp_path)
    place = Path(await folder.put(await signed()))
    place.write_bytes(place.read_bytes().replace(b"1.05", b"1.95"))
    with pytest.raises(VerificationFailed, match="document is not signed by"):
        await folder.known(await state())


async def test_known__file_of_another_signer__is_refused(tmp_path: Path) -> None:
    folder = ProposalFolder(tmp_path)
    await folder.put(await signed(signer=OTHER))
    with pytest.raises(VerificationFailed, match="transaction is not signed by"):
        await folder.known(await state())


async def test_known__file_that_others_may_read__is_refused(tmp_path: Path) -> None:
    folder = ProposalFolder(tmp_path)
    Path(await folder.put(await signed())).chmod(0o640)
    with pytest.raises(ConfigurationError, match="read or written by others"):
        await folder.known(await state())


async def test_folder__that_is_not_there__is_refused_with_advice(tmp_path: Path) -> None:
    folder = ProposalFolder(tmp_path / "none")
    with pytest.raises(ConfigurationError, match="cannot be used") as refusal:
        await folder.known(await state())
    assert "700" in refusal.value.advice
    with pytest.raises(ConfigurationError):
        await folder.put(await signed(post(9)))
