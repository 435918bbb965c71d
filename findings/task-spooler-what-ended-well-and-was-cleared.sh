#!/usr/bin/env bash
# Packages: task-spooler 1.0.1+dfsg1-1 (Debian 12).
# Guess: a job that is to run if another ends well (-D) runs if that one has ended well; a job for two slots (-N 2) gets them in its turn.
# Seen: once the list of finished jobs is cleared (-C), or the job has left it, as the list keeps the last TS_MAXFINISHED, what depends on it is skipped without a word, with an exit status of 0 for the one who asks. A job for two of two slots starts after all jobs for one that were added behind it, as each slot that gets free is given to one of those; it is the last of seven. One for three of two slots is queued for ever.
# Why it matters: the second half of a pipeline does not run because somebody tidied the list. The job for the whole machine waits for as long as small ones come.
set -euo pipefail

work=$(mktemp -d)
export TS_SOCKET=$work/socket TMPDIR=$work
trap 'unpacked/usr/bin/tsp -K || true; rm -rf "$work"' EXIT
cd "$work"
apt-get download -qq task-spooler=1.0.1+dfsg1-1 2> /dev/null
dpkg -x task-spooler_*.deb unpacked
PATH=$work/unpacked/usr/bin:$PATH
state() { echo "$1: $(tsp -s "$2")"; }

{
    first=$(tsp true)
    tsp -w "$first"
    before=$(tsp -D "$first" true)
    tsp -w "$before"
    state "after a job that ended well" "$before"
    tsp -C
    after=$(tsp -D "$first" true)
    echo "adding to one that was cleared: exit status $?"
    tsp -w "$after" || true
    state "after the same job, cleared" "$after"

    tsp -S 2
    tsp sh -c 'echo first >> order; sleep 1' > /dev/null
    wide=$(tsp -N 2 sh -c 'echo wide >> order')
    never=$(tsp -N 3 true)
    for number in 1 2 3 4 5; do tsp sh -c "echo narrow $number >> order; sleep 0.3" > /dev/null; done
    tsp -w "$wide"
    paste -sd , order
    state "three of two slots" "$never"
} > seen.txt
cat seen.txt
diff seen.txt - <<'END'
after a job that ended well: finished
adding to one that was cleared: exit status 0
after the same job, cleared: skipped
first,narrow 1,narrow 2,narrow 3,narrow 4,narrow 5,wide
three of two slots: queued
END
