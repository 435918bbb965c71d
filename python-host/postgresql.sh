#!/usr/bin/env bash
# Installs Debian's PostgreSQL where there is none, for the tests, which start a server of their own: no cluster is made
# in the system, and no server of the system is started.
set -euo pipefail
if compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null || command -v initdb >/dev/null; then
    exit 0
fi
echo "postgresql.sh: installing Debian's postgresql" >&2
as_root="$([ "$(id -u)" = 0 ] || echo sudo)"
export DEBIAN_FRONTEND=noninteractive
$as_root apt-get -o DPkg::Lock::Timeout=300 update -qq
$as_root apt-get -o DPkg::Lock::Timeout=300 install -qq -y --no-install-recommends postgresql-common >&2
made=/etc/postgresql-common/createcluster.conf
$as_root cp --preserve "$made" "$made.offermatch"
trap '$as_root mv "$made.offermatch" "$made"' EXIT
echo 'create_main_cluster = false' | $as_root tee --append "$made" >/dev/null
$as_root apt-get -o DPkg::Lock::Timeout=300 install -qq -y --no-install-recommends postgresql >&2
