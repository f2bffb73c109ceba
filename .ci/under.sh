#!/usr/bin/env bash
# Runs the core's tests under another Python, whose Unicode tables and sqlite3 differ: under.sh 3.12 [arguments of pytest].
# Exit 77: that Python is not on this machine.
set -euo pipefail
version=$1
shift
root=$(cd "$(dirname "$0")/.." && pwd)
venv=$root/build/test/python-$version

find_python() {
    local found
    for found in "$(command -v "python$version" || true)" "${PYENV_ROOT:-$HOME/.pyenv}"/versions/"$version".*/bin/"python$version"; do
        # A shim may stand there for a Python that is not.
        [ -n "$found" ] && "$found" -c 'import sys' >/dev/null 2>&1 && { echo "$found"; return; }
    done
    echo "python$version is not on this machine" >&2
    exit 77
}

python=$(find_python)
stamp=$venv/.$(cat "$0" "$root"/python/requirements* "$root/playbooks/requirements-test.txt" | sha256sum | cut -c1-12)
if [ ! -e "$stamp" ]; then
    rm -rf "$venv"
    "$python" -m venv "$venv"
    # The lock's hashes are of wheels for Python 3.11; another interpreter takes the same versions.
    grep -oE '^[A-Za-z0-9_.-]+==[^ ]+' "$root/python/requirements.lock" >"$venv/lock.txt"
    "$venv/bin/pip" install --quiet --disable-pip-version-check --no-deps -r "$venv/lock.txt"
    "$venv/bin/pip" install --quiet --disable-pip-version-check -r "$root/python/requirements-dev.txt" \
        "$(grep -o '^pytest-xdist==.*' "$root/playbooks/requirements-test.txt")"
    : >"$stamp"
fi
cd "$root/python"
exec "$venv/bin/python" -m pytest -q "$@"
