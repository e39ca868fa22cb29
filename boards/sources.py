"""What the streams read, in the words of an owner: the names of the API stand in the configuration alone."""

from boards.frame import Json
from boards.panels import TEXT, of

NAMES = {
    "stats": "Microinverters",
    "rgm_stats": "Production meter",
    "production_meter": "Production meter, telemetry",
    "production_meter_readings": "Production meter, reading",
    "consumption": "Consumption",
    "consumption_meter_readings": "Consumption meter, reading",
    "energy_lifetime": "Days of production",
    "consumption_lifetime": "Days of consumption",
    "grid_import": "From the grid",
    "grid_export": "To the grid",
    "import_lifetime": "Days from the grid",
    "export_lifetime": "Days to the grid",
    "battery": "Battery",
    "battery_lifetime": "Days of the battery",
    "storage_meter_readings": "Battery meter, reading",
    "encharges": "Each battery",
    "inverters": "Each panel, by day",
    "micros": "Each panel, by interval",
    "latest": "Power at this moment",
    "heat_pump": "Heat pump",
    "evse": "EV charger, other makers",
    "ev_charger": "EV charger",
    "ev_charger_sessions": "EV charger, sessions",
    "events": "Events of devices",
    "alarms": "Alarms of devices",
}
"""By the name of the stream."""
SOURCE_HEAD = "Source"
"""The heading of a column of them."""


def named_sources() -> Json:
    """A column of streams, each by its name in words."""
    options = {name: {"text": words, "index": at} for at, (name, words) in enumerate(NAMES.items())}
    return of(
        SOURCE_HEAD,
        unit=TEXT,
        mappings=[{"type": "value", "options": options}],
        custom__width=138,
        custom__wrapText=True,
    )


def named_series() -> list[Json]:
    """Series that are called as their stream is, each by its name in words."""
    return [
        {
            "matcher": {"id": "byRegexp", "options": f"/^{name}$/"},
            "properties": [{"id": "displayName", "value": words}],
        }
        for name, words in NAMES.items()
    ]
