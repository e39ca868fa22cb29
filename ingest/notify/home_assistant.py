"""Systems as devices of Home Assistant, by MQTT discovery: pure, from a report to topics and documents.

Home Assistant finds a device by retained configurations below its discovery prefix, one an entity; all entities of a
system read one retained document of state (https://www.home-assistant.io/integrations/mqtt#mqtt-discovery).
"""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import ingest
from ingest.notify.meters import Meter, known_fields
from ingest.report import Problem, SystemReport

BASE = "enphase-ingest"
ENERGIES = {
    "produced_wh": "Energy produced",
    "consumed_wh": "Energy used",
    "imported_wh": "Energy from grid",
    "exported_wh": "Energy to grid",
    "charged_wh": "Battery charged",
    "discharged_wh": "Battery discharged",
}


@dataclass(frozen=True)
class Entity:
    """One entity: the key of its value, its name, and its classes and unit in Home Assistant's words."""

    key: str
    name: str
    device_class: str
    state_class: str = "measurement"
    unit: str = ""
    component: str = "sensor"


POWER = Entity("power_w", "Power", "power", unit="W")
AGE = Entity("age_s", "Age of data", "duration", unit="s")
BATTERY = Entity("battery_percent", "Battery", "battery", unit="%")
PROBLEM = Entity("problem", "Problem", "problem", state_class="", component="binary_sensor")


def availability(app: str) -> str:
    """The topic that says `online` while the service runs; the broker says `offline` for one that has died."""
    return f"{BASE}/{app}/availability"


def entities(fields: Iterable[str], *, battery: bool) -> list[Entity]:
    """The entities of a system of which these energies are known."""
    found = [POWER]
    for name in known_fields(fields):
        key = name.removesuffix("_wh")
        for period in ("today", "lifetime"):
            words = f"{ENERGIES[name]} {period}"
            found.append(Entity(f"{key}_{period}_kwh", words, "energy", "total_increasing", "kWh"))
    return [*found, *([BATTERY] if battery else []), AGE, PROBLEM]


def configurations(system: SystemReport, wanted: Iterable[Entity], prefix: str, app: str) -> dict[str, str]:
    """The retained configuration of every entity of a system, by topic."""
    ident = _ident(system.system)
    device = {
        "identifiers": [f"{BASE}-{ident}"],
        "name": system.name,
        "manufacturer": "Enphase",
        "model": "Solar system (cloud data)",
        "sw_version": ingest.__version__,
    }
    return {
        f"{prefix}/{entity.component}/{BASE}-{ident}/{entity.key}/config": json.dumps(
            {**_entity(entity, ident), "device": device, "availability_topic": availability(app)}, ensure_ascii=False
        )
        for entity in wanted
    }


def _entity(entity: Entity, ident: str) -> dict[str, Any]:
    topic = f"{BASE}/{ident}/state"
    found: dict[str, Any] = {
        "name": entity.name,
        "unique_id": f"{BASE}-{ident}-{entity.key}",
        "object_id": f"solar_{ident}_{entity.key}",
        "state_topic": topic,
        "value_template": f"{{{{ value_json.{entity.key} }}}}",
        "device_class": entity.device_class,
        "origin": {"name": BASE, "sw_version": ingest.__version__},
    }
    if entity.state_class:
        found["state_class"] = entity.state_class
    if entity.unit:
        found["unit_of_measurement"] = entity.unit
    if entity is PROBLEM:
        found |= {"json_attributes_topic": topic, "json_attributes_template": "{{ value_json.attributes | tojson }}"}
    if entity in (AGE, PROBLEM):
        found["entity_category"] = "diagnostic"
    return found


def state(
    system: SystemReport, meters: Mapping[str, Meter], battery: float | None, problems: Iterable[str]
) -> tuple[str, str]:
    """The topic and the retained document of a system; None is what Home Assistant takes for unknown."""
    sentences = list(problems)
    values: dict[str, Any] = {POWER.key: system.power_w, AGE.key: system.age_s}
    for name, meter in meters.items():
        key = name.removesuffix("_wh")
        values |= {f"{key}_today_kwh": _kwh(meter.today), f"{key}_lifetime_kwh": _kwh(meter.total)}
    if battery is not None:
        values[BATTERY.key] = battery
    values[PROBLEM.key] = "ON" if sentences else "OFF"
    values["attributes"] = {"problems": sentences}
    return f"{BASE}/{_ident(system.system)}/state", json.dumps(values, ensure_ascii=False)


def concerns(problem: Problem, system: str, systems: Iterable[str]) -> bool:
    """Whether a problem is that of a system, or of everything."""
    whose = problem.subject.partition(".")[0]
    return whose == system or whose not in set(systems)


def _ident(system: str) -> str:
    """Letters that a topic of discovery may hold."""
    return re.sub(r"[^A-Za-z0-9_-]", "_", system)


def _kwh(wh: float) -> float:
    return round(wh / 1000, 3)
