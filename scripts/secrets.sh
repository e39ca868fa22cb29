#!/bin/sh
# Makes secrets/ and .env for the stack. Never overwrites: run it again to fill in what you left out.
#
#   scripts/secrets.sh                  asks for the three values of your Enphase application; Enter = later
#   scripts/secrets.sh --demo           asks nothing: enough for the demonstration
#   scripts/secrets.sh --own-influxdb   for docker-compose.ingest.yml: asks for the token or password of your InfluxDB
#
# ENPHASE_API_KEY, ENPHASE_CLIENT_ID, ENPHASE_CLIENT_SECRET and OWN_INFLUXDB in the environment are not asked for.
set -eu
umask 077
cd "$(dirname "$0")/.."
dir=secrets

mode=ask own=no
for argument in "$@"; do
    case $argument in
    --demo) mode=silent ;;
    --own-influxdb) own=yes ;;
    -h | --help) sed -n '2,8s/^# \{0,1\}//p' "$0"; exit 0 ;;
    *) echo "$0: $argument is not known; there are --demo and --own-influxdb" >&2; exit 2 ;;
    esac
done
[ -t 0 ] || mode=silent

# The folder is closed to other users of this machine; the files in it are not, since a container reads them under
# a number of its own.
mkdir -p "$dir"
chmod 700 "$dir"

keep() { # NAME VALUE
    [ -s "$dir/$1" ] || printf '%s' "$2" >"$dir/$1"
    chmod 644 "$dir/$1"
}

random() {
    od -An -N24 -tx1 /dev/urandom | tr -d ' \n'
}

ask() { # NAME QUESTION VALUE_FROM_ENVIRONMENT [hidden]
    value=$3
    if [ ! -s "$dir/$1" ] && [ -z "$value" ] && [ "$mode" = ask ]; then
        if [ "${4-}" = hidden ]; then
            trap 'stty echo' EXIT
            trap 'exit 130' INT TERM
            stty -echo
        fi
        printf '%s: ' "$2"
        IFS= read -r value || value=
        if [ "${4-}" = hidden ]; then
            stty echo
            trap - EXIT INT TERM
            echo
        fi
    fi
    keep "$1" "$(printf '%s' "$value" | tr -d ' \t\r\n')"
}

[ "$mode" = silent ] || echo "From https://developer-v4.enphase.com, your application. Enter = later; run this again then."
ask enphase_api_key "API key" "${ENPHASE_API_KEY-}"
ask enphase_client_id "Client id" "${ENPHASE_CLIENT_ID-}"
ask enphase_client_secret "Client secret (not shown)" "${ENPHASE_CLIENT_SECRET-}" hidden

if [ "$own" = yes ]; then
    ask own_influxdb "InfluxDB 2: token; 1.x: password; Enter to have it made (not shown)" "${OWN_INFLUXDB-}" hidden
    keep influxdb_grafana_password "$(random)"
else
    for name in influxdb_admin_password influxdb_admin_token influxdb_grafana_password grafana_admin_password; do
        keep "$name" "$(random)"
    done
fi

[ -e .env ] || cp .env.example .env
grep -q '^SECRETS_DIR=' .env || printf '\n# Where scripts/secrets.sh put them.\nSECRETS_DIR=./%s\n' "$dir" >>.env

setting() { # NAME DEFAULT
    found=$(sed -n "s/^$1=//p" .env | tail -n 1)
    echo "${found:-$2}"
}
address=$(setting BIND_ADDRESS 127.0.0.1)
case $address in 0.0.0.0 | 127.0.0.1) address=localhost ;; esac

empty=
for name in enphase_api_key enphase_client_id enphase_client_secret; do
    [ -s "$dir/$name" ] || empty="$empty $name"
done
echo "Secrets are in $dir/, settings in .env."
[ -z "$empty" ] || echo "Still empty:$empty. The demonstration needs none; the stack starts and waits for them."
if [ "$own" = yes ]; then
    echo "Next: docker compose -f docker-compose.ingest.yml up -d"
else
    echo "Next: docker compose up -d      (a look around without an account: docs/stack.md)"
    echo "Grafana:     http://$address:$(setting GRAFANA_PORT 3000)   user admin, password: cat $dir/grafana_admin_password"
fi
echo "Status page: http://$address:$(setting STATUS_PORT 8080)"
