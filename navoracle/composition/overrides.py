"""The overrides file of a running keeper: looked at before each plan, taken when it changed and is valid."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import structlog

from navoracle.composition.plans import subject_of
from navoracle.config.models import Config
from navoracle.config.overrides import Overridden, overridden, read_overrides
from navoracle.domain.errors import ConfigurationError
from navoracle.domain.units import Timestamp
from navoracle.keeper.plan import FundPlan
from navoracle.keeper.planner import Subject


@dataclass(frozen=True, slots=True)
class OverridesNews:
    """What became of a changed overrides file: taken (`trouble` is None), or not, and then the last good one counts.

    Attributes:
        said: what is overridden now, by path; see `navoracle.config.overrides.Overridden`.
        trouble: what is wrong with the file.
    """

    file: Path
    said: Mapping[str, Mapping[str, Any]]
    trouble: ConfigurationError | None


class LiveOverrides:
    """Implements `keeper.planner.PolicySource` for a configuration's overrides file.

    Args:
        config: without overrides.
        now: the time by which overrides expire.
        on_news: told of every change, and of a broken file once for each thing that is wrong with it; logged when None.

    Raises:
        ConfigurationError: the file is broken at the start, when there is no last good one to go by.
    """

    def __init__(
        self, config: Config, now: Callable[[], Timestamp], on_news: Callable[[OverridesNews], None] | None = None
    ) -> None:
        self._base = config
        self._now = now
        self._file = config.service.overrides_file
        self._on_news = _log if on_news is None else on_news
        self._content = b""
        self._trouble: ConfigurationError | None = None
        self.current = Overridden(config, {})
        if self._file is not None:
            self._content = read_overrides(self._file)
            self.current = overridden(config, self._content, str(self._file), now())

    @property
    def overrides(self) -> Mapping[str, Any]:
        """What is overridden, by path, as plain JSON."""
        return self.current.said

    def refresh(self, subject: Subject) -> Subject:
        """The subject with the policies of the file as it is now; a broken file changes nothing and is told of."""
        if self._file is None or not self._look(self._file):
            return subject
        fresh = subject_of(self.current.config).funds
        return replace(subject, funds={name: _with_policies(plan, fresh[name]) for name, plan in subject.funds.items()})

    def _look(self, file: Path) -> bool:
        """Whether other limits count: the file says something else than it did last and is good, or a limit expired."""
        now = self._now()
        try:
            content = read_overrides(file)
            if content == self._content and self._trouble is None:
                return self._expire(file, now)
            self.current = overridden(self._base, content, str(file), now)
        except ConfigurationError as trouble:
            self._tell_trouble(file, trouble)
            return self._expire(file, now)
        self._content, self._trouble = content, None
        self._on_news(OverridesNews(file, self.current.said, None))
        return True

    def _expire(self, file: Path, now: Timestamp) -> bool:
        """Let what has expired of the last good file count no longer, also while the file is broken."""
        ends = self.current.next_expiry
        if ends is None or now < ends:
            return False
        try:
            self.current = overridden(self._base, self._content, str(file), now)
        except ConfigurationError as trouble:
            self._tell_trouble(file, trouble)
            return False
        self._on_news(OverridesNews(file, self.current.said, self._trouble))
        return True

    def _tell_trouble(self, file: Path, trouble: ConfigurationError) -> None:
        if self._trouble is None or self._trouble.message != trouble.message:
            self._trouble = trouble
            self._on_news(OverridesNews(file, self.current.said, trouble))


def _with_policies(plan: FundPlan, fresh: FundPlan) -> FundPlan:
    """The plan with its own resolved readers and the policies of another one of the same fund."""
    risk = plan.risk
    if risk is not None and fresh.risk is not None:
        risk = replace(risk, policy=fresh.risk.policy)
    return replace(plan, risk=risk, gate=fresh.gate)


def _log(news: OverridesNews) -> None:
    log = structlog.get_logger("navoracle.overrides")
    if news.trouble is None:
        log.info("overrides taken", file=str(news.file), overrides=dict(news.said))
    else:
        log.error(news.trouble.message, advice=news.trouble.advice)
