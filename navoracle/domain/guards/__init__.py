"""The keeper's own guards: pure checks over a valuation, what the chain confirmed, and limits.

Each check answers with a `Verdict`. `judge` turns them into a status: a HALT stops the fund, a VERIFY asks for a second
frame, and that second frame either agrees (VERIFIED) or leaves the NAV SUSPICIOUS. Change is measured on price per
share with declared distributions added back, against the value that the chain confirmed, never one merely sent.
"""

from navoracle.domain.guards.breaker_checks import agrees
from navoracle.domain.guards.distance import forecast, sentence
from navoracle.domain.guards.facts import GuardInput
from navoracle.domain.guards.judge import judge, reason_of, unpriced_is_immaterial

__all__ = ["GuardInput", "agrees", "forecast", "judge", "reason_of", "sentence", "unpriced_is_immaterial"]
