#!/usr/bin/env bash
# Installs Debian's Chromium where there is none, for the tests that open pages in it.
set -euo pipefail
if command -v chromium >/dev/null; then
    exit 0
fi
echo "chromium.sh: installing Debian's chromium" >&2
as_root="$([ "$(id -u)" = 0 ] || echo sudo)"
export DEBIAN_FRONTEND=noninteractive
$as_root apt-get -o DPkg::Lock::Timeout=300 update -qq
$as_root apt-get -o DPkg::Lock::Timeout=300 install -qq -y --no-install-recommends chromium fonts-dejavu-core >&2
