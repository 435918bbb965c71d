#!/usr/bin/env bash
# Installs packages of Debian: `debian.sh PACKAGE...`. Where another package manager is at work, which a fresh machine starts by
# itself, it waits, five minutes at most: apt-get itself waits for the lock of dpkg, and not for those of its lists and downloads.
set -euo pipefail
as_root="$([ "$(id -u)" = 0 ] || echo sudo)"
said="$(mktemp)"
trap 'rm -f "$said"' EXIT
patience=300

apt() {
    local told=
    until $as_root env LC_ALL=C DEBIAN_FRONTEND=noninteractive apt-get -o "DPkg::Lock::Timeout=$patience" -qq "$@" >&2 2>"$said"; do
        if ! grep -q '^E: Could not get lock' "$said" || [ "$SECONDS" -ge "$patience" ]; then
            cat "$said" >&2
            return 100
        fi
        [ -n "$told" ] || echo "debian.sh: waiting for another package manager" >&2
        told=yes
        sleep 2
    done
    cat "$said" >&2
}

apt update
apt install -y --no-install-recommends "$@"
