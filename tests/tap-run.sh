#!/bin/sh
# tap-run.sh TEST: how check.sh has prove(1) run one test: with a time
# limit, and with its output kept in $TAP_DIR for the counts.
set -u

log=$TAP_DIR/$(basename "$1").tap
case $1 in
*.sh)	set -- sh "$1" ;;
esac
# timeout(1) has a process group of its own: what ends us ends it, too.
timeout -k 5 "${TEST_LIMIT:-900}" "$@" > "$log" < /dev/null &
pid=$!
trap 'kill "$pid"; wait "$pid"; exit 143' HUP INT TERM
wait "$pid"
rc=$?
[ "$rc" != 124 ] || echo "# did not end in time" >> "$log"
if [ "$rc" != 0 ]; then
	: > "${log%.tap}.bad"
	grep -q '^not ok ' "$log" ||
	    echo "not ok - ended with status $rc" >> "$log"
fi
cat "$log"
exit "$rc"
