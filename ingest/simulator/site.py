"""A simulated system, as its owner would describe it."""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cached_property
from zoneinfo import ZoneInfo

Spans = tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class Site:
    """A house with panels and everything that is peculiar about its data; all times are epoch seconds UTC."""

    system_id: int
    name: str
    timezone: str
    latitude: float
    longitude: float
    size_w: int
    modules: int
    operational_at: int
    meter: bool = True
    consumption_meter: bool = True
    micros: bool = True
    upload_every: int = 900
    night_rows: bool = True
    offline: Spans = ()
    late: float = 0.0
    late_by: int = 3 * 3600
    partial: float = 0.0
    ended_at: int | None = None
    owner: str = "owner"
    shared: bool = True
    hidden: tuple[tuple[int, int, int], ...] = ()
    history_from: int | None = None
    """Intervals before this are no longer kept; daily totals still reach back to `operational_at`."""
    meter_since: int | None = None
    """When the production meter was added, if later than the panels (7.6: totals are merged from both)."""
    battery_wh: int = 0
    """Capacity of the batteries; 0 where there are none. With one, the consumption meter is a Net meter (7.9)."""

    heat_pump: bool = False
    """Whether there is one: three tenths of what the house draws are its own."""
    ev_charger: bool = False
    """Whether there is one of the vendor's: of the evening it takes four tenths of what the house draws."""
    evse: bool = False
    """Whether there is one of another maker, which also takes something back from the car."""
    weak_panels: tuple[int, ...] = ()
    """Numbers of the panels that give half of what the others do."""
    events: tuple[tuple[int, int, int | None], ...] = ()
    """What happened to the gateway: (kind of event, start, end or None while it lasts)."""

    @cached_property
    def zone(self) -> ZoneInfo:
        """The site's time zone; days of the API are days in it (9)."""
        return ZoneInfo(self.timezone)

    @property
    def gateway_serial(self) -> str:
        """Serial number of the one gateway."""
        return f"1220{self.system_id:08d}"

    @property
    def production_meter_serial(self) -> str:
        """Serial number of the production meter: the gateway's with EIM1 (7.3)."""
        return self.gateway_serial + "EIM1"

    @property
    def consumption_meter_serial(self) -> str:
        """Serial number of the consumption meter: the gateway's with EIM2 (7.3)."""
        return self.gateway_serial + "EIM2"

    @property
    def storage_meter_serial(self) -> str:
        """Serial number of the meter of the batteries: the gateway's with EIM4 (7.5)."""
        return self.gateway_serial + "EIM4"

    @property
    def battery_serials(self) -> list[str]:
        """Serial numbers of the batteries, one for every 5 kWh."""
        return [f"4922{self.system_id % 10**6:06d}{number:02d}" for number in range(-(-self.battery_wh // 5000))]

    @property
    def charger_serial(self) -> str:
        """Serial number of the vendor's charger."""
        return f"2023{self.system_id:08d}"

    @property
    def evse_serial(self) -> str:
        """Serial number of the charger of another maker."""
        return f"{self.system_id:08d}"

    def local_date(self, at: int) -> date:
        """The calendar day at the site."""
        return datetime.fromtimestamp(at, UTC).astimezone(self.zone).date()

    def midnight(self, day: date) -> int:
        """Epoch seconds at which a calendar day begins at the site."""
        return int(datetime(day.year, day.month, day.day, tzinfo=self.zone).timestamp())
