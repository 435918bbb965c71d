#!/usr/bin/env bash
# Installs Debian's PostgreSQL where there is none, for the tests, which start a server of their own: no cluster is made
# in the system, and no server of the system is started.
set -euo pipefail
if compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null || command -v initdb >/dev/null; then
    exit 0
fi
echo "postgresql.sh: installing Debian's postgresql" >&2
as_root="$([ "$(id -u)" = 0 ] || echo sudo)"
"$(dirname "$0")/../guest/debian.sh" postgresql-common
made=/etc/postgresql-common/createcluster.conf
$as_root cp --preserve "$made" "$made.offermatch"
trap '$as_root mv "$made.offermatch" "$made"' EXIT
echo 'create_main_cluster = false' | $as_root tee --append "$made" >/dev/null
"$(dirname "$0")/../guest/debian.sh" postgresql
