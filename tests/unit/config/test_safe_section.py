"""The section of a chain's Safe: what it needs, where its files are, and that its key shows nowhere."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import SecretStr, ValidationError

from navoracle.cli.config import config_document
from navoracle.config.loading import load_config
from navoracle.config.safe import SafeSection
from tests.unit.safe.office import MULTISEND, SAFE

KEY = "k3y-of-the-safe-service"


def test_section__in_a_file__takes_its_files_from_there_and_hides_the_key(tmp_path: Path) -> None:
    safe = {"address": SAFE, "folder": "proposals", "signer": {"key_file": "proposer.key"}}
    safe |= {"service": {"api_key": "${SAFE_API_KEY}"}, "multisend": MULTISEND}
    fund = {"id": 1, "supply": {"kind": "fixed", "shares": "1"}}
    fund |= {"positions": [{"kind": "declared", "asset": "USD", "component": "cash", "amount": "1"}]}
    document = {"chains": {"home": {"chain_id": 1, "rpc": "http://127.0.0.1:1", "safe": safe}}}
    file = tmp_path / "navoracle.yaml"
    file.write_text(yaml.safe_dump({**document, "assets": {}, "funds": {"one": fund}}))
    config = load_config(file, {"SAFE_API_KEY": KEY})
    section = config.chains["home"].safe
    assert section is not None
    assert section.folder == tmp_path / "proposals"
    assert section.signer is not None
    assert section.signer.model_dump()["key_file"] == tmp_path / "proposer.key"
    assert section.service is not None
    assert section.service.api_key is not None
    assert section.service.api_key.get_secret_value() == KEY
    shown = config_document(config, SecretStr("sqlite://"))
    assert KEY not in f"{config!r} {shown}"


@pytest.mark.parametrize(
    "wrong",
    [
        {"address": SAFE.lower()},
        {"placement": "first"},
        {"multisend": "0x12"},
        {"service": {"url": "http://service.example"}},
        {"service": {"url": "https://service.example/?key=1"}},
        {"service": {"timeout": 0}},
        {"owners": []},
    ],
)
def test_section__with_what_cannot_be__is_refused(wrong: dict[str, Any]) -> None:
    good = {"address": SAFE, "folder": "proposals"}
    SafeSection.model_validate(good)
    with pytest.raises(ValidationError):
        SafeSection.model_validate({**good, **wrong})
