#!/bin/sh
# sys-kill.sh: the daemon is killed over and over while processes change
# the tree: what they know as done is there, and the journal or a SCAN
# covers each change.  KILLS says how often.
# shellcheck source=tests/sys.sh
. "$(dirname "$0")/sys.sh"
need_root
need_fuse

KILLS=${KILLS:-200}
tool=$TOP/tests/viewtool
seed=${SEED:-1}
echo "# SEED=$seed KILLS=$KILLS"

start() {
	timeout "$LIMIT" "$CFGFS" -o \
	    "store=$T/none,base=$BASE,state=$STATE" "$MNT"
}

plain() { [ "$(stat -f -c %T "$MNT" 2>/dev/null)" = tmpfs ]; }

mkdir -p "$BASE"
ram_up
cp -a "$MNT" "$T/before"
ok "the view is mounted" start

echo pending > "$MNT/pending"
kill_view
ok "a killed daemon's view goes away, the running tree shows" \
    await "the tree" plain
is "and holds what was changed" "$(cat "$MNT/pending")" pending
echo without > "$MNT/without"
ok "the next start takes over" start
is "what was changed meanwhile is there" "$(cat "$MNT/without")" without
like "and a SCAN says that nobody knows" "$("$tool" jrn "$STATE")" \
    '^ scan .* flags [23] '

"$tool" load "$MNT" 4 "$T/stop" "$seed" > "$T/load" 2>&1 &
load=$!
n=0
lost=0
while [ "$n" -lt "$KILLS" ]; do
	n=$((n + 1))
	sleep "0.0$((n * 7 % 9 + 1))"
	if ! kill_view; then
		lost=$((lost + 1))
		break
	fi
	# Every other time the tree is changed before the next start.
	[ $((n % 2)) = 0 ] || await "the tree" plain || break
	if ! start 2> "$T/err"; then
		lost=$((lost + 1))
		diag "kill $n: $(cat "$T/err")"
		break
	fi
	if [ $((n % 10)) = 0 ] && ! "$tool" jrn "$STATE" |
	    grep -q '^ scan '; then
		lost=$((lost + 1))
		diag "kill $n: no SCAN"
	fi
done
sleep 0.2
touch "$T/stop"
wait "$load"
rc=$?
tail -20 "$T/load" | sed 's/^/# /'
is "killed and started again, each time" "$n $lost" "$KILLS 0"
is "what was done is there, what was not is not" "$rc" 0
ok "the journal covers all changes" "$tool" cover "$STATE" "$T/before" "$MNT"
is "few things are open" "$("$tool" stat "$STATE" held)" 0
ok "the view goes away" stop_view
done_testing
