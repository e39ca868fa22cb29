"""Commands about the data: export, replay, backup, restore."""

import csv
import json
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import IO, NamedTuple

import click

from ingest.auth.token_files import TokenFiles
from ingest.cli.context import Context
from ingest.cli.known_systems import known_places, known_system
from ingest.cli.output import check_folder, check_output, confirm_overwrite
from ingest.cli.parquet import write_data_set
from ingest.cli.time_arguments import WHEN, check_range, moment
from ingest.config import hint
from ingest.core.days import zone
from ingest.core.errors import ConfigError, IngestError
from ingest.core.point import Tags, Value, decode_fields, is_line, line_fields, parse_series
from ingest.core.words import many, utc_words
from ingest.enphase.streams import BY_NAME
from ingest.report.departed import departed
from ingest.store import archive, outbox, own, progress
from ingest.store.archive import Filter
from ingest.store.backup import restore as put_back
from ingest.store.database import Store
from ingest.store.whole_file import whole_file

DERIVED = {"energy": ("energy", "energy_daily", "energy_monthly"), "money": ("money", "money_daily")}
"""What is computed from streams, and the measurements of it."""
TAGS = ("system", "meter", "channel")
"""The columns of tags that every export has; others follow where any point has them."""


class Row(NamedTuple):
    """An archived point, ready to print."""

    measurement: str
    tags: Tags
    time: int
    fields: str
    key: str


def measurements(stream: str | None) -> tuple[str, ...] | None:
    """The measurements that a stream fills; None for all. Raises `UsageError` for an unknown stream."""
    if stream is None:
        return None
    if stream in DERIVED:
        return DERIVED[stream]
    if stream not in BY_NAME:
        raise click.UsageError(f"no stream is called {stream!r}; {hint(stream, (*BY_NAME, *DERIVED))}")
    return tuple(BY_NAME[stream].fields)


def points(store: Store, context: Context, wanted: Filter, since: str | None, until: str | None) -> Iterator[Row]:
    """The wanted rows, sorted by measurement, tags, time; days are those of each system."""
    now = context.clock.now()
    systems = known_places(store, context)

    def bounds(tags: Tags) -> Filter:
        row = systems.get(dict(tags).get("system", ""))
        timezone = row.timezone if row else ""
        return Filter(since=moment(since, timezone, now), until=moment(until, timezone, now, end=True))

    listed = [(*parse_series(key), number, key) for number, key in archive.wanted_series(store.db, wanted)]
    for measurement, some in groupby(listed, key=itemgetter(0)):
        if measurement == own.MEASUREMENT:  # which is not kept by series
            for key, time, fields in own.select(store.db, wanted):
                _, tags = parse_series(key)
                begin, end = archive.bounds(bounds(tags))
                if begin <= time < end:
                    yield Row(measurement, tags, time, fields, key)
            continue
        for _, tags, number, key in some:
            for time, fields in archive.rows_of(store.db, number, bounds(tags)):
                yield Row(measurement, tags, time, fields, key)


@click.command()
@click.option("--format", "form", type=click.Choice(["csv", "jsonl", "lp", "statistics", "parquet"]), required=True)
@click.option("--stream", metavar="NAME", help="Only the measurements of this stream; or energy, or money.")
@click.option("--system", metavar="ID", help="Only this system; or a home, by its name.")
@click.option("--since", metavar=WHEN, help="A date (a local day of the system), an age such as 7d or 2y, or all.")
@click.option("--until", metavar=WHEN, help="The same; a date is included.")
@click.option("--local", is_flag=True, help="csv: add time_local, in the zone of the system.")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="A file instead of stdout; parquet: a "
              "folder.")  # fmt: skip
@click.pass_obj
def export(
    context: Context,
    form: str,
    stream: str | None,
    system: str | None,
    since: str | None,
    until: str | None,
    output: Path | None,
    *,
    local: bool,
) -> None:
    """Print the archive, sorted by measurement, tags, time."""
    if form == "parquet" and output is None:
        raise click.UsageError("--format parquet writes a folder; name one with -o")
    wanted, now = Filter(measurements(stream), system), context.clock.now()
    store = context.state()
    places = known_places(store, context)
    known_system(places, system)
    check_range(since, until, [row.timezone for row in places.values() if system in (None, row.system)], now)

    def rows() -> Iterator[Row]:
        return points(store, context, wanted, since, until)

    def write(out: IO[str]) -> None:
        if form == "statistics":
            _write_statistics(store, context, wanted, since, until, out)
        else:
            _write(form, rows, zones, out)

    zones = {name: row.timezone for name, row in places.items()} if local else None
    _note_departed(store, context, system, since)
    try:
        if form == "parquet" and output:
            check_folder(context, output)
            write_data_set((f"{row.key} {line_fields(row.fields)} {row.time}" for row in rows()), output)
        elif output is None:
            write(sys.stdout)
        else:
            check_output(context, output)
            with whole_file(output) as fresh, fresh.open("x", encoding="utf-8", newline="") as file:
                write(file)
    except OSError as error:
        if output is None:
            raise
        raise IngestError(f"{output}: {error.strerror}; choose another file with -o") from None
    finally:
        store.close()


def _note_departed(store: Store, context: Context, system: str | None, since: str | None) -> None:
    """Say what is not among the points that were asked for, since it has left the archive."""
    left = departed(store.db, context.settings.sinks, moment(since, "", context.clock.now()), system)
    if left:
        context.say(left)


def _write(form: str, rows: Callable[[], Iterator[Row]], zones: dict[str, str] | None, out: IO[str]) -> None:
    if form == "csv":
        _write_csv(rows, zones, out)
        return
    for row in rows():
        if form == "lp":
            out.write(f"{row.key} {line_fields(row.fields)} {row.time}\n")
        else:
            line = {
                "measurement": row.measurement,
                "tags": dict(row.tags),
                "time": utc_words(row.time),
                "fields": decode_fields(row.fields),
            }
            out.write(json.dumps(line, ensure_ascii=False) + "\n")


def _write_csv(rows: Callable[[], Iterator[Row]], zones: dict[str, str] | None, out: IO[str]) -> None:
    """Two passes: the header names every field there is, and the archive may not fit in memory."""
    names: dict[str, None] = {}
    seen: set[str] = set()
    marks: set[str] = set()
    for row in rows():
        marks.update(name for name, _ in row.tags)
        shape = row.fields if is_line(row.fields) else row.fields.partition(":")[0]
        if shape not in seen:
            seen.add(shape)
            names.update(dict.fromkeys(decode_fields(row.fields)))
    columns = sorted(names)
    local = ["time_local"] if zones is not None else []
    writer = csv.writer(out, lineterminator="\n")
    tagged = [*TAGS, *sorted(marks - {*TAGS})]
    writer.writerow(["time", *local, "measurement", *tagged, *columns])
    for row in rows():
        tags, fields = dict(row.tags), decode_fields(row.fields)
        here = [local_time(row.time, zones.get(tags.get("system", ""), ""))] if zones is not None else []
        identity = [tags.get(name, "") for name in tagged]
        values: list[Value | str] = [fields.get(name, "") for name in columns]
        writer.writerow([utc_words(row.time), *here, row.measurement, *identity, *values])


def _write_statistics(
    store: Store, context: Context, wanted: Filter, since: str | None, until: str | None, out: IO[str]
) -> None:
    """Hourly sums of every system, for Home Assistant."""
    from ingest.notify import statistics  # noqa: PLC0415 - only this format needs it

    now = context.clock.now()
    writer = csv.writer(out, delimiter="\t", lineterminator="\n")
    writer.writerow(statistics.COLUMNS)
    for system, row in sorted((known_places(store, context) if wanted.system else progress.systems(store.db)).items()):
        if wanted.system in (None, system):
            begin = moment(since, row.timezone, now) or 0
            end = moment(until, row.timezone, now, end=True) or now
            writer.writerows(statistics.rows(store.db, system, zone(row.timezone), begin, end))


def local_time(at: int, timezone: str) -> str:
    """A moment in a zone, such as 2026-11-20T02:15:00-08:00."""
    return datetime.fromtimestamp(at, zone(timezone)).isoformat()


@click.command()
@click.option("--sink", "name", metavar="NAME", required=True)
@click.option("--since", metavar=WHEN)
@click.option("--system", metavar="ID", help="Only this system; or a home, by its name.")
@click.option("--stream", metavar="NAME")
@click.pass_obj
def replay(context: Context, name: str, since: str | None, system: str | None, stream: str | None) -> None:
    """Send archived points to a sink again, for no calls. A stored job: the runner carries it out."""
    if name not in context.settings.sinks:
        known = ", ".join(context.settings.sinks) or "none are configured"
        raise ConfigError(f"{context.settings.config_path}: no sink is called {name!r}; known: {known}")
    store = context.state()
    try:
        rows = known_places(store, context)
        known_system(rows, system)
        zones = {row.timezone for row in rows.values() if system in (None, row.system)} or {""}
        check_range(since, None, zones, context.clock.now())
        begins = [moment(since, timezone, context.clock.now()) for timezone in sorted(zones)]
        begin = min((at for at in begins if at is not None), default=None)  # the earliest midnight: some are sent twice
        wanted = Filter(measurements(stream), system, begin)
        with store.transaction() as db:
            outbox.ask_replay(db, name, wanted)
        points = many(archive.rows_after(store.db, wanted), "point")
        left = departed(store.db, [other for other in context.settings.sinks if other != name], begin, system)
    finally:
        store.close()
    context.show(f"{points} will be sent to {name} again, by the runner, or by: `ingest once`")
    if left:
        context.say(f"{left}, and cannot be sent again from here")


@click.command()
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path, allow_dash=True), required=True,
              help="The file, or - for stdout.")  # fmt: skip
@click.option("--with-tokens", is_flag=True, help="Put the tokens in too: whoever has the file can read your systems.")
@click.option("--force", is_flag=True, help="Replace a file that is there, without asking.")
@click.pass_obj
def backup(context: Context, output: Path, *, with_tokens: bool, force: bool) -> None:
    """One consistent file with everything, also while a runner is at work."""
    to_stdout = output == Path("-")
    if not to_stdout:
        check_output(context, output)
        confirm_overwrite(output, force=force)
    store = context.state()
    files = TokenFiles(context.settings.state_dir / "tokens")
    try:
        texts = {name: files.text(name) for name in context.settings.accounts} if with_tokens else {}
        tokens = {name: text for name, text in texts.items() if text}
        if to_stdout:
            _print_backup(store, tokens)
            return
        store.backup(output, tokens)
    finally:
        store.close()
    click.echo(f"{output}: {output.stat().st_size / 2**20:.1f} MB, {'with' if with_tokens else 'without'} tokens")


def _print_backup(store: Store, tokens: Mapping[str, str]) -> None:
    """To stdout, by way of a file where there is room for the state itself."""
    with tempfile.TemporaryDirectory(dir=None if store.read_only else store.folder) as folder:
        whole = Path(folder) / "backup.db"
        store.backup(whole, tokens)
        with whole.open("rb") as file:
            shutil.copyfileobj(file, sys.stdout.buffer)


@click.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.pass_obj
def restore(context: Context, file: Path) -> None:
    """Put a backup in the place of the state; the former state is kept beside it. No runner may be at work."""
    if not file.is_file():
        raise IngestError(f"{file}: there is no such file; name one that `ingest backup -o FILE` made")
    tokens = put_back(file, context.settings.state_dir)
    files = TokenFiles(context.settings.state_dir / "tokens")
    for name, text in tokens.items():
        files.put_text(name, text)
    click.echo(f"{context.settings.state_dir} holds the backup now.")
    context.show("Go on with it: `ingest run`")
    for name in context.settings.sinks:
        context.show(f"To fill the database again: `ingest replay --sink {name}`")
