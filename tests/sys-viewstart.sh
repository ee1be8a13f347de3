#!/bin/sh
# sys-viewstart.sh: the view begins and ends well: it is usable when cfgfs
# returns, refuses what it can't do with one line, leaves the running tree
# behind; and it is small, however large the tree.
# shellcheck source=tests/sys.sh
. "$(dirname "$0")/sys.sh"
need_root
need_fuse

tool=$TOP/tests/viewtool
mkdir -p "$BASE"

start() {
	timeout "$LIMIT" "$CFGFS" -o \
	    "store=$T/none,base=$BASE,state=$STATE${1:-}" "$MNT"
}

type_of() { stat -f -c %T "$MNT"; }
plain() { [ "$(type_of 2>/dev/null)" = tmpfs ]; }
rss() { ps -o rss= -p "$(view_pid)" | tr -d ' '; }

ram_up
i=0
while [ "$i" -lt 300 ]; do
	echo "$i" > "$MNT/f$i"
	i=$((i + 1))
done

# ---- beginning
n=0
bad=0
while [ "$n" -lt 50 ]; do
	start || bad=$((bad + 1))
	[ "$(cat "$MNT/f7")" = 7 ] && echo "$n" > "$MNT/n" &&
	    [ "$(type_of)" != tmpfs ] || bad=$((bad + 1))
	umount "$MNT" || bad=$((bad + 1))
	await "the end" sys_gone "$(view_pid)"
	[ "$(cat "$MNT/n")" = "$n" ] || bad=$((bad + 1))
	n=$((n + 1))
done
is "50 times mounted, used at once, unmounted, still there" "$bad" 0

ok "the view is mounted" start
pid=$(view_pid)
fails_with 2 "already served by pid $pid" "$CFGFS" -o \
    "store=$T/none,base=$BASE,state=$STATE" "$MNT"
mkdir "$T/second"
fails_with 2 "$STATE" "$CFGFS" -o \
    "store=$T/none,base=$BASE,state=$STATE" "$T/second"
is "the first one serves on" "$(view_pid) $(cat "$MNT/f1")" "$pid 1"
fails_with 2 "$T/nowhere: No such file or directory" "$CFGFS" -o \
    "store=$T/none,base=$BASE,state=$T/st2" "$T/nowhere"
touch "$T/afile"
fails_with 2 "$T/afile: Not a directory" "$CFGFS" -o \
    "store=$T/none,base=$BASE,state=$T/st2" "$T/afile"
run "$CFGFS"
is "no mount point is wrong usage" "$rc" 64
mkdir -m 777 "$T/users"
fails_with 2 "root|ermi|ermitted" setpriv --reuid 1000 --regid 1000 \
    --clear-groups "$CFGFS" -o \
    "store=$T/none,base=$BASE,state=$T/users/s" "$T/users"

# ---- what it costs
ls -lR "$MNT" > "$T/list"
find "$MNT" -type f -exec cat {} + > "$T/all"
find "$MNT" -name 'f1*' -exec touch {} +
r=$(rss)
ok "300 files take less than 4 MB: $r KiB" test "$r" -lt 4096
fds() { find "/proc/$(view_pid)/fd" -mindepth 1 | wc -l; }
ok "and few descriptors" test "$(fds)" -lt 200

# ---- ending
echo precious > "$MNT/precious"
kill -TERM "$pid"
ok "SIGTERM ends it" await "the end" sys_gone "$pid"
await "the tree" plain
is "and the running tree is there" "$(cat "$MNT/precious")" precious
ok "it can be mounted again" start
exec 9< "$MNT/precious"
pid=$(view_pid)
umount -l "$MNT"
is "what is open is served after a lazy unmount" "$(cat <&9)" precious
exec 9<&-
ok "and the daemon ends with the last of it" await "the end" sys_gone "$pid"
rm -f "$MNT/precious"

ok "mounted again" start
echo pending > "$MNT/pending"
kill_view
ok "killed: the running tree shows" await "the tree" plain
is "with what was changed" "$(cat "$MNT/pending")" pending
ok "mounted over what was left" start

# The guard dies with it: a dead mount stays, and is no hindrance.
pid=$(view_pid)
# shellcheck disable=SC2046
kill -9 $(sys_pids) 2>/dev/null
await "the end" sys_gone "$pid"
not_ok "daemon and guard killed: the mount is dead" ls "$MNT"
ok "the next start detaches it" start
is "and serves" "$(cat "$MNT/pending")" pending
stop_view

# ---- files that are unlinked while they are open
ok "mounted with few descriptors" sh -c "ulimit -n 1024; exec timeout \
    $LIMIT '$CFGFS' -o 'store=$T/none,base=$BASE,state=$STATE' '$MNT'"
run sh -c "ulimit -n 4096; '$tool' hog '$MNT' 400"
is "400 unlinked files are all there while they are open" "$rc $out" \
    "0 held 400 bad 0"
run sh -c "ulimit -n 4096; '$tool' hog '$MNT' 3000"
is "of too many, those that it took are all there" "$rc" 0
like "and how many is said" "$out" "^held [0-9]+ bad 0"
rm -f "$MNT"/hog*
ok "then it goes on" test "$(cat "$MNT/pending")" = pending
stop_view

# ---- a large tree
mkdir "$MNT/big"
seq -f "$MNT/big/%06g" 1 100000 | awk -F/ '{ d = $0; sub("/[^/]*$", "", d)
    i = substr($NF, 1, 3); print d "/" i "/" $NF }' > "$T/names"
cut -d / -f 1-$(($(awk -F/ 'NR == 1 { print NF }' "$T/names") - 1)) \
    "$T/names" | sort -u | xargs mkdir
xargs touch < "$T/names"
# Where somebody drops the machine's caches, the paths are known no more.
nodes=0
for try in 1 2 3 4 5; do
	[ "$nodes" -lt 90000 ] || break
	[ "$try" = 1 ] || stop_view
	sh -c "ulimit -n 1024; exec timeout $LIMIT '$CFGFS' -o \
	    'store=$T/none,base=$BASE,state=$STATE' '$MNT'" || break
	taskset -p -c 0 "$(view_pid)" > "$T/out" 2>&1
	r1=$(rss)
	begin=$(date +%s)
	found=$(find "$MNT/big" -type f -size 0 | wc -l)
	took=$(($(date +%s) - begin))
	r2=$(rss)
	nodes=$("$tool" stat "$STATE" names)
done
is "of 100,000 files all are found" "$found" 100000
p="in good time: $took s"
ok "$p" test "$took" -lt 60
each=$(((r2 - r1) * 1024 / (nodes + 1)))
p="a known path costs at most 300 bytes: $each, $nodes known, $r2 KiB"
ok "$p" test "$each" -le 300 -a "$nodes" -gt 90000
ok "and no descriptor each" test "$(fds)" -lt 300
echo changed > "$MNT/big/042/042042"
is "the large tree is served as the small one" \
    "$(cat "$MNT/big/042/042042")" changed
stop_view
done_testing
