#!/usr/bin/env bash
# Installs Debian's docker-registry and minisign where they are missing, for the tests of where matchers come from. The tests
# start a registry of their own: no service is started.
set -euo pipefail
if command -v docker-registry >/dev/null && command -v minisign >/dev/null; then
    exit 0
fi
echo "registry.sh: installing Debian's docker-registry and minisign" >&2
as_root="$([ "$(id -u)" = 0 ] || echo sudo)"
"$(dirname "$0")/../guest/debian.sh" minisign
# Nothing but the program is wanted, so its package is unpacked and not installed: an installed one starts a service.
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
chmod 755 "$folder"
(cd "$folder" && apt-get -qq download docker-registry && dpkg-deb --extract docker-registry_*.deb .)
$as_root install "$folder/usr/bin/docker-registry" /usr/local/bin/docker-registry
