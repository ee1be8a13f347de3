#!/bin/sh
# sys-viewreq.sh: what has been looked at once is not asked of the daemon
# again, and changes send no more requests than they need.
# shellcheck source=tests/sys.sh
. "$(dirname "$0")/sys.sh"
need_root
need_fuse

mkdir -p "$BASE"
ram_up
ok "the view is mounted" timeout "$LIMIT" "$CFGFS" -o \
    "store=$T/none,base=$BASE,state=$STATE" "$MNT"
mkdir "$MNT/dir"
# What a box has done before long: an open and a reading of each kind.
echo x > "$MNT/known"
cat "$MNT/known" > "$T/copy"
ls -lR "$MNT" > "$T/list"

run "$TOP/tests/viewtool" req "$STATE" "$MNT/dir"
is "all steps were made" "$rc $(printf '%s\n' "$out" | wc -l)" "0 14"
printf '%s\n' "$out" > "$T/counts"
while read -r what have calls most; do
	p="$what, $calls times: $have requests, at most $most"
	[ "$have" -ge 0 ] && [ "$have" -le "$most" ]
	sys_say $((! $?)) "$p"
done < "$T/counts"

# The count counts.
before=$("$TOP/tests/viewtool" stat "$STATE" requests)
echo y > "$MNT/new"
after=$("$TOP/tests/viewtool" stat "$STATE" requests)
ok "a change is counted" test "$after" -gt "$before"
stop_view
done_testing
