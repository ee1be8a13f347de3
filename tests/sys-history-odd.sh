#!/bin/sh
# sys-history-odd.sh: what becomes of the program that shows history is of
# no concern to the view: it stands still, dies, its store loses
# generations, lies on another host, a device, a slice that is not mounted;
# and /etc itself is the view.
# shellcheck source=tests/sys.sh
. "$(dirname "$0")/sys.sh"
need_root
need_fuse

PAST=$MNT/.cfg

# The program's process; and its state.
hist_pid() {
	for h in /proc/[0-9]*; do
		[ "$(cat "$h/comm" 2> /dev/null)" = cfg-hist ] &&
		    echo "${h#/proc/}"
	done
}
hist_gone() { [ -z "$(hist_pid)" ]; }
hist_stopped() { grep -q '^State:.T' "/proc/$(hist_pid)/status"; }
halt() {
	kill -STOP "$(hist_pid)" && await "it stands still" hist_stopped
}

# A box with history, and what its store's file needs first.
box() {
	ram_up && "$CFG" restore --store "$STORE" --base "$BASE" "$MNT" &&
	    run_view ,history
}
box_away() { umount "$MNT" && umount -l /run/cfgfs; }

mkdir -p "$BASE" && base_tree
"$CFG" init "$STORE"
ok "a view with history" box
echo 'sshd_enable="YES"' > "$MNT/rc.conf"
seq 2000 > "$MNT/mail/seq"
ok "a commit" cfg commit
ok "is shown" cmp "$PAST/@1/rc.conf" "$MNT/rc.conf"

# ---- a program that stands still, or dies
cat "$MNT/rc.conf" > "$T/rc.conf"
halt
timeout 200 ls "$PAST/@1/mail/never" > "$T/hung" 2>&1 &
hung=$!
ok "the view goes on" cmp "$MNT/rc.conf" "$T/rc.conf"
ok "and takes changes" sh -c "echo x > '$MNT/x' && mkdir '$MNT/d'"
ok "a commit is made" cfg commit
is "the window is there" "$(stat -c %F "$PAST")" directory
ok "one who waits is still waiting" kill -0 "$hung"
run timeout -s INT 2 ls "$PAST/never"
is "but may be interrupted" "$rc" 124
all=
for i in $(seq 150); do
	ls "$PAST/@no$i" > "$T/many$i" 2>&1 &
	all="$all $!"
done
ok "too many are refused" await "a refusal" grep -q 'Input/output' \
    -r "$T" --include=many*
kill -CONT "$(hist_pid)"
wait "$hung"
is "it goes on, and answers" "$(cat "$T/hung")" \
    "ls: cannot access '$PAST/@1/mail/never': No such file or directory"
# shellcheck disable=SC2086
wait $all
is "each of them gets one answer" "$(cat "$T"/many* |
    grep -c -e 'No such file' -e 'Input/output')" 150
ok "most of them what they asked for" [ "$(cat "$T"/many* |
    grep -c 'No such file')" -gt 100 ]

halt
timeout 200 ls "$PAST/@1/mail/none" > "$T/hung" 2>&1 &
hung=$!
timeout 200 ls "$PAST/@base/nothing" > "$T/hung2" 2>&1 &
hung2=$!
ok "two wait" sh -c "sleep 0.3; kill -0 $hung $hung2"
kill -9 "$(hist_pid)"
wait "$hung" "$hung2"
is "when it is killed they get an answer" "$(cat "$T/hung" "$T/hung2" |
    grep -c 'Input/output error')" 2
LIMIT=2 fails_with 2 'Input/output error' ls "$PAST/@1/none"
LIMIT=2 fails_with 2 'Input/output error' ls "$PAST"
ok "the view goes on" cmp "$MNT/rc.conf" "$T/rc.conf"
ok "and takes changes" sh -c "echo y > '$MNT/x'"

# ---- the end of the view
( cd "$T" && exec sleep 100 ) &
ok "umount(8) ends it" stop_view
ok "a view with history again" run_view ,history
is "shows the same" "$(cat "$PAST/@1/rc.conf")" "$(cat "$MNT/rc.conf")"
halt
ok "umount(8) ends it where the program stands still" stop_view
ok "which goes, too" await "its end" hist_gone
ok "a view with history again" run_view ,history
ls "$PAST/@1" > /dev/null
kill_view
ok "it goes where the daemon is killed" await "its end" hist_gone
ok "and the tree is there" await "the running tree" cmp "$MNT/rc.conf" \
    "$T/rc.conf"
not_ok "which has no window" ls "$PAST"

# ---- generations that go
power_cut
rm "$STORE"
ok "a small store" "$CFG" init --size 64K "$STORE"
chgrp 4321 "$STORE"
chmod 640 "$STORE"
ok "a view of it" box
for i in $(seq 15); do
	head -c 3000 /dev/urandom > "$MNT/noise"
	cfg commit > /dev/null || break
	cmp -s "$PAST/@$i/noise" "$MNT/noise" || break
	find "$PAST" -maxdepth 1 -name "@$i" | grep -q . || break
done
is "each of 15 commits is there at once" "$i" 15
oldest=$(find "$PAST" -maxdepth 1 -name '@[0-9]*' -printf '%P\n' |
    tr -d @ | sort -n | head -1)
ok "a compaction has taken the oldest" [ "$oldest" -gt 1 ]
# The kernel may have the name for a second.
ok "their names go" await "the name's end" sh -c "! ls -d '$PAST/@1'"
fails_with 2 'No such file' ls "$PAST/@1/ssh"
for i in $(seq "$oldest" 15); do
	[ "$(wc -c < "$PAST/@$i/noise")" = 3000 ] || break
done
is "all that are listed can be read" "$i" 15
as() { gid=$1 && shift && setpriv --reuid 4321 --regid "$gid" \
    --clear-groups "$@"; }
ok "the store's group may look" as 4321 cat "$PAST/@$oldest/noise"
not_ok "but not at what it might not see then" as 4321 \
    cat "$PAST/@$oldest/master.passwd"
not_ok "others may not look" as 4322 ls "$PAST"
stop_view

# ---- what the store lies on
box_away
ram_up
STORE=sftp://nobody@localhost/none
cp -a "$BASE/." "$MNT"
ok "a store on another host is no reason not to start" run_view ,history
is "the base is there" "$(ls "$PAST"; cat "$PAST/@base/mail/aliases")" \
    "@base
$(cat "$BASE/mail/aliases")"
fails_with 2 'No such file' ls "$PAST/@1"
fails_with 2 'No such file' ls "$PAST/@head/"
stop_view
box_away
truncate -s 8M "$T/img"
if loop_dev "$T/img"; then
	STORE=$dev
	"$CFG" init "$STORE" > /dev/null
	ok "a store on a device" box
	for i in 1 2 3; do
		echo "$i" > "$MNT/new"
		cfg commit > /dev/null
		ls "$PAST/@head/" > /dev/null
		sleep 0.1
		is "commit $i is the head" "$(cat "$PAST/@head/new")" "$i"
	done
	power_cut

	mke2fs -q -F -t ext2 "$dev" 4M
	mkdir "$T/slice"
	printf '%s %s ext2 noauto 0 0\n' "$dev" "$T/slice" > "$T/fstab"
	mount --bind "$T/fstab" /etc/fstab
	mount "$dev" "$T/slice"
	STORE=$T/slice/store
	"$CFG" init "$STORE" > /dev/null
	umount "$T/slice"
	ok "a store on a slice that is not mounted" box
	echo one > "$MNT/new"
	cfg commit > /dev/null
	is "is looked at" "$(cat "$PAST/@1/new")" one
	echo two > "$MNT/new"
	ok "a commit waits for that" cfg commit
	is "which is there" "$(cat "$PAST/@head/new")" two
	# Who looks all the time gives way.
	( while :; do cat "$PAST/@head/new"; done ) > /dev/null 2>&1 &
	busy=$!
	echo three > "$MNT/new"
	ok "it gets its turn where there is no end of looking" cfg commit
	kill "$busy"
	wait "$busy" 2> /dev/null
	is "and shows" "$(cat "$PAST/@head/new")" three
	ok "the slice is unmounted soon" await "that" sh -c \
	    "! mountpoint -q '$T/slice'"
	power_cut
else
	skip "no loop devices"
fi

# ---- /etc itself
umount /etc/fstab
MNT=/etc
STATE=/run/cfgfs/etc
STORE=$T/etc.store
"$CFG" init --size 4M "$STORE" > /dev/null
mount -t tmpfs -o mode=755 cfgfs-ram /run/cfgfs
ok "a view of /etc with history" timeout -k 5 20 "$CFGFS" \
    -o "store=$STORE,history" /etc
bad=
for i in 1 2 3 4 5; do
	echo "line $i" >> /etc/motd
	cfg commit > /dev/null || bad="$bad commit:$i"
	echo 3 > /proc/sys/vm/drop_caches
	timeout -k 1 20 cmp /etc/motd /etc/.cfg/@head/motd ||
	    bad="$bad head:$i"
	echo 3 > /proc/sys/vm/drop_caches
	timeout -k 1 20 cmp /etc/passwd "/etc/.cfg/@$i/passwd" ||
	    bad="$bad passwd:$i"
done
is "nothing waits on itself" "$bad" ""
ok "unmounting" umount /etc
ok "ends all" await "the end" sys_none
done_testing
