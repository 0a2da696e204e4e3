"""What a signed request says and what follows from it, for those who are asked to sign one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from navoracle.dashboard import formats
from navoracle.requests.actions import ROLES, Action
from navoracle.requests.desk import RequestTarget
from navoracle.requests.document import ActionRequest

FOLLOWS: Final[Mapping[Action, str]] = {
    Action.UPDATE: "The keeper values the fund in a slot now, and posts the value if every guard lets it.",
    Action.EMERGENCY_UPDATE: (
        "The keeper values the fund in an emergency slot at once, and posts the value if every guard lets it."
    ),
    Action.HOLD: (
        "The fund's breaker opens: nothing of it is posted any more. The fund is held on the registry too, with the "
        "keeper's guardian key. Only RISK ends it."
    ),
    Action.RESET_BREAKER: "The fund's breaker closes, and the keeper values the fund in an emergency slot at once.",
    Action.REBASE: (
        "The fund's next post is compared with no earlier value, within the contract's own bounds; an emergency slot "
        "follows at once."
    ),
    Action.ACCEPT: "It is noted. On the registry only the RISK key itself can accept the held record.",
    Action.RELEASE: "It is noted. On the registry only the RISK key itself can end a guardian's hold.",
    Action.DISCARD: "It is noted. On the registry only the RISK key itself can forget the held record.",
    Action.POST_TRADE: "The keeper values the fund in an emergency slot at once, as after a large trade.",
}
"""What happens when the keeper has taken a request."""

HOLD_HERE_ALONE: Final = (
    "The fund's breaker opens: this keeper posts nothing of it any more. The registry is not told, because {why}: it "
    "serves the last NAV until the guardian holds the fund with a wallet or with `navoracle emergency hold` and "
    "--send. Only RISK ends it."
)
"""What a hold leads to where the keeper cannot hold the fund on its registry."""

FIELDS: Final[Mapping[str, str]] = {
    "fund": "The fund's name in the keeper's configuration.",
    "action": "What is asked for.",
    "slot": "The time that the request speaks of; the keeper takes none that is ahead of its time.",
    "reason": "Why; everybody who reads the log sees it.",
    "deadline": "Until when it can be taken. After that a stolen copy is worth nothing.",
    "nonce": "A number that the signer uses once on this registry, so that it is taken once.",
    "chain": "The id of the chain that the registry is on; a signature for another chain is refused.",
    "contract": "The registry that the fund is posted to; a signature for another one is refused.",
}
"""What each field means, in the order in which they are shown."""


def who_may(action: Action) -> str:
    """The roles of which a signer needs one."""
    return " or ".join(role.value.upper() for role in ROLES[action])


def consequence(action: Action, target: RequestTarget) -> str:
    """What will happen, who may ask for it, and how often."""
    limit = target.limits.get(action)
    often = (
        "It may be asked for at any time."
        if limit is None
        else f"It is taken at most {limit.at_most} times in {limit.within:,d} s for each fund."
    )
    follows = FOLLOWS[action]
    if action is Action.HOLD and target.hold_obstacle is not None:
        follows = HOLD_HERE_ALONE.format(why=target.hold_obstacle)
    return f"{follows} It takes {who_may(action)} on the registry. {often}"


def shown_fields(request: ActionRequest) -> list[dict[str, str]]:
    """Every field with its value and what it means."""
    values = request.fields()
    return [
        {"key": name, "field": name, "value": _value(name, values[name]), "meaning": meaning}
        for name, meaning in FIELDS.items()
    ]


def _value(name: str, value: object) -> str:
    if name in ("slot", "deadline"):
        return f"{value} = {formats.moment(int(str(value)))}"
    return str(value)
