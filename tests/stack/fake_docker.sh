#!/bin/sh
# What stands for `docker` in a test: an engine whose containers are files with their state, in the folder FAKE_DOCKER.
# The file `faults` in it names what is wrong, a word a line.
cd "$FAKE_DOCKER" || exit 1
echo "$*" >>calls
fault() { grep -qx "$1" faults; }
last() { for word in "$@"; do :; done && echo "$word"; }

up() {
    if [ ! -e containers/influxdb ]; then
        echo "$$" >up
        echo starting >containers/influxdb
        while ! grep -q exited containers/influxdb; do sleep 0.02; done # or until it is ended itself
        exit 1
    fi
    ! fault dead || { echo "dependency failed to start: container influxdb is unhealthy"; exit 1; }
    for service in influxdb ingest grafana; do echo healthy >"containers/$service"; done
    echo "exited with 0" >containers/setup
    ! fault unhealthy || echo unhealthy >containers/grafana
}

compose() {
    case "$*" in
    version) ! fault compose ;;
    *config*)
        for word in "$@"; do case $word in */test.yml) cat "$word" >override.yml ;; esac; done
        echo "volumes:"
        if fault volume; then echo "    name: enphase-influxdb-data"; else echo "    name: enphase-stack-test-a"; fi
        ;;
    *" down "*) rm -f containers/* ;;
    *" up "*) up ;;
    esac
}

command=$1
shift
case $command in
compose) compose "$@" ;;
info) ! fault engine ;;
image) ! fault image && case $(last "$@") in grafana/*) false ;; esac ;;
pull) false ;;
ps)
    service=$(last "$@")
    service=${service##*=}
    [ -e "containers/$service" ] || exit 0
    case "$*$(cat "containers/$service")" in *--all* | *ing | *healthy) echo "$service" ;; esac
    ;;
inspect)
    case "$*" in
    *StartedAt*) echo 2026-07-01T00:00:00.250000000Z 2026-07-01T00:00:01.500000000Z ;;
    *) cat "containers/$(last "$@")" ;;
    esac
    ;;
kill)
    echo "exited with 137" >"containers/$1"
    while fault quick && kill -0 "$(cat up)" 2>/dev/null; do sleep 0.02; done # the `up` ends by itself before we do
    ;;
exec)
    case "$*" in
    *" test "*) fault leak && [ "$1" = grafana ] ;;
    *) if fault silent; then echo '"sent": 0'; else echo '"sent": 1234,'; fi ;;
    esac
    ;;
esac
