#!/usr/bin/env bash
# Makes a virtual environment, and installs Debian's python3-venv first where Python comes without it.
set -euo pipefail
venv="$1"
if [ ! -x "$venv/bin/pip" ]; then
    if ! python3 -m venv "$venv" 2>/dev/null; then
        "$(dirname "$0")/../guest/debian.sh" python3-venv
        python3 -m venv "$venv"
    fi
fi
