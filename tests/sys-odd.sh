#!/bin/sh
# Ways of use that are rare, each of which once went wrong: a base that
# has lost a directory, and what stands below it in the store, the mount
# point by another name, what a killed revert leaves, a full RAM disk.
. "$(dirname "$0")/sys.sh"
need_root
need_fuse

mkdir -p "$BASE/opt"
ok "a box starts" new_box
echo mine > "$MNT/opt/mine"
ok "a file in a directory of the base is committed" cfg commit

# The next image has no such directory.
power_cut
rm -r "$BASE/opt"
boot 2> /dev/null
is "without the directory nothing is pending" "$(cfg status --json |
    sed 's/.*"pending":\(\[[^]]*\]\).*/\1/')" "[]"
mkdir "$MNT/opt"
echo new > "$MNT/opt/new"
ok "a directory of that name is committed" cfg commit
have=$(snap "$MNT")
power_cut
ok "the box starts again" boot
is "what was lost with the old one stays so" "$(snap "$MNT")" "$have"
ok "and nothing is pending" cfg status -q

# The mount point by other names.
ln -s "$MNT" "$T/link"
echo zz > "$MNT/zz"
for m in "$MNT/" "$T/link" "$T/link/" "$T/../t/mnt"; do
	ok "-m $m" "$CFG" -m "$m" status
	like "says the same" "$out" '^A zz	'
	like "a path by it, too" \
	    "$("$CFG" -m "$m" diff --name-only "$T/link/zz" 2>&1)" '^zz$'
done
like "-m relative, from inside" "$(cd "$MNT/ssh" && "$CFG" -m ../../link \
    diff --name-only ../zz 2>&1)" '^zz$'
fails_with 2 'not a path below' cfg status "$T/link/../zz"
fails_with 2 'does not serve it' timeout 20 "$CFG" -m "$T/base" status

# A revert that was killed amid a file leaves its temporary name.
cfg commit > /dev/null
sh -c 'kill -9 $$' 2> /dev/null &
dead=$!
wait "$dead" 2> /dev/null
echo half > "$MNT/ssh/.cfg.$dead.0.tmp"
mkdir "$MNT/.cfg.$dead.0.tmp" "$MNT/more"
echo half > "$MNT/more/.cfg.$dead.3.tmp"
echo own > "$MNT/.cfg.$$.0.tmp"
rmdir "$MNT/more" 2> /dev/null
is "what a killed revert left is not pending" "$(cfg diff --name-only)" more
echo x >> "$MNT/rc.conf"
ok "the next revert" cfg revert rc.conf more
is "sweeps it away, and no other's" "$(cd "$MNT" && find . -name '.cfg*')" \
    "./.cfg.$$.0.tmp"
rm "$MNT/.cfg.$$.0.tmp"
echo half > "$MNT/.cfg.$dead.0.tmp"
ok "a commit" cfg commit
not_ok "does so, too" test -e "$MNT/.cfg.$dead.0.tmp"

# What can't be given back for want of room is as it was.
power_cut
RAM_OPTS=,nr_inodes=60
ok "a box with few inodes" boot
rm -r "$MNT/rc.d"
echo file > "$MNT/rc.d"
ln "$MNT/rc.d" "$MNT/rc.too"
i=0
while mkdir "$MNT/d$i" 2> /dev/null; do i=$((i + 1)); done
run cfg revert rc.d
is "no room for a directory is a failure" "$rc" 2
like "that is said" "$err" '^cfg: revert: mkdir rc.d: No space left'
is "a file stays where no directory can be made" \
    "$(cat "$MNT/rc.d" 2> /dev/null)" file
rmdir "$MNT"/d[0-9]*
ok "with room it goes" cfg revert rc.d
ok "and is as before" test -x "$MNT/rc.d/sshd"
is "nothing else is left" "$(find "$MNT" -name '.cfg*')" ""

# A commit without a daemon, which another program starts meanwhile: the
# store is held, so that the commit waits in its last step.
power_cut
RAM_OPTS=
ok "a box" boot
cfg commit > /dev/null
kill_view
await "the dead mount's end" test -f "$MNT/rc.conf"
echo first > "$MNT/early"
mkfifo "$T/go"
( flock -s 9; echo held > "$T/held"; read -r _ < "$T/go" ) 9< "$STORE" &
await "the lock" test -s "$T/held"
"$CFG" -m "$MNT" commit > /dev/null 2>&1 < /dev/null &
commit=$!
await "its wait for the store" grep -q lock "/proc/$commit/wchan"
ok "the view comes while a commit is under way" run_view
echo second > "$MNT/late"
echo go > "$T/go"
wait "$commit"
is "the commit is done" "$?" 0
is "and what came after it is seen" "$(cfg diff --name-only)" late

# late N VERB...: a cfg that is held up for two seconds before its N-th
# word to the daemon, by which time another has committed.
late() {
	late_n=$1
	shift
	rm -f "$T/trace"
	strace -qq -o "$T/trace" -e trace=sendto \
	    -e inject=sendto:delay_enter=2000000:when="$late_n" \
	    "$CFG" -m "$MNT" "$@" > /dev/null 2>&1 < /dev/null &
	late_pid=$!
	# The first is written out when it has been answered.
	await "its way" grep -q 'sendto.*= ' "$T/trace"
	cfg commit > /dev/null
	echo before > "$MNT/swing"
	wait "$late_pid"
}
if command -v strace > /dev/null; then
	echo before > "$MNT/swing"
	cfg commit > /dev/null
	echo after > "$MNT/swing"
	late 2 commit ssh
	is "what another committed meanwhile is compared with" \
	    "$(cfg diff --name-only)" swing
else
	skip "no strace"
fi

# What else writes to a store that is in use, by whatever name.
cfg commit > /dev/null
mkdir "$T/plain"
ln -s "$STORE" "$T/other"
echo imported > "$T/plain/imported"
ok "an import into the store by another name" \
    "$CFG" -s "$T/other" import --base "$BASE" "$T/plain"
is "is seen in the tree that has it" "$(cfg diff --name-only)" imported
fails_with 2 'cfg: init: .*/other: cfgfs on .*/mnt has it' \
    "$CFG" init --force "$T/other"
ok "and the store is as it was" cfg verify
stop_view
ok "when the view is gone it can be made anew" "$CFG" init --force "$STORE"
run_view
like "and all is pending" "$(cfg diff --name-only)" '^swing$'

# Two mount points can have one name for their state directory.
mkdir "$T-mnt"
fails_with 2 "-mnt: cfgfs does not serve it .*is of $MNT" \
    "$CFG" -m "$T-mnt" status
done_testing
