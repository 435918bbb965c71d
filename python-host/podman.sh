#!/usr/bin/env bash
# Installs Debian's Podman, for the tests of container engines: with runc, which runs without systemd and without a network.
set -euo pipefail
if command -v podman >/dev/null && command -v runc >/dev/null && [ -x /bin/busybox ]; then
    exit 0
fi
if ! command -v apt-get >/dev/null; then
    echo "podman.sh: no podman, runc and busybox here, and no apt-get to install them with: the tests of container engines will say so" >&2
    exit 0
fi
echo "podman.sh: installing podman, runc and busybox-static" >&2
"$(dirname "$0")/../guest/debian.sh" podman runc busybox-static
