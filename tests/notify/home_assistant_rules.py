"""What Home Assistant accepts: the classes that this program uses, as its documentation lists them.

https://www.home-assistant.io/integrations/sensor/#device-class and, for state classes,
https://developers.home-assistant.io/docs/core/entity/sensor/#available-state-classes
"""

ENERGY: set[str | None] = {"J", "kJ", "MJ", "GJ", "mWh", "Wh", "kWh", "MWh", "GWh", "TWh", "cal", "kcal", "Mcal"}
SENSORS: dict[str, tuple[set[str | None], set[str | None]]] = {
    # device class: units, state classes
    "power": ({"mW", "W", "kW", "MW", "GW", "TW"}, {"measurement"}),
    "energy": (ENERGY, {"total", "total_increasing"}),
    "energy_storage": (ENERGY, {"measurement"}),
    "battery": ({"%"}, {"measurement"}),
    "duration": ({"d", "h", "min", "s", "ms"}, {"measurement", "total", "total_increasing"}),
    "timestamp": ({None}, {None}),
    "monetary": ({None}, {"total"}),
}
BINARY_SENSORS = {"problem", "connectivity", "battery", "running"}
KEYS = {
    "name", "unique_id", "object_id", "state_topic", "value_template", "device_class", "state_class",
    "unit_of_measurement", "device", "origin", "availability_topic", "entity_category", "json_attributes_topic",
    "json_attributes_template",
}  # fmt: skip
"""Keys of a discovery payload that both components know; one that is not known makes it refuse the entity."""
DEVICE_KEYS = {"identifiers", "name", "manufacturer", "model", "sw_version"}
OBJECT_ID = r"[a-zA-Z0-9_-]+"
"""What may stand between the slashes of a discovery topic."""
DASHBOARD = {"energy": {"total", "total_increasing"}}
"""What the energy dashboard takes."""
