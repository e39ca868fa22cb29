"""Commands that show what is known of systems and devices. They spend no call unless they are told to."""

import contextlib
import json
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import click
from rich import box
from rich.table import Table

from ingest.cli.api import cloud_caller
from ingest.cli.context import Context
from ingest.cli.known_systems import known_system
from ingest.cli.tables import print_table, stdout
from ingest.core.errors import IngestError
from ingest.core.point import decode_fields, parse_series
from ingest.core.words import local_words, many
from ingest.enphase.endpoints import Endpoint
from ingest.enphase.replies import Kind
from ingest.enphase.streams import BY_NAME
from ingest.plan.inventory import listing
from ingest.store import archive, progress

if TYPE_CHECKING:
    from ingest.service.single_call import SingleCall
    from ingest.store.database import Store

TableRows = list[dict[str, Any]]
SEARCH = {"v4": "systems/retrieve_system_id", "v2": "systems/search_system_id", "v1": "systems/search_system_id"}
"""The call that finds the system of a gateway, by API version."""
refreshed = click.option("--refresh", is_flag=True, help="Ask the cloud first, for the calls that are announced.")
as_document = click.option("--json", "as_json", is_flag=True, help="One JSON document.")


@click.command()
@click.option("--status", metavar="WORD", help="Only those in this state, such as normal or comm.")
@click.option("--name", metavar="TEXT", help="Only those whose name holds this text.")
@refreshed
@as_document
@click.pass_obj
def systems(context: Context, status: str | None, name: str | None, *, refresh: bool, as_json: bool) -> None:
    """Every system that the accounts can see: zone, state, size, what measures it."""
    if refresh:
        accounts = list(context.settings.accounts)
        _refresh(context, [(account, listing(account), "systems") for account in accounts])
    with _state(context) as store:
        rows = [row for row in _systems(store) if status in (None, row["status"])]
    text = (name or "").lower()
    _show(context, [row for row in rows if text in str(row["name"]).lower()], as_json=as_json)


@click.command()
@click.option("--system", metavar="ID", help="Only this system.")
@refreshed
@as_document
@click.pass_obj
def devices(context: Context, system: str | None, *, refresh: bool, as_json: bool) -> None:
    """Every device of the systems: kind, model, state, when it last reported."""
    with _state(context) as store:
        known = {row.system: row.account for row in progress.systems(store.db).values()}
        known_system(known, system)
    wanted = [name for name in known if system in (None, name)]
    if refresh:
        _refresh(context, [(known[name], name, "devices") for name in wanted])
    with _state(context) as store:
        rows = [row for row in _devices(store) if row["system"] in wanted]
    if not rows:
        context.say("No device is known yet: they are asked for once a week, or now with `ingest devices --refresh`")
    _show(context, rows, as_json=as_json)


@click.command()
@click.argument("serial")
@refreshed
@as_document
@click.pass_obj
def find(context: Context, serial: str, *, refresh: bool, as_json: bool) -> None:
    """The device of a serial number, or of a part of it, and its system. Ends with 1 when nothing is found."""
    with _state(context) as store:
        rows = [row for row in _devices(store) if serial.lower() in str(row["device"]).lower()]
    if not rows and refresh:
        rows = _found_by_cloud(context, serial)
    if not rows:
        accounts = many(len(context.settings.accounts), "call")
        more = "" if refresh else f"; to ask the cloud, for {accounts}: `ingest find {serial} --refresh`"
        raise IngestError(f"no device {serial} is known{more}")
    _show(context, rows, as_json=as_json)


@contextlib.contextmanager
def _state(context: Context) -> Iterator["Store"]:
    with contextlib.closing(context.state()) as store:
        yield store


def _systems(store: "Store") -> TableRows:
    return [
        {
            "system": row.system,
            "name": row.name,
            "account": row.account,
            "timezone": row.timezone,
            "status": row.info.get("status"),
            "size_w": row.info.get("size_w"),
            "modules": row.info.get("modules"),
            "source": row.info.get("production_source"),
            "measures": list(row.profile.meters or ()),
            "last_report_at": row.info.get("last_report_at"),
        }
        for row in progress.systems(store.db).values()
    ]


def _devices(store: "Store") -> TableRows:
    rows = []
    for key, _, fields in archive.newest(store.db, "device"):
        tags, values = dict(parse_series(key)[1]), decode_fields(fields)
        names = ("kind", "model", "state", "config_type", "last_report_at")
        row = {"system": tags["system"], "device": tags["device"]}
        rows.append({**row, **{name: values.get(name) for name in names}})
    return sorted(rows, key=lambda row: (row["system"], str(row["kind"]), row["device"]))


def _refresh(context: Context, wanted: Sequence[tuple[str, str, str]]) -> None:
    """Ask for (account, system, stream) one by one. Raises `IngestError` for the first that fails."""
    context.say(f"This spends {many(len(wanted), 'call')} at least.")
    with cloud_caller(context) as caller:
        for account, system, stream in wanted:
            _read(caller, account, system, stream)


def _read(caller: "SingleCall", account: str, system: str, stream: str) -> None:
    cursor = ""
    while True:
        outcome = caller.read(account, system, BY_NAME[stream], cursor)
        if outcome.verdict.kind is not Kind.OK:
            raise IngestError(f"{stream} of {system}: {outcome.verdict.reason}")
        if not outcome.cursor:
            return
        cursor = outcome.task.following(outcome.cursor)


def _found_by_cloud(context: Context, serial: str) -> TableRows:
    """The system of a gateway, as the cloud says."""
    path = SEARCH[context.settings.version]
    endpoint = Endpoint(path, "System Details")
    context.say(f"This spends {many(len(context.settings.accounts), 'call')} at most.")
    with cloud_caller(context) as caller:
        for account in context.settings.accounts:
            with contextlib.suppress(IngestError):
                reply = caller.ask(account, "", endpoint, path, [("serial_num", serial)])
                if isinstance(reply, dict) and reply.get("system_id"):
                    return [{"system": str(reply["system_id"]), "device": serial, "kind": "gateway"}]
    return []


def _show(context: Context, rows: TableRows, *, as_json: bool) -> None:
    if as_json:
        context.show_json(rows)
        return
    if not rows:
        return
    names = [name for name in rows[0] if any(row.get(name) not in (None, "", []) for row in rows)]
    table = Table(*(name.removesuffix("_at").replace("_", " ") for name in names), padding=(0, 1), box=box.SIMPLE)
    for row in rows:
        table.add_row(*(_cell(name, row.get(name)) for name in names))
    print_table(stdout(), table, "system", "device", "timezone", "last report")


def _cell(name: str, value: Any) -> str:
    if name.endswith("_at") and isinstance(value, float):
        return f"{local_words(int(value), 'UTC')} UTC"
    if isinstance(value, float):
        return f"{value:,.0f}"
    return ", ".join(value) if isinstance(value, list) else json.loads(json.dumps(value or ""))
