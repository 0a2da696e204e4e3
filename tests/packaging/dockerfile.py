"""The Dockerfile as its instructions."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import cast

from tests.requirements import PROJECT


@dataclass(frozen=True)
class Instruction:
    """One instruction: its word and the rest, in the stage that began last."""

    stage: int
    word: str
    rest: str

    @property
    def arguments(self) -> list[str]:
        """The list of an instruction in exec form."""
        return cast("list[str]", json.loads(self.rest[self.rest.index("[") :]))


def instructions() -> list[Instruction]:
    """What the Dockerfile says, comments left out and continued lines joined."""
    text = (PROJECT / "Dockerfile").read_text(encoding="utf-8")
    lines = re.sub(r"^\s*#.*\n", "", text, flags=re.MULTILINE).replace("\\\n", " ").splitlines()
    found: list[Instruction] = []
    stage = -1
    for line in filter(str.strip, lines):
        word, _, rest = line.partition(" ")
        stage += word == "FROM"
        found.append(Instruction(stage, word, " ".join(rest.split())))
    return found


def only(word: str) -> Instruction:
    """The one instruction of that word."""
    (found,) = [each for each in instructions() if each.word == word]
    return found
