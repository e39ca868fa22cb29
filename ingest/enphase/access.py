"""The wording of a refused call: the three kinds of 401, each with its remedy. Reference: 3.2 and 4.2.

The log, `ingest status`, the page, `ingest doctor` and the consent commands all take their sentences from here.
"""

from ingest.enphase.endpoints import has_tokens
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


def remedy(verdict: Verdict, group: str, account: str, version: str) -> str:
    """What a person must do about a refused call to API `version`, as a sentence; empty when waiting is all."""
    again = f"`ingest auth login {account}`"
    if verdict.kind is Kind.WRONG_KEY:
        return f"the API key belongs to another application than the Client ID; {SAME_APPLICATION}"
    if verdict.kind is Kind.EXPIRED:
        return f"the token is not valid any more; it is renewed by itself, and if that fails run {again}"
    if verdict.kind is Kind.DENIED:
        return denied(verdict.reason, group, account, version)
    return ""


def is_unknown(reason: str) -> bool:
    """Whether a refusal means that there is no such system or device. Meter readings say 404, "Not Authorized" to what
    may not be read, and to an unknown system: there the details decide.
    """
    low = reason.lower()
    return "http 404" in low and ("system not found" in low or "not authorized" not in low)


UNKNOWN = "the cloud knows no such system: check its id under `systems:` in the configuration"
OWNS_NONE = "the cloud shows no system to this account"
OWN_ONE = "whoever consented must own one. An installer's employee needs a partner application"
SAME_APPLICATION = (
    "copy API key, Client ID and Client Secret from the same application on the developer portal's page Applications"
)


def another_application(reason: str) -> str:
    """What is wrong when the cloud refuses the key itself. `reason` is that of the verdict."""
    return (
        f"the cloud says the key belongs to another application ({reason}); compare api.key, api.client_id and "
        "api.client_secret with the same application in the developer portal"
    )


def denied(reason: str, group: str, account: str, version: str) -> str:
    """What to do about a stream that the cloud does not let us read. `reason` is that of the verdict, `group` the
    stream's access control, `account` the one through which it is asked. API v2 has no access controls, and says 401
    to a wrong key or user as to a system that is not the user's.
    """
    again = f"`ingest auth login {account}`"
    if is_unknown(reason):
        return UNKNOWN
    if not has_tokens(version):
        return (
            f"compare `api.key` and the user_id of account {account}; the owner of this system gives access on the "
            f"page that `ingest auth url {account}` prints, which then shows the owner's user_id"
        )
    if "HTTP 403" in reason:
        return f"the owner of this system has not given access to the application; the owner can authorize it: {again}"
    plans = GROUPS.get(group, ())
    lacking = "" if plans in ((), EVERY_PLAN) else f" (in the plans {', '.join(plans)} only)"
    return (
        f'tick the access control "{group}"{lacking} for the application on the developer portal\'s page Applications, '
        f"then authorize again: {again}. If that changes nothing, make a new application"
    )
