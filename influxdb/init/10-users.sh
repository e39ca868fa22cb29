#!/bin/bash
# Runs once, when the database is made: two users, each with no more than it needs, on this one bucket.
# The pipeline writes and reads, Grafana reads. Passwords were made by scripts/secrets.sh.
set -eu

user() { # NAME PASSWORD_FILE RIGHTS...
    local name=$1 file=$2
    shift 2
    influx v1 auth create --org "$DOCKER_INFLUXDB_INIT_ORG" --username "$name" --password "$(cat "$file")" "$@" >/dev/null
    echo "user $name: $*"
}

bucket=$DOCKER_INFLUXDB_INIT_BUCKET_ID
user ingest /run/secrets/influxdb_ingest_password --read-bucket "$bucket" --write-bucket "$bucket"
user grafana /run/secrets/influxdb_grafana_password --read-bucket "$bucket"
