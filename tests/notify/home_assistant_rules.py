"""What Home Assistant accepts: the classes that this program uses, as its documentation lists them.

https://www.home-assistant.io/integrations/sensor/#device-class and, for state classes,
https://developers.home-assistant.io/docs/core/entity/sensor/#available-state-classes
"""

import re
from typing import Any

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


def check(topic: str, config: dict[str, Any], state: dict[str, Any], state_topic: str) -> None:
    """Assert that a discovery payload, and the value it leads to in a document of state, follow the rules."""
    _, component, node, key, last = topic.split("/")
    assert last == "config"
    assert re.fullmatch(OBJECT_ID, node)
    assert re.fullmatch(OBJECT_ID, key)
    assert config.keys() <= KEYS
    assert config["device"].keys() <= DEVICE_KEYS
    assert config["value_template"] == f"{{{{ value_json.{key} }}}}"
    assert config["state_topic"] == state_topic
    if component == "binary_sensor":
        assert config["device_class"] in BINARY_SENSORS
        assert state[key] in ("ON", "OFF")
    else:
        units, classes = SENSORS[config["device_class"]]
        assert config.get("unit_of_measurement") in units
        assert config.get("state_class") in classes
        assert isinstance(state[key], float | int | None)
