#!/usr/bin/env bash
# Makes the virtual environment, or says in one sentence what is missing.
set -euo pipefail
python=$1 venv=$2
if ! command -v "$python" >/dev/null; then
    echo "Python 3.11 or newer is needed and was not found. On Debian, Ubuntu and Raspberry Pi OS: sudo apt-get install python3 python3-venv" >&2
    exit 2
fi
if ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
    echo "Python 3.11 or newer is needed; $python is $("$python" -V 2>&1 | cut -d' ' -f2). Name another one: make PYTHON=python3.12 run" >&2
    exit 2
fi
if ! "$python" -c 'import venv, ensurepip' 2>/dev/null; then
    version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
    echo "Python's venv is missing. On Debian, Ubuntu and Raspberry Pi OS: sudo apt-get install python$version-venv" >&2
    exit 2
fi
"$python" -m venv "$venv"
