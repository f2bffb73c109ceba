#!/bin/sh
# Makes the control machine ready: Debian packages that are missing, and a virtual environment with pinned tools.
# Called by the Makefile; a second run does nothing. Usage: bootstrap.sh deploy|test|bench
set -eu
wanted=$1
root=$(cd "$(dirname "$0")/.." && pwd)
venv=$root/.venv

say() { printf '%s\n' "$*" >&2; }
fail() { say "error: $*"; exit 1; }

# --- Debian packages: only what is missing, and only where apt is there to install it
packages() {
    missing=
    for pair in "$@"; do
        command -v "${pair%%:*}" >/dev/null 2>&1 || missing="$missing ${pair##*:}"
    done
    [ -z "$missing" ] && return 0
    command -v apt-get >/dev/null 2>&1 || fail "these programs are missing and this is not Debian:$missing"
    if [ "$(id -u)" = 0 ]; then elevate=; else
        elevate=sudo
        command -v sudo >/dev/null 2>&1 || fail "install these packages as root first:$missing"
    fi
    say "installing Debian packages:$missing"
    # shellcheck disable=SC2086
    $elevate apt-get update -qq && DEBIAN_FRONTEND=noninteractive $elevate apt-get install -y -qq --no-install-recommends $missing >/dev/null \
        || fail "apt-get could not install:$missing"
}

python() {
    for name in python3.11 python3.12 python3.13 python3; do
        command -v "$name" >/dev/null 2>&1 || continue
        "$name" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null && { echo "$name"; return; }
    done
    fail "no Python from 3.11 to 3.13 was found; on Debian 12: apt-get install python3"
}

packages mmdebstrap:mmdebstrap git:git ssh:openssh-client
if [ "$wanted" = test ]; then
    packages gcc:gcc g++:g++ nmap:nmap nft:nftables openssl:openssl dpkg:dpkg
fi

if [ "$wanted" = test ] || [ "$wanted" = bench ]; then
    # The queue's tests start a server of their own from these binaries; the system gets no cluster.
    if [ ! -x /usr/lib/postgresql/15/bin/initdb ] && [ ! -e /etc/postgresql-common/createcluster.conf ]; then
        if [ "$(id -u)" = 0 ]; then as=; else as=sudo; fi
        $as mkdir -p /etc/postgresql-common
        echo "create_main_cluster = false" | $as tee /etc/postgresql-common/createcluster.conf >/dev/null
    fi
    [ -x /usr/lib/postgresql/15/bin/initdb ] || (packages no-such-program:postgresql-15) || say "without postgresql-15 the tests of the queue leave PostgreSQL out"
fi

if [ "$wanted" = test ]; then
    (packages redis-server:redis-server) || say "without redis-server the tests of the shared cache are left out"
fi
if [ "$wanted" = bench ]; then
    packages nginx:nginx-light redis-server:redis-server
fi

# --- the virtual environment
stamp=$venv/.$wanted-$(cat "$0" "$root"/playbooks/requirements*.txt "$root"/python/requirements* | sha256sum | cut -c1-12)
[ -e "$stamp" ] && exit 0
interpreter=$(python)
if [ ! -x "$venv/bin/pip" ]; then
    say "making a virtual environment with $interpreter"
    "$interpreter" -m venv "$venv" 2>/dev/null || {
        rm -rf "$venv"
        packages no-such-program:python3-venv
        "$interpreter" -m venv "$venv" || fail "$interpreter cannot make a virtual environment"
    }
fi
pip() { "$venv/bin/pip" install --quiet --disable-pip-version-check "$@" || fail "pip could not install the pinned tools; the lines above say why"; }
case $wanted in
deploy)
    say "installing Ansible into .venv"
    pip -r "$root/playbooks/requirements.txt"
    ;;
test)
    say "installing the pinned test tools into .venv"
    lock=$root/python/requirements.lock
    if "$venv/bin/python" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))'; then
        pip --no-deps --require-hashes -r "$lock"
    else
        # The lock's hashes are those of the image's wheels, for Python 3.11; another interpreter takes the same versions.
        grep -oE '^[A-Za-z0-9_.-]+==[^ ]+' "$lock" >"$venv/lock-without-hashes.txt"
        pip --no-deps -r "$venv/lock-without-hashes.txt"
    fi
    pip -r "$root/playbooks/requirements.txt" -r "$root/playbooks/requirements-test.txt" -r "$root/python/requirements-dev.txt"
    ;;
bench)
    say "installing the peers that the benchmarks measure into .venv"
    pip -r "$root/playbooks/requirements-bench.txt"
    ;;
*) fail "usage: bootstrap.sh deploy|test|bench" ;;
esac
rm -f "$venv"/."$wanted"-*
: >"$stamp"
