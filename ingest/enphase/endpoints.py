"""Every documented call of each API version: path, access group, and why some are never made. Reference: 5 and 8.

A test holds this list against the table of `docs/streams.md`.
"""

import re
from dataclasses import dataclass

VERSIONS = ("v4", "v2", "v1")


def has_tokens(version: str) -> bool:
    """Whether the accounts of an API version consent and are called with tokens; those of the old ones by a user id."""
    return version == "v4"


def root(version: str) -> str:
    """Below which the paths of an API version stand; v1 has none of its own."""
    return "api" if version == "v1" else f"api/{version}"


@dataclass(frozen=True)
class Endpoint:
    """A documented call. `path` is below `/api/vN/`, with names in braces; `refusal` says why it is never made, empty
    where it may be.
    """

    path: str
    group: str
    refusal: str = ""

    def fits(self, path: str) -> bool:
        """Whether a path is a call of this endpoint."""
        return re.fullmatch(_pattern(self.path), path) is not None


def _pattern(path: str) -> str:
    return "".join("[^/]+" if part.startswith("{") else re.escape(part) for part in re.split(r"(\{\w+\})", path))


DETAILS = "System Details"
PRODUCTION = "Site Level Production Monitoring"
CONSUMPTION = "Site Level Consumption Monitoring"
DEVICE = "Device Level Monitoring"
EV = "EV Charger Monitoring"
SETTINGS = "System Configurations"

_READS_ONLY = "the program only reads: no call that changes or controls anything is ever made"
_STREAM = "it is a stream of events of up to 5 minutes, at USD 0.10 a call"
_SEARCH = "the same systems are listed by `systems`; only GET is sent"

V4 = (
    Endpoint("systems", DETAILS),
    Endpoint("systems/search", DETAILS, _SEARCH),
    Endpoint("systems/retrieve_system_id", DETAILS),
    Endpoint("systems/event_types", DETAILS),
    Endpoint("systems/inverters_summary_by_envoy_or_site", DETAILS),
    Endpoint("systems/{system}", DETAILS),
    *(
        Endpoint(f"systems/{{system}}/{name}", DETAILS)
        for name in ("summary", "devices", "events", "alarms", "open_events", "open_alarms")
    ),
    *(
        Endpoint(f"systems/{{system}}/{name}", PRODUCTION)
        for name in (
            "production_meter_readings",
            "rgm_stats",
            "energy_lifetime",
            "telemetry/production_micro",
            "telemetry/production_meter",
        )
    ),
    *(
        Endpoint(f"systems/{{system}}/{name}", CONSUMPTION)
        for name in (
            "consumption_meter_readings",
            "storage_meter_readings",
            "consumption_lifetime",
            "battery_lifetime",
            "energy_import_lifetime",
            "energy_export_lifetime",
            "telemetry/consumption_meter",
            "telemetry/battery",
            "energy_import_telemetry",
            "energy_export_telemetry",
            "latest_telemetry",
        )
    ),
    *(
        Endpoint(f"systems/{{system}}/{name}", DEVICE)
        for name in (
            "devices/micros/telemetry",
            "devices/micros/{serial}/telemetry",
            "devices/encharges/{serial}/telemetry",
            "devices/acbs/{serial}/telemetry",
            "{serial}/evse_lifetime",
            "{serial}/evse_telemetry",
            "hp_lifetime",
            "hp_telemetry",
        )
    ),
    Endpoint("systems/{system}/live_data", "Streaming API", _STREAM),
    *(
        Endpoint(f"systems/config/{{system}}/{name}", SETTINGS)
        for name in ("battery_settings", "storm_guard", "load_control", "grid_status")
    ),
    Endpoint("systems/{system}/ev_charger/devices", EV),
    Endpoint("systems/{system}/ev_charger/events", EV),
    *(
        Endpoint(f"systems/{{system}}/ev_charger/{{serial}}/{name}", EV)
        for name in ("sessions", "schedules", "lifetime", "telemetry")
    ),
    *(
        Endpoint(f"systems/{{system}}/ev_charger/{{serial}}/{name}", "EV Charger Control", _READS_ONLY)
        for name in ("start_charging", "stop_charging")
    ),
)
V2 = (
    Endpoint("systems", DETAILS),
    Endpoint("systems/search_system_id", DETAILS),
    Endpoint("systems/inverters_summary_by_envoy_or_site", DETAILS),
    *(
        Endpoint(f"systems/{{system}}/{name}", DETAILS)
        for name in (
            "summary",
            "inventory",
            "envoys",
            "stats",
            "rgm_stats",
            "production_meter_readings",
            "energy_lifetime",
            "monthly_production",
            "consumption_stats",
            "consumption_lifetime",
        )
    ),
)
V1 = (*V2, *(Endpoint(f"systems/{{system}}/{name}", DETAILS) for name in ("power_today", "power_week", "alerts")))
"""No document is left of it: the names are those that its users called, and those of v2."""
ENDPOINTS: dict[str, tuple[Endpoint, ...]] = {"v4": V4, "v2": V2, "v1": V1}
"""The documented calls, by API version. An endpoint named in full comes before one of which it would be an example."""


def endpoint_of(version: str, path: str) -> Endpoint | None:
    """The documented endpoint of a path; None where there is none."""
    return next((endpoint for endpoint in ENDPOINTS[version] if endpoint.fits(path)), None)
