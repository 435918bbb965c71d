#!/usr/bin/env bash
# Installs Debian's Chromium where there is none, for the tests that open pages in it.
set -euo pipefail
if command -v chromium >/dev/null; then
    exit 0
fi
echo "chromium.sh: installing Debian's chromium" >&2
"$(dirname "$0")/../guest/debian.sh" chromium fonts-dejavu-core
