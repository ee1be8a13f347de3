#!/bin/sh
# sys-jrn.sh: the journal of a running view: who changed what is in it
# before the change shows, it names all that differs, it stays small; and
# a freeze holds changes back.  SAVES says how many saves are made.
# shellcheck source=tests/sys.sh
. "$(dirname "$0")/sys.sh"
need_root
need_fuse

SAVES=${SAVES:-15000}
tool=$TOP/tests/viewtool
mkdir -p "$BASE"

start() {
	timeout "$LIMIT" "$CFGFS" -o \
	    "store=$T/none,base=$BASE,state=$STATE" "$MNT"
}

# A freeze that nobody ends takes a while: another view, meanwhile.
mkdir "$T/other" "$T/otherstate"
timeout "$LIMIT" "$CFGFS" -o \
    "store=$T/none,base=$BASE,state=$T/otherstate" "$T/other"
"$tool" freeze "$T/otherstate" "touch $T/other/late; cat $T/other/late" \
    > "$T/froze" &
froze=$!

ram_up
echo old > "$MNT/f"
mkdir "$MNT/d"
ok "the view is mounted" start
like "what was there before is named by a SCAN" "$("$tool" jrn "$STATE")" \
    '^ scan '
ok "a commit ends it" "$tool" rotate "$STATE"
is "then nothing is named" "$("$tool" jrn "$STATE")" ""

# ---- who, what, when
# rec PATH: its records.
rec() { "$tool" jrn "$STATE" | grep "^$1 "; }
# noted PROMISE PATH REGEX: the record's there.
noted() { like "$1" "$(rec "$2")" "^$2 $3"; }

now=$(date +%s)
echo new > "$MNT/f"
noted "a write is noted" f "write uid 0 gid 0 .* comm sh\$"
t=$(rec f | sed 's/.* time \([0-9]*\) .*/\1/')
ok "with the time" test "$t" -ge "$now" -a "$t" -le $((now + 30))
chmod 777 "$MNT"
run setpriv --reuid 1000 --regid 1001 --clear-groups \
    cp "$TOP/LICENSE" "$MNT/u"
noted "another user's change is his" u \
    "create uid 1000 gid 1001 pid [0-9]+ count [0-9]+ .* comm cp\$"
sh -c 'echo $$ > "$1"; echo x > "$2"' sh "$T/pid" "$MNT/p"
noted "with the process" p "create uid 0 gid 0 pid $(cat "$T/pid") "
sh -c 'echo $$ > "$1"; echo x > "$2"; exec touch "$3"' sh \
    "$T/pid" "$MNT/x" "$MNT/y"
is "a program that took the place of another in its process is told apart" \
    "$(for i in x y; do rec $i; done |
    sed 's/.* pid \([0-9]*\) .* comm/\1/' | tr '\n' ' ')" \
    "$(cat "$T/pid") sh $(cat "$T/pid") touch "
chmod 666 "$MNT/f"
before=$(rec f | wc -l)
# shellcheck disable=SC2016
run setpriv --reuid 1001 --regid 1001 --clear-groups \
    sh -c 'echo more >> "$1"' sh "$MNT/f"
is "another user on the same path has a record of his own" \
    "$(rec f | wc -l) $(rec f | grep -c 'uid 1001 ')" "$((before + 1)) 1"

"$tool" rotate "$STATE"
before=$("$tool" stat "$STATE" journal.bytes)
# shellcheck disable=SC2016
sh -c 'i=0; while [ $i -lt 500 ]; do echo $i >> "$1"; i=$((i + 1)); done' \
    sh "$MNT/f"
noted "repeated writes only count" f "write .* count 500 "
is "and are one record" "$(rec f | wc -l)" 1

# Each kind of change, looked for as soon as it is done.
"$tool" rotate "$STATE"
change() {
	what=$1 path=$2 want=$3
	shift 3
	run "$@"
	noted "$what is in the journal" "$path" "$want"
}
cd "$MNT" || exit 2
change mkdir dir "mkdir .* flags [13] " mkdir dir
change mknod fifo "create .* flags 1 " mkfifo fifo
change symlink sym "symlink .* flags 1 " ln -s f sym
change link hard "link .* flags [57] " ln f hard
change "the link's other name" f "link .*" true
change rename moved "rename .* flags 1 " mv hard moved
change "where it came from" hard "rename " true
change chmod d "attr " chmod 700 d
change chown fifo "(create|attr) " chown 5:5 fifo
change utimens u "attr " touch -d 2001-01-01 u
change truncate x "write " truncate -s 0 x
change setfattr p "xattr " setfattr -n user.a -v 1 p
change unlink sym "(symlink|unlink) " rm sym
change rmdir dir "(mkdir|rmdir) " rmdir dir
change "rename of a directory" d2 "rename .* flags [23] " mv d d2
change "and where it came from" d "rename .* flags [23] " true
mkdir e1 e2
"$tool" rotate "$STATE"
change exchange e1 "rename .* flags [23] " "$tool" exchange e1 e2
change "exchange, the other" e2 "rename .* flags [23] " true
cd / || exit 2

# ---- all that differs is named, without any SCAN
seed=${SEED:-1}
echo "# SEED=$seed"
mkdir "$MNT/r"
k=0
while [ "$k" -lt 12 ]; do
	mkdir "$T/before"
	cp -a "$MNT/r/." "$T/before"
	"$tool" rotate "$STATE"
	"$tool" change "$MNT/r" $((seed + k)) $((k * 150 + 20))
	p="random changes $k: the journal names each path that differs"
	ok "$p" "$tool" cover "$STATE" "$T/before" "$MNT/r" r
	like "and no SCAN was needed" "$out" " different [0-9]+ unseen 0 .*\
 scans 0\$"
	rm -rf "$T/before"
	k=$((k + 1))
done

# ---- bounded
rss() { ps -o rss= -p "$(view_pid)"; }
size() { du -sk "$STATE" | cut -f 1; }
"$tool" rotate "$STATE"
mkdir "$MNT/s"
# On one processor a request is answered soonest.
taskset -p -c 0 "$(view_pid)" > "$T/out"
one="taskset -c 0 $tool"
$one saves "$MNT/s" 5000 0 && $one saves "$MNT/s" 5000 1
r1=$(rss) s1=$(size)
# shellcheck disable=SC2086
ok "many saves by one temporary name" $one saves "$MNT/s" "$SAVES" 0
# shellcheck disable=SC2086
ok "many saves by names that never come again" $one saves "$MNT/s" \
    "$SAVES" 1
r2=$(rss) s2=$(size)
p="memory stays as it was: $r1 KiB, $r2 KiB"
ok "$p" test "$r2" -le $((r1 + 256))
p="the state directory stays as it was: $s1 KiB, $s2 KiB"
ok "$p" test "$s2" -le $((s1 + 128))
noted "the saved file is named" s/saved ".*"
ok "few records are left" test "$("$tool" stat "$STATE" journal.records)" \
    -lt 4000

# ---- freeze
echo text > "$MNT/f"
i=1
while [ "$i" -le 5 ]; do
	mkdir "$MNT/o$i"
	i=$((i + 1))
done
echo unseen > "$MNT/o3/unseen"
# Nobody knows the name any more.
stop_view
ok "the view is there again" start
echo text > "$MNT/f"
mkfifo "$T/end"
"$tool" freeze "$STATE" < "$T/end" > "$T/frozen" &
holder=$!
exec 8> "$T/end"
await "the freeze" grep -q frozen "$T/frozen"
is "while it is frozen, reads work" "$(cat "$MNT/f" &&
    find "$MNT" -name 'o[1-5]' | wc -l)" "text
5"
like "a second lease is refused, with its holder" \
    "$("$tool" freeze "$STATE" true)" "^holder $holder\$"
held() { [ "$("$tool" stat "$STATE" held)" = "$1" ]; }
i=5
n=1
while [ "$i" -ge 1 ]; do
	mkdir "$MNT/o$i/x" 8>&- &
	await "writer $n" held "$n"
	i=$((i - 1))
	n=$((n + 1))
done
is "writers wait" "$("$tool" stat "$STATE" held)" 5
# The kernel has the directories locked: it is read beneath the view.
is "and what was never looked at is read beneath the view" \
    "$("$tool" peek "$STATE" o3/unseen)" unseen
exec 8>&-
wait "$holder"
is "the lease ends well" "$? $(tail -1 "$T/frozen")" "0 thawed"
await "the writers" held 0
wait_dirs() { [ "$(find "$MNT"/o? -name x -type d | wc -l)" = 5 ]; }
ok "then all go on" await "five" wait_dirs
is "in the order in which they came" "$(for i in 1 2 3 4 5; do
	stat -c "%i $i" "$MNT/o$i/x"; done | sort -n | cut -d ' ' -f 2 |
	tr -d '\n')" 54321

ok "a lease is to be had whose holder has just gone" \
    "$tool" handover "$STATE" "$(view_pid)"

mkfifo "$T/end2"
"$tool" freeze "$STATE" < "$T/end2" > "$T/frozen" &
holder=$!
exec 8> "$T/end2"
await "the freeze" grep -q frozen "$T/frozen"
mkdir "$MNT/after" 8>&- &
await "the writer" held 1
kill -9 "$holder"
ok "a holder that is killed holds nothing" await "the thaw" test -d "$MNT/after"
exec 8>&-
wait

# While it is frozen, a writer that is killed waits no longer.
"$tool" freeze "$STATE" "mkdir '$MNT/never' & w=\$!
    until [ \"\$('$tool' stat '$STATE' held)\" = 1 ]; do :; done
    kill -9 \$w; wait \$w; '$tool' stat '$STATE' held" > "$T/frozen"
is "a writer that is killed waits no longer, and changes nothing" \
    "$(sed -n 2p "$T/frozen") $(ls -d "$MNT/never" 2>/dev/null)" "0 "

like "an ordinary user can't connect" "$("$tool" as "$STATE" 1000)" \
    '^connect: Permission denied$'
chmod 711 "$STATE"
chmod 666 "$STATE/ctl"
like "nor freeze where he may connect" "$("$tool" as "$STATE" 1000)" \
    '^freeze: (Operation not permitted|Permission denied)$'
like "nor have the tree" "$("$tool" as "$STATE" 1000)" \
    '^tree: (Operation not permitted|Permission denied)$'

# ---- nonsense on the socket
run "$tool" raw "$STATE" 255 255 255 255 1 0 0 0
is "a frame too long ends the connection" "$rc" 0
run "$tool" raw "$STATE" 4 0 0 0 99 0 0 0
is "so does an unknown question" "$rc" 0
ok "and the view lives" cat "$MNT/f"
n=0
mkfifo "$T/quiet"
while [ "$n" -lt 10 ]; do
	"$tool" quiet "$STATE" 8>&- < "$T/quiet" > "$T/raw.$n" &
	n=$((n + 1))
done
exec 8> "$T/quiet"
ok "those who say nothing block nobody" timeout 3 "$tool" stat "$STATE" requests
exec 8>&-
wait

# ---- the other view: a freeze ends by itself
wait "$froze"
like "a freeze that nobody ends, ends by itself" "$(cat "$T/froze")" \
    '^thaw: Connection timed out$'
ok "and the change took place" test -f "$T/other/late"
umount "$T/other"
stop_view
done_testing
