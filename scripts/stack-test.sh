#!/usr/bin/env bash
# The whole stack from nothing, once for each moment: its database is killed so many seconds after its start, and the next `up` must end with
# every service healthy and points in the database. Needs a container engine with compose; the volumes, containers and
# images of an installation are not touched.
#   scripts/stack-test.sh                              ten moments of the first three seconds
#   MOMENTS="0.2 1" scripts/stack-test.sh              other moments
#   ENGINE=podman COMPOSE=docker-compose PYTHON_IMAGE=other:tag scripts/stack-test.sh
# Exit code: 0 healthy each time, 1 not, 2 nothing was tested since something is missing.
set -euo pipefail
cd "$(dirname "$0")/.."
engine=${ENGINE:-docker}
project=enphase-stack-test
image=enphase-ingest:stack-test
patience=${PATIENCE:-180}
read -ra moments <<<"${MOMENTS:-0.1 0.3 0.6 0.9 1.2 1.5 1.8 2.2 2.6 3.0}"

missing() {
    echo "stack-test: nothing was tested: $*" >&2
    exit 2
}
fail() {
    echo "stack-test: $*" >&2
    compose ps >&2 || true
    compose logs 2>&1 | tail -n 40 >&2 || true
    exit 1
}

"$engine" info >/dev/null 2>&1 || missing "no container engine answers ($engine info); start Docker, or name another with ENGINE"
if [ -n "${COMPOSE:-}" ]; then
    read -ra composer <<<"$COMPOSE"
elif "$engine" compose version >/dev/null 2>&1; then
    composer=("$engine" compose)
elif command -v docker-compose >/dev/null; then
    composer=(docker-compose)
else
    missing "there is neither \`$engine compose\` nor docker-compose; install the compose plugin"
fi

image_of() { # SERVICE: as docker-compose.yml names it
    sed -n "/^  $1:/,/^  [a-z]*:\$/s/^    image: //p" docker-compose.yml | head -n 1
}
have() { "$engine" image inspect "$1" >/dev/null 2>&1 || "$engine" pull --quiet "$1" >/dev/null 2>&1; }
database=$(image_of influxdb)
have "$database" || missing "the image $database is not here and cannot be pulled"

work=$(mktemp -d)
ups=0
compose() { # becomes compose where it is in a shell of its own, so that a signal reaches it
    local words=("${composer[@]}" -p "$project" --env-file "$work/env" -f docker-compose.yml -f docker-compose.demo.yml -f "$work/test.yml" "$@")
    if [ "$BASHPID" = "$$" ]; then "${words[@]}"; else exec "${words[@]}"; fi
}
clean() { compose down --volumes --timeout 5 >/dev/null 2>&1 || true; }
trap 'clean; rm -rf "$work"' EXIT
trap 'exit 130' INT TERM

# The settings and secrets of this test alone. Ports are those that are free.
mkdir -m 755 "$work/secrets"
export SECRETS_DIR="$work/secrets" BIND_ADDRESS=127.0.0.1 GRAFANA_PORT=0 STATUS_PORT=0
touch "$work/env"
for name in $(sed -n 's#.*SECRETS_DIR.*}/\([a-z_]*\)"}#\1#p' docker-compose.yml); do
    case $name in enphase_*) : ;; *) od -An -N24 -tx1 /dev/urandom | tr -d ' \n' ;; esac >"$work/secrets/$name"
done

# On top of the files as shipped: names of its own, and a database whose health is asked four times a second, so that its
# set-up falls into the first seconds, too.
settings() {
    echo "services:"
    echo "  influxdb: {healthcheck: {interval: 250ms, retries: 480}}"
    echo "  setup: {image: $image}"
    echo "  ingest: {image: $image, healthcheck: {interval: 1s}}"
    grafana
    echo "volumes:"
    cat docker-compose.yml docker-compose.demo.yml | sed -n 's/^  \([a-z-]*\): {name: enphase-.*/  \1: {name: '"$project"'-\1}/p'
}
grafana() {
    local real
    real=$(image_of grafana)
    if have "$real"; then
        echo "grafana: $real" >&2
        echo "  grafana: {healthcheck: {interval: 1s, retries: 120}}"
        return
    fi
    echo "grafana: a stand-in that only answers its health address ($real is not here and cannot be pulled)" >&2
    cat >"$work/grafana.py" <<'PYTHON'
from http.server import BaseHTTPRequestHandler, HTTPServer


class Health(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200 if self.path == "/api/health" else 404)
        self.end_headers()


HTTPServer(("", 3000), Health).serve_forever()
PYTHON
    chmod 755 "$work"
    cat <<YAML
  grafana:
    image: $image
    entrypoint: [python3, /stand-in/grafana.py]
    command: []
    volumes: ["$work/grafana.py:/stand-in/grafana.py:ro"]
    healthcheck:
      test: [CMD, python3, -c, "import urllib.request; urllib.request.urlopen('http://localhost:3000/api/health')"]
      interval: 1s
      retries: 120
YAML
}
settings >"$work/test.yml"
compose config >"$work/rendered" || missing "compose does not take the files (${composer[*]} config)"
! grep -E "^ +name: ['\"]?enphase-(demo|influxdb|ingest|grafana)" "$work/rendered" || missing "a volume of an installation would be used"

arguments=()
[ -z "${PYTHON_IMAGE:-}" ] || arguments+=(--build-arg "PYTHON_IMAGE=$PYTHON_IMAGE")
"$engine" build --quiet --tag "$image" ${arguments[@]+"${arguments[@]}"} . >/dev/null || missing "the image of the pipeline cannot be built"

container() { # SERVICE [--all: not only one that runs]
    "$engine" ps ${2:+"$2"} --quiet --no-trunc --filter "label=com.docker.compose.project=$project" \
        --filter "label=com.docker.compose.service=$1" | head -n 1
}
state() { # SERVICE: running, healthy, exited with 0, …
    local format='{{if eq .State.Status "exited"}}exited with {{.State.ExitCode}}{{else if .State.Health}}{{.State.Health.Status}}{{else}}{{.State.Status}}{{end}}'
    "$engine" inspect --format "$format" "$(container "$1" --all)" 2>/dev/null || echo missing
}
await() { # SECONDS SENTENCE COMMAND...
    local deadline=$((SECONDS + $1)) sentence=$2
    shift 2
    until "$@"; do
        [ "$SECONDS" -lt "$deadline" ] || fail "$sentence"
        sleep 0.02
    done
}
is() { [ "$(state "$1")" = "$2" ]; }
has_started() { victim=$(container influxdb) && [ -n "$victim" ]; }
points() { "$engine" exec "$(container ingest)" ingest status --json 2>/dev/null | grep -Eo '"sent": *[0-9]+' | grep -Eo '[0-9]+' || echo 0; }
have_arrived() { [ "$(points)" -gt 0 ]; }
lived() { # of the victim, in seconds
    local began ended
    read -r began ended <<<"$("$engine" inspect --format '{{.State.StartedAt}} {{.State.FinishedAt}}' "$victim")"
    awk -v began="$(date -d "$began" +%s.%N)" -v ended="$(date -d "$ended" +%s.%N)" 'BEGIN {printf "%.2f", ended - began}'
}

# Every other time the `up` is ended with the database, as by a power cut or Ctrl-C; else it ends by itself.
first_up_is_killed() { # MOMENT
    compose up -d >"$work/first" 2>&1 &
    local up=$!
    await "$patience" "the database did not start: $(tail -n 3 "$work/first")" has_started
    sleep "$1"
    "$engine" kill "$victim" >/dev/null
    how="with its up"
    if ((ups % 2)); then
        how="under its up"
        await "$patience" "the first up has not ended" has_ended "$up"
    else
        kill "$up" 2>/dev/null || true # it may have ended by itself
    fi
    wait "$up" 2>/dev/null || true
}
has_ended() { ! kill -0 "$1" 2>/dev/null; }
everything_is_right() {
    compose up -d >"$work/next" 2>&1 || fail "the next up failed: $(tail -n 3 "$work/next")"
    is setup "exited with 0" || fail "setup has not succeeded, but is $(state setup)"
    for service in influxdb ingest grafana; do
        await "$patience" "$service is not healthy after $patience s" is "$service" healthy
    done
    await "$patience" "no point has arrived in the database after $patience s" have_arrived
    for service in influxdb ingest grafana; do
        ! "$engine" exec "$(container "$service")" test -e /run/secrets/influxdb_admin_token || fail "$service sees the administrator's secret"
    done
}

for moment in "${moments[@]}"; do
    clean
    first_up_is_killed "$moment"
    life=$(lived)
    began=$SECONDS
    everything_is_right
    again=
    ! "$engine" logs "$victim" 2>&1 | grep -q "made anew" || again=", what was half made is made anew"
    echo "killed $life s after its start, $how: all healthy $((SECONDS - began)) s after the next up, $(points) points sent$again"
    ups=$((ups + 1))
done
echo "$ups of ${#moments[@]} times healthy at the next up"
