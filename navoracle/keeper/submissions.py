"""What becomes of a frame's NAVs on their way to one contract."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from navoracle.publisher_port import Batch, Preview, ReadBack
from navoracle.store_port import PostRow

REGISTRY: Final = "registry"
"""What a registry of ours is called in reasons."""


@dataclass(slots=True)
class SentBatch:
    """One transaction of a submission and what became of it.

    `failed` says why nothing of it will be served; `read_backs` is None until its transaction is confirmed and the
    contract was read again; `unanswered` is why the last look at it failed; `follow_up` what became of the call without
    which the contract does not serve it yet.
    """

    post: PostRow
    failed: str | None = None
    read_backs: tuple[ReadBack, ...] | None = None
    unanswered: str | None = None
    follow_up: str | None = None

    @property
    def pending(self) -> bool:
        """Whether its outcome is not known yet."""
        return self.read_backs is None and self.failed is None


@dataclass(slots=True)
class Submission:
    """What became of one frame's NAVs at one contract, which `label` stands for in reasons.

    `refused` are funds that were not sent, by reason; `proposed` those that others are to send, with the place of the
    proposal; `failed` those whose transaction could not be sent.
    """

    frame: str
    label: str = REGISTRY
    refused: dict[str, str] = field(default_factory=dict)
    proposed: dict[str, str] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)
    batches: list[SentBatch] = field(default_factory=list)

    @property
    def pending(self) -> bool:
        """Whether a transaction was handed to the lane whose outcome is not known yet."""
        return any(batch.pending for batch in self.batches)

    def batch_of(self, fund: str) -> SentBatch | None:
        """The transaction that carries the fund; None when it was not handed to the lane."""
        return next((sent for sent in self.batches if any(part.fund == fund for part in sent.post.funds)), None)


@dataclass(frozen=True, slots=True)
class Previewed:
    """A fund's newest post as it was, or would have been, sent, and what the contract said of it.

    `read_back` is what the contract held once it was mined; None before that.
    """

    batch: Batch
    preview: Preview
    read_back: ReadBack | None = None
