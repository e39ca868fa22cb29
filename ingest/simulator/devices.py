"""What is installed at a site (reference 7.1, 7.3)."""

from ingest.simulator import chargers
from ingest.simulator.answers import Json
from ingest.simulator.history import History
from ingest.simulator.noise import mix
from ingest.simulator.rows import meta
from ingest.simulator.site import Site

_UNKNOWN = -1
"""Energies and size in the list of systems, always (7.1)."""


def is_cellular(site: Site) -> bool:
    """A gateway that uploads every few hours does so by radio (9)."""
    return site.upload_every > 3600


def system(history: History, now: int) -> Json:
    """One row of the list of systems (7.1)."""
    site = history.site
    city = site.timezone.rpartition("/")[2].replace("_", " ")
    return {
        "system_id": site.system_id,
        "name": site.name,
        "public_name": "Residential System",
        "timezone": site.timezone,
        "address": {"city": city, "state": "SIM", "country": "ZZ", "postal_code": "00000"},
        "connection_type": "cellular" if is_cellular(site) else "ethernet",
        "energy_lifetime": _UNKNOWN,
        "energy_today": _UNKNOWN,
        "system_size": _UNKNOWN,
        **meta(history, now),
        "attachment_type": None,
        "interconnect_date": None,
    }


def _device(history: History, now: int, serial: str, name: str, model: str) -> Json:
    return {
        "id": mix(history.salt, *serial.encode()) % 10**9,
        "last_report_at": history.gateway.last_report(now),
        "name": name,
        "serial_number": serial,
        "part_number": "800-00000-r00",
        "sku": None,
        "model": model,
        "status": history.gateway.status(now),
        "active": True,
        "product_name": model,
    }


def micro_serials(site: Site) -> list[str]:
    """Serial numbers of the microinverters."""
    return [f"4821{site.system_id % 10**6:06d}{number:02d}" for number in range(site.modules)]


def _meters(history: History, now: int) -> list[Json]:
    site, found = history.site, []
    if site.meter:
        meter = _device(history, now, site.production_meter_serial, "production", "IQ Envoy")
        found.append({**meter, "state": "enabled", "config_type": "Production", "config_phase": "split"})
    if site.consumption_meter:
        meter = _device(history, now, site.consumption_meter_serial, "consumption", "IQ Envoy")
        found.append(
            {**meter, "state": "enabled", "config_type": "Net" if site.battery_wh else "Total", "config_phase": "split"}
        )
    return found


def _gateway(history: History, now: int) -> Json:
    site = history.site
    gateway = _device(history, now, site.gateway_serial, f"Gateway {site.gateway_serial}", "IQ Gateway")
    gateway["emu_sw_version"] = "D8.2.4225"
    if is_cellular(site):
        gateway["cellular_modem"] = {"imei": "000000000000000", "part_num": "860-00157-r01"}
    return gateway


def devices(history: History, now: int) -> Json:
    """All devices by kind; a kind which the site does not have is absent (7.3)."""
    site = history.site
    micros = [_device(history, now, serial, f"Microinverter {serial}", "IQ7") for serial in micro_serials(site)]
    kinds = {
        "micros": micros if site.micros else [],
        "meters": _meters(history, now),
        "gateways": [_gateway(history, now)],
        "encharges": [_device(history, now, serial, f"Encharge {serial}", "IQ5P") for serial in site.battery_serials],
    }
    if site.ev_charger:
        kinds["ev_chargers"] = chargers.listed(history, now)
    if site.heat_pump:
        kinds["heat_pump"] = [{**_device(history, now, "", "Heat pump", "VitoCal 300G"), "serial_number": ""}]
    present = {kind: found for kind, found in kinds.items() if found}
    count = sum(len(found) for found in present.values())
    return {"system_id": site.system_id, "total_devices": count, "items": "devices", "devices": present}
