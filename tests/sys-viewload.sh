#!/bin/sh
# sys-viewload.sh: commits while processes change the tree: no commit holds
# the box for long, and what was committed is a tree that there was.
# shellcheck source=tests/sys.sh
. "$(dirname "$0")/sys.sh"
need_root
need_fuse

tool=$TOP/tests/viewtool
ok "a box with a store" new_box 64M || done_testing
i=0
while [ "$i" -lt 300 ]; do
	echo "$i" > "$MNT/file$i"
	i=$((i + 1))
done
stop_view
ok "with names that nobody has looked up" run_view

"$tool" load "$MNT" 4 "$T/stop" "${SEED:-1}" > "$T/load" 2>&1 &
load=$!

commit() { "$CFG" -m "$MNT" commit -m "$1"; }
n=0
bad=0
begin=$(date +%s)
while [ "$n" -lt 20 ]; do
	echo "$n" > "$MNT/file$((n * 7))"
	mkdir "$MNT/dir$n"
	commit "number $n" > "$T/out" 2> "$T/err" ||
	    { bad=$((bad + 1)); sed 's/^/# /' "$T/err"; }
	n=$((n + 1))
done
took=$(($(date +%s) - begin))
is "each commit under load is made" "$bad" 0
ok "and none waited for a freeze to end by itself: $took s in all" \
    test "$took" -lt 20
touch "$T/stop"
wait "$load"
is "the load knew nothing of it" "$? $(tail -1 "$T/load" |
    sed 's/.* bad/bad/')" "0 bad 0 died 0"
ok "the last commit" commit last
snap "$MNT" > "$T/want"
power_cut
ok "boot" boot
snap "$MNT" > "$T/have"
ok "what comes back is what was there" cmp "$T/want" "$T/have"
stop_view
done_testing
