"""What a proposal is for, and until when it is good: what its Safe transaction cannot say."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Final

from navoracle.domain.errors import DomainError
from navoracle.domain.units import Timestamp

LONGEST_SENTENCE: Final = 500
MOST_SENTENCES: Final = 200

_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
_LATEST: Final = 2**32 - 1


@dataclass(frozen=True, slots=True)
class Purpose:
    """Why something is proposed.

    Attributes:
        action: one word for what it does: "post", "settle".
        funds: whose slot it ends, by their names in the configuration.
        slot: the slot's scheduled time.
        valuation_time: when the value was found.
        valid_until: from then on it must not be executed (Unix seconds, as all times here).
        sentences: what a signer is told, in plain words; the decoded calls are the proof.

    Raises:
        DomainError: a name, time or sentence is none.
    """

    action: str
    funds: tuple[str, ...]
    slot: Timestamp
    valuation_time: Timestamp
    valid_until: Timestamp
    sentences: tuple[str, ...]

    def __post_init__(self) -> None:
        names = (self.action, *self.funds)
        if not all(map(_is_name, names)) or not self.funds:
            raise _refused("names its action and its funds: letters, digits, - and _")
        times = (self.slot, self.valuation_time, self.valid_until)
        if not all(type(time) is int and 0 <= time <= _LATEST for time in times):
            raise _refused("has times of 32 bits, in Unix seconds")
        if not self.valuation_time < self.valid_until:
            raise _refused("is good until after its valuation")
        if not 1 <= len(self.sentences) <= MOST_SENTENCES or not all(map(_is_sentence, self.sentences)):
            raise _refused(f"says in 1 to {MOST_SENTENCES} printable sentences what it does")

    def same_slot(self, other: Purpose) -> bool:
        """Whether both would do the same for one of the funds in the same slot."""
        same = (self.action, self.slot) == (other.action, other.slot)
        return same and not set(self.funds).isdisjoint(other.funds)

    def expired(self, now: int) -> bool:
        """Whether its valuation is too old at that time."""
        return now >= self.valid_until

    def fields(self) -> dict[str, Any]:
        """As plain JSON."""
        return {
            "action": self.action,
            "funds": list(self.funds),
            "slot": self.slot,
            "valuation_time": self.valuation_time,
            "valid_until": self.valid_until,
            "sentences": list(self.sentences),
        }


def _is_name(text: object) -> bool:
    return isinstance(text, str) and _NAME.fullmatch(text) is not None


def _is_sentence(text: object) -> bool:
    return isinstance(text, str) and 1 <= len(text) <= LONGEST_SENTENCE and text.isprintable()


def _refused(rule: str) -> DomainError:
    return DomainError(f"the purpose of a proposal {rule}", advice="Correct what is proposed.")
