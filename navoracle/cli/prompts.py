"""Questions to a person at a terminal. Where there is none, nothing is asked, and what is required is an error."""

from __future__ import annotations

from dataclasses import dataclass

import typer

from navoracle.domain.errors import UsageError


@dataclass(frozen=True, slots=True)
class Prompts:
    """Asks on standard error, so that standard output holds the result alone; only where `enabled`."""

    enabled: bool

    def required(self, flag: str, question: str) -> str:
        """The answer. Raises UsageError, which names the flag, where nobody can be asked."""
        if not self.enabled:
            raise UsageError(
                f"{flag} is missing, and there is no terminal to ask at",
                advice=f"Give {question}.",
            )
        return str(typer.prompt(_sentence(question), err=True)).strip()

    def optional(self, question: str) -> str:
        """The answer, empty where there is none or nobody can be asked."""
        if not self.enabled:
            return ""
        return str(typer.prompt(_sentence(question), default="", show_default=False, err=True)).strip()

    def secret(self, question: str) -> str:
        """The answer, asked twice and never shown. Raises UsageError where nobody can be asked."""
        if not self.enabled:
            raise UsageError(f"{question} cannot be asked without a terminal", advice="Write it to standard input.")
        return str(typer.prompt(_sentence(question), hide_input=True, confirmation_prompt=True, err=True))


def _sentence(question: str) -> str:
    return question[0].upper() + question[1:]
