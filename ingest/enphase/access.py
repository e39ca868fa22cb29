"""The three 401s told apart, each with its remedy in the words of the developer portal. Reference: 3.2 and 4.2."""

from ingest.enphase.replies import Kind, Verdict

EVERY_PLAN = ("Watt", "Kilowatt", "Megawatt", "Partner")
GROUPS: dict[str, tuple[str, ...]] = {
    "System Details": EVERY_PLAN,
    "Site Level Production Monitoring": EVERY_PLAN,
    "Site Level Consumption Monitoring": EVERY_PLAN,
    "EV Charger Monitoring": EVERY_PLAN,
    "Device Level Monitoring": EVERY_PLAN[1:],
    "Streaming API": EVERY_PLAN[1:],
    "System Configurations": EVERY_PLAN[2:],
    "EV Charger Control": EVERY_PLAN[3:],
    "Commissioning": EVERY_PLAN[3:],
}
"""The access controls of the portal, and the plans that hold each."""


def remedy(verdict: Verdict, group: str, command: str) -> str:
    """What a person must do about a refused call, as a sentence; empty when waiting is all. `command` authorizes."""
    if verdict.kind is Kind.WRONG_KEY:
        return (
            "the API key belongs to another application than the Client ID; copy API key, Client ID and Client Secret "
            "from one and the same application on the portal's page Applications"
        )
    if verdict.kind is Kind.EXPIRED:
        return f"the token is not valid any more; it is renewed by itself, and if that fails run `{command}`"
    if verdict.kind is Kind.DENIED:
        return _denied(verdict, group, command)
    return ""


def is_unknown(reason: str) -> bool:
    """Whether a refusal means that there is no such system. Meter readings say 404 to what may not be read, too."""
    return "HTTP 404" in reason and "not authorized" not in reason.lower()


UNKNOWN = "the cloud knows no such system: check its id under `systems:` in the configuration"


def _denied(verdict: Verdict, group: str, command: str) -> str:
    if is_unknown(verdict.reason):
        return UNKNOWN
    if "HTTP 403" in verdict.reason:
        return f"the owner of this system has not given access to the application; let him authorize it: `{command}`"
    plans = GROUPS.get(group, ())
    lacking = "" if plans in ((), EVERY_PLAN) else f" (in the plans {', '.join(plans)} only)"
    return (
        f'the application may not read this: tick the access control "{group}"{lacking} for it on the portal\'s page '
        f"Applications, then authorize again: `{command}`. If that changes nothing, make a new application"
    )
