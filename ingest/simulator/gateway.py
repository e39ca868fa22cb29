"""When the cloud learns what: uploads, outages and their backlog, late and growing intervals."""

from ingest.simulator.noise import mix, unit
from ingest.simulator.site import Site

BACKLOG = 3600
"""Seconds over which the backlog of an outage appears, oldest first, after the gateway is back."""
_SILENT = 3600
"""Seconds without an upload, beyond the usual, until the cloud says `comm`."""


class Gateway:
    """The reporting behaviour of one site; `salt` is the seed of its chances."""

    def __init__(self, site: Site, salt: int) -> None:
        self.site = site
        self.salt = salt
        self.phase = mix(salt, 11) % site.upload_every
        self.offline = tuple(sorted(site.offline))

    def last_report(self, now: int) -> int | None:
        """Time of the last upload at or before `now`, None before the first one."""
        site = self.site
        if site.ended_at is not None and now >= site.ended_at:
            return site.ended_at
        report = now - (now - self.phase) % site.upload_every
        for start, end in reversed(self.offline):
            if start <= report < end:
                report = start - 1 - (start - 1 - self.phase) % site.upload_every
        return report if report >= site.operational_at else None

    def status(self, now: int) -> str:
        """`comm` while the gateway is silent for longer than usual, else `normal` (7)."""
        report = self.last_report(now)
        if report is not None and now - report > self.site.upload_every + _SILENT:
            return "comm"
        return "normal"

    def visible_at(self, end: int, stream: int) -> int:
        """When the interval that ends at `end` is first shown."""
        site = self.site
        shown = self._uploaded(end)
        if site.late and unit(self.salt, 12, stream, end) < site.late:
            shown += int(unit(self.salt, 13, stream, end) * site.late_by)
        for start, stop, visible in site.hidden:
            if start < end <= stop:
                shown = max(shown, visible)
        return shown

    def share(self, end: int, stream: int, now: int) -> float:
        """How much of the interval's energy is shown at `now`: 0 not yet there, 1 final."""
        shown = self.visible_at(end, stream)
        if now < shown:
            return 0.0
        if not self.site.partial or unit(self.salt, 14, stream, end) >= self.site.partial:
            return 1.0
        takes = max(self.site.late_by * (0.2 + 0.8 * unit(self.salt, 15, stream, end)), 1.0)
        first = 0.2 + 0.6 * unit(self.salt, 16, stream, end)
        return min(first + (1 - first) * (now - shown) / takes, 1.0)

    def settled_at(self, start: int, end: int) -> int:
        """A time from which every interval in (start, end] is final."""
        site = self.site
        shown = end + site.upload_every
        for begin, stop in self.offline:
            if begin <= shown and stop > start:
                shown = max(shown, stop + BACKLOG + site.upload_every)
        shown = max([shown, *(v for a, b, v in site.hidden if a < end and b > start)])
        return shown + (site.late_by if site.late else 0) + (site.late_by if site.partial else 0) + 1

    def _next_upload(self, at: int) -> int:
        return at + (self.phase - at) % self.site.upload_every

    def _uploaded(self, end: int) -> int:
        upload = self._next_upload(end)
        for start, stop in self.offline:
            if start <= upload < stop:
                part = min(max((end - start) / (stop - start), 0.0), 1.0)
                upload = self._next_upload(stop + int(part * BACKLOG))
        ended = self.site.ended_at
        return upload if ended is None or not end <= ended < upload else ended
