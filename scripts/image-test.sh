#!/usr/bin/env bash
# Builds the image, runs it as it is meant to be run, and sees it healthy (by its own HEALTHCHECK) and stopping. Needs a container engine.
#   scripts/image-test.sh                              on the base that the Dockerfile names
#   PYTHON_IMAGE=other:tag scripts/image-test.sh       on another base
set -euo pipefail
cd "$(dirname "$0")/.."
engine=${ENGINE:-docker}
tag=enphase-ingest:image-test
name=enphase-image-test-$$

if ! "$engine" info >/dev/null 2>&1; then
    echo "image-test: no container engine answers ($engine info); set ENGINE=podman, or start Docker" >&2
    exit 1
fi
trap '"$engine" rm --force --volumes "$name" >/dev/null 2>&1 || true' EXIT
fail() {
    echo "image-test: $*" >&2
    "$engine" logs "$name" 2>&1 | tail -n 20 >&2 || true
    exit 1
}

arguments=()
[ -z "${PYTHON_IMAGE:-}" ] || arguments+=(--build-arg "PYTHON_IMAGE=$PYTHON_IMAGE")
"$engine" build --quiet --tag "$tag" ${arguments[@]+"${arguments[@]}"} . >/dev/null
base=${PYTHON_IMAGE:-$(sed -n 's/^ARG PYTHON_IMAGE=//p' Dockerfile)}
size() { "$engine" image inspect --format '{{.Size}}' "$1" | awk '{printf "%.0f MB", $1 / 1000000}'; }
echo "built on $base ($(size "$base")): $(size "$tag")"

user=$("$engine" image inspect --format '{{.Config.User}}' "$tag")
[ "$user" = 1000:1000 ] || fail "runs as '$user', not as 1000:1000"
"$engine" run --detach --name "$name" --init --read-only --cap-drop ALL --security-opt no-new-privileges --tmpfs /tmp \
    --memory 256m --health-interval 1s "$tag" >/dev/null
for second in $(seq 1 60); do
    state=$("$engine" inspect --format '{{.State.Health.Status}}' "$name")
    [ "$state" != healthy ] || break
    [ "$second" -lt 60 ] || fail "not healthy after a minute, but $state"
    sleep 1
done
echo "healthy after $second s"

[ "$("$engine" exec "$name" id -u)" = 1000 ] || fail "is not user 1000"
"$engine" exec "$name" sh -c 'touch /opt/ingest/x 2>/dev/null' && fail "its root can be written"
for tool in gcc cc make pip; do
    "$engine" exec "$name" sh -c "test -e /opt/ingest/bin/$tool || case \$(command -v $tool) in /usr/bin/$tool) true;; *) false;; esac" &&
        fail "$tool was left in it"
done
"$engine" exec "$name" ingest status >/dev/null || fail "commands do not work beside the service"
"$engine" exec "$name" env | grep -iE '(password|secret|token|api_key)=.' && fail "a secret is in its environment"

began=$(date +%s%N)
"$engine" stop --time 10 "$name" >/dev/null
took=$(($(date +%s%N) - began))
code=$("$engine" inspect --format '{{.State.ExitCode}}' "$name")
[ "$took" -lt 10000000000 ] || fail "took ten seconds to stop"
[ "$code" = 0 ] || fail "ended with $code"
echo "stopped after $((took / 100000000))/10 s, exit code $code"
