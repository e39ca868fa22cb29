"""What came from the grid and what went to it, in 15-minute intervals and by the day. Reference: 7.6 and 7.11."""

from ingest.core.units import DAY, MINUTE, WEEK, YEAR
from ingest.enphase.streams.base import (
    Auto,
    EnergyFlow,
    Field,
    Route,
    Scope,
    Series,
    Stream,
    nothing,
    start_granularity,
)
from ingest.enphase.streams.interval_rows import quantities

GROUP = "Site Level Consumption Monitoring"
GRAIN = 15 * MINUTE


def _telemetry(path: str) -> Route:
    return Route(f"systems/{{system}}/{path}", start_granularity, reach=DAY, history=2 * YEAR, trial_reach=WEEK)


IMPORT = Stream(
    name="grid_import",
    label="from the grid",
    about="energy from the grid, by the consumption meter",
    every=15 * MINUTE,
    group=GROUP,
    grain=GRAIN,
    meter="consumption",
    is_default=False,
    auto=Auto.FITS,
    v4=_telemetry("energy_import_telemetry"),
    read=quantities("grid", GRAIN, {"imported_wh": "wh_imported"}),
    flows=(EnergyFlow("imported_wh", "grid", "imported_wh"),),
    fields={"grid": {"imported_wh": Field("wh_imported", "energy from the grid in the interval, Wh")}},
)
EXPORT = Stream(
    name="grid_export",
    label="to the grid",
    about="energy to the grid, by the consumption meter",
    every=15 * MINUTE,
    group=GROUP,
    grain=GRAIN,
    meter="consumption",
    is_default=False,
    auto=Auto.FITS,
    v4=_telemetry("energy_export_telemetry"),
    read=quantities("grid", GRAIN, {"exported_wh": "wh_exported"}),
    flows=(EnergyFlow("exported_wh", "grid", "exported_wh"),),
    fields={"grid": {"exported_wh": Field("wh_exported", "energy to the grid in the interval, Wh")}},
)
IMPORT_LIFETIME = Stream(
    name="import_lifetime",
    label="days from the grid",
    about="energy from the grid of every day since the meter was installed",
    every=DAY,
    group=GROUP,
    scope=Scope.TOTALS,
    meter="consumption",
    v4=Route("systems/{system}/energy_import_lifetime", nothing),
    fields={"energy_daily": {"imported_wh": Field("import", "energy from the grid in the local day, Wh")}},
    series=(Series("import", "imported_wh", "grid_import", is_daily=True),),
)
EXPORT_LIFETIME = Stream(
    name="export_lifetime",
    label="days to the grid",
    about="energy to the grid of every day since the meter was installed",
    every=DAY,
    group=GROUP,
    scope=Scope.TOTALS,
    meter="consumption",
    v4=Route("systems/{system}/energy_export_lifetime", nothing),
    fields={"energy_daily": {"exported_wh": Field("export", "energy to the grid in the local day, Wh")}},
    series=(Series("export", "exported_wh", "grid_export", is_daily=True),),
)
