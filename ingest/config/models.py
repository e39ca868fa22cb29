"""What a configuration may hold: one frozen model per section, its defaults and its meaning.

The sentences below the fields are shown by editors that know the JSON Schema.
"""

from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidatorFunctionWrapHandler,
    WithJsonSchema,
    WrapValidator,
    model_validator,
)

from ingest.config import values
from ingest.config.values import one_of, word_error, words_schema
from ingest.core.units import DAY, MINUTE
from ingest.core.when import When
from ingest.enphase.catalogue import CADENCES, CHOICES
from ingest.enphase.endpoints import VERSIONS
from ingest.plan.stream_choice import AUTO

MIN_CADENCE = 5 * MINUTE

# name: calls a minute, calls a month, US dollars for each further call (0: there are none)
PLANS = {
    "watt": (10, 1_000, 0.0),
    "kilowatt": (50, 50_000, 0.0),
    "megawatt": (100, 300_000, 0.0),
    "partner": (300, 10_000, 0.005),
}

SUBSCRIPTIONS = {"watt": 0, "kilowatt": 249, "megawatt": 999}
"""What the plans cost, US dollars a month (https://developer-v4.enphase.com/developer-plans, reference 3.1)."""

Version = Annotated[str, AfterValidator(one_of(VERSIONS)), WithJsonSchema(words_schema(VERSIONS))]


def _auto_or_list(value: Any, names: ValidatorFunctionWrapHandler) -> Any:
    """The word `auto`, or a list of names."""
    if not isinstance(value, str):
        found = names(value)
        if not found or len(set(found)) < len(found):
            raise ValueError("must name each stream once, and at least one")
        return found
    if value.strip() != AUTO[0]:
        raise word_error(AUTO)
    return AUTO


StreamName = Annotated[str, AfterValidator(one_of(CHOICES)), WithJsonSchema(words_schema(CHOICES))]
StreamNames = Annotated[tuple[StreamName, ...], WrapValidator(_auto_or_list)]
CadenceName = Annotated[str, AfterValidator(one_of(tuple(CADENCES)))]


class Section(BaseModel):
    """A mapping whose keys are known; a key without a value counts as not written."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    @model_validator(mode="before")
    @classmethod
    def _without_empty(cls, data: Any) -> Any:
        return {key: value for key, value in data.items() if value is not None} if isinstance(data, dict) else data


class PlanChoice(Section):
    """What the API plan admits."""

    per_minute: values.Count
    """Calls a minute."""
    per_month: values.Count
    """Calls a month."""

    @property
    def name(self) -> str:
        """The plan with these limits, or `custom`."""
        limits = (self.per_minute, self.per_month)
        return next((name for name, plan in PLANS.items() if plan[:2] == limits), "custom")

    @property
    def free_calls(self) -> int:
        """Calls a month that cost nothing: all of them, but of a partner who has allowed more than the free."""
        free = PLANS["partner"]
        return min(self.per_month, free[1]) if self.per_minute == free[0] else self.per_month

    @property
    def price_per_further_call(self) -> float:
        """US dollars for a call beyond `free_calls`; 0 where there are none."""
        free = PLANS["partner"]
        return free[2] if self.per_minute == free[0] and self.per_month >= free[1] else 0.0


def _plan(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    if value not in PLANS:
        raise word_error(PLANS)
    return {"per_minute": PLANS[value][0], "per_month": PLANS[value][1]}


class ApiSettings(Section):
    """The cloud, the application that was registered there, and how much of its quota may be used."""

    version: Version = "v4"
    """v4, or v2 for archives, proxies and old keys."""
    base_url: values.ApiUrl = "https://api.enphaseenergy.com"
    """Address of the API, or the word simulator."""
    key: values.UnsetToken = None
    """API key of the application."""
    client_id: values.UnsetText = Field(default=None, repr=False)
    """Client id of the application."""
    client_secret: values.UnsetToken = None
    """Client secret of the application."""
    redirect_uri: values.RedirectUrl = "https://api.enphaseenergy.com/oauth/redirect_uri"
    """Where the owner's browser is sent after consenting."""
    plan: Annotated[PlanChoice, BeforeValidator(_plan)] = Field(default=PlanChoice(per_minute=10, per_month=1_000))
    """watt, kilowatt, megawatt, partner (its 10,000 free calls), or {per_minute: 10, per_month: 1000}."""
    reserve: values.Share = 0.10
    """Part of the month that is never used: other tools may share the key."""
    backfill_share: values.Share = 0.20
    """Part of what is left of the month that is guaranteed to history."""


class Account(Section):
    """One owner's consent (empty), a partner's login, or the user of API v2 and v1."""

    username: values.Text | None = Field(default=None, repr=False)
    """Login of a partner."""
    password: values.Secret | None = None
    """Password of a partner."""
    user_id: values.Token | None = None
    """v2: the user_id."""
    enlighten_id: values.Count | None = None
    """v2: the number from which the user_id follows."""

    @property
    def kind(self) -> Literal["consent", "login", "user"]:
        """How its authorization is obtained."""
        if self.username is not None:
            return "login"
        return "consent" if self.user_id is None and self.enlighten_id is None else "user"

    @model_validator(mode="after")
    def _one_form(self) -> "Account":
        login = [self.username, self.password]
        given = [any(login), self.user_id is not None, self.enlighten_id is not None]
        if any(login) and not all(login):
            raise ValueError("needs both username and password")
        if sum(given) > 1:
            raise ValueError("must have one of username and password, user_id, or enlighten_id; remove the others")
        return self


class System(Section):
    """One system to follow, with what is wanted of it."""

    id: values.Count
    """Number of the system, as in the address of its page."""
    account: values.Text = ""
    """The account through which it is reached; may be left out when there is one."""
    streams: StreamNames = ()
    """auto (what the devices have and the plan carries), or a list. Default: default_streams."""
    since: values.Since = When(age=7 * DAY)
    """History wanted: a date (local day of the system), an age such as 2y, or all."""
    until: values.Day | None = None
    """Last local day wanted, of a house that was sold."""
    latitude: Annotated[values.Degrees, Field(ge=-90, le=90)] | None = None
    """Degrees north. Not used by this version."""
    longitude: Annotated[values.Degrees, Field(ge=-180, le=180)] | None = None
    """Degrees east. Not used by this version."""

    @model_validator(mode="after")
    def _sensible(self) -> "System":
        if self.until and self.since.day and self.until < self.since.day:
            raise ValueError("until must not be before since")
        return self


def _every(value: int) -> int:
    if value < MIN_CADENCE:
        raise ValueError("must be at least 5m: the cloud has no news before")
    return value


class Cadence(Section):
    """How often a stream is asked."""

    every: Annotated[values.Seconds, AfterValidator(_every)]
    """Time between two calls; stretched where the plan does not admit it."""


class Influx(Section):
    """InfluxDB 2 or 3, or 1.8 through its 2.x interface."""

    type: Literal["influxdb"]
    """Kind of database."""
    url: values.Url
    """Address of the server."""
    token: values.Token
    """Token that may write and read the bucket."""
    org: values.Text | None = None
    """Name of the organization, which InfluxDB 2 wants; 1.8 and 3 have none."""
    bucket: values.Text
    """Name of the bucket."""


class InfluxV1(Section):
    """InfluxDB 1.x."""

    type: Literal["influxdb_v1"]
    """Kind of database."""
    url: values.Url
    """Address of the server."""
    database: values.Text
    """Name of the database."""
    username: values.Text | None = Field(default=None, repr=False)
    """User, where the server asks for one."""
    password: values.Secret | None = None
    """Password of the user."""

    @model_validator(mode="after")
    def _both(self) -> "InfluxV1":
        if self.password is not None and self.username is None:
            raise ValueError("has a password but no username; write both, or neither")
        return self


def _place(value: str) -> str:
    if not value.startswith("/") and "://" not in value:
        raise ValueError("must be a whole path, or an address such as s3://bucket/prefix")
    return value


class Parquet(Section):
    """A data set of Parquet files, by measurement and month."""

    type: Literal["parquet"]
    """Kind of database."""
    path: Annotated[values.Text, AfterValidator(_place)]
    """Folder, or an address that pyarrow's file systems know, such as s3://bucket/prefix."""


SinkEntry = Influx | InfluxV1 | Parquet
"""A database as it is configured."""


class Web(Section):
    """The status page."""

    listen: values.Listen = "127.0.0.1:8080"
    """Address and port."""
    hosts: tuple[values.Host, ...] = ()
    """More names to open the page by; localhost, IP literals, *.local and the own host name always work."""
    system_metrics: Annotated[bool, values.SWITCH] = True
    """Whether /metrics has series of single systems; thousands of systems are some hundred thousand series."""

    @property
    def host(self) -> str:
        """The address part of `listen`, without brackets."""
        return self.listen.rpartition(":")[0].strip("[]")

    @property
    def port(self) -> int:
        """The port part of `listen`."""
        return int(self.listen.rpartition(":")[2])


class Archive(Section):
    """What stays on this machine."""

    keep: values.Kept = None
    """all, or how long intervals stay once every database is proved to hold them, such as 2y; days and months stay."""
