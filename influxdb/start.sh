#!/bin/bash
# Starts InfluxDB, in its container. InfluxDB makes its first user, organization, bucket and token one after the other.
# Cut short in between, it has a user but no token: it refuses every further set-up, and nobody can log in. Such a
# database has never taken a point; it is taken away here, so that it can be set up again.
set -u
data=${INFLUXDB_DATA:-/var/lib/influxdb2}
bolt=$data/influxd.bolt

has_points() {
    [ -n "$(find "$data/engine" -type f \( -name '*.tsm' -o -name '*.wal' \) -size +0 -print -quit 2>/dev/null)" ]
}

rows() { # of the table that a command prints below its head
    influxd recovery "$1" list --bolt-path "$bolt" 2>/dev/null | tail -n +2 | grep -c .
}

is_usable() {
    influxd recovery auth list --bolt-path "$bolt" >/dev/null 2>&1 || return 1
    [ "$(rows auth)" -gt 0 ] || [ "$(rows user)" -eq 0 ]
}

if [ -e "$bolt" ] && ! has_points && ! is_usable; then
    echo "start.sh: the first set-up was cut short; what is left of it is removed, and it is made anew"
    # The file that tells so goes last: cut short here, too, it is told again at the next start.
    rm -rf "$data/engine" "$data/influxd.sqlite"
    rm -f "$bolt"
fi
exec "${@:-/entrypoint.sh}" influxd
