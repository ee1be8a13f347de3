#!/bin/sh
# sys-slice.sh: a store on a slice that is mounted read-only, or not at
# all: it is made usable for the moment, and left as it was found.
# shellcheck source=tests/sys.sh
. "$(dirname "$0")/sys.sh"
need_root

DRIVER=$TOP/tests/slice.t
cfg=$T/cfg			# where the slice belongs

# The mounts' own lines, without their numbers, which count up.
state() { awk -v d="$cfg" '$5 == d { $1 = $2 = ""; print }' \
    /proc/self/mountinfo; }
mounted() { mountpoint -q "$cfg"; }
is_rw() { state | grep -q '^ .* rw[, ].* - .* rw'; }
is_ro() { state | grep -q '^ .* ro[, ].* - .* ro'; }
unmounted() { ! mounted; }
written() { [ "$(head -c 4096 "$1" | tr -d W | wc -c)" = 0 ]; }
gone() { ! kill -0 "$1" 2>/dev/null; }

pid1='' pid2=''

# hold N r|w PATH: a window in the background, number N; open it, or fail.
hold() {
	rm -f "$T/in$1"
	mkfifo "$T/in$1"
	: > "$T/out$1"
	"$DRIVER" hold "$2" "$3" < "$T/in$1" > "$T/out$1" 2> "$T/err$1" \
	    4>&- 5>&- &
	eval "pid$1=$!"
	case $1 in
	1)	exec 4> "$T/in1" ;;
	2)	exec 5> "$T/in2" ;;
	esac
}
opened() { await "window $1" grep -q '^open' "$T/out$1"; }
# let N: close window N; its status in $rc.
let_end() {
	case $1 in
	1)	exec 4>&- ;;
	2)	exec 5>&- ;;
	esac
	eval "wait \$pid$1" 2> "$T/wait"
	rc=$?
}
ended() { let_end "$1"; [ "$rc" = "${2:-0}" ]; }

truncate -s 8M "$T/img"
mke2fs -q -F -t ext2 -b 1024 "$T/img" || exit 2
loop_dev "$T/img" || skip_all "no loop devices"
slice=$dev
mkdir "$cfg"
mount "$dev" "$cfg" || exit 2
"$DRIVER" create "$cfg/store" || exit 2
umount "$cfg"
printf '# nothing here\n' > "$T/fstab"
mount --bind "$T/fstab" /etc/fstab || exit 2

# ---- mounted read-only
mount -o ro,nosuid,nodev,noatime "$dev" "$cfg"
before=$(state)
hold 1 w "$cfg/store"
ok "a writer opens a store on a read-only slice" opened 1
ok "the slice is writable in the window" is_rw
like "its other options are kept" "$(state)" 'nosuid,nodev,noatime'
ok "the window closes" ended 1
like "its length is told" "$(cat "$T/out1")" '^window [1-9][0-9]{5,}$'
is "the slice is as it was" "$(state)" "$before"
ok "what was written is there" written "$cfg/store"
umount "$cfg"
mount -o ro "$dev" "$cfg"
ok "and is on the medium" written "$cfg/store"

hold 1 r "$cfg/store"
ok "a reader opens" opened 1
ok "and changes nothing" is_ro
ok "a reader closes" ended 1
is "without a window" "$(tail -1 "$T/out1")" "window 0"

# ---- signals
before=$(state)
for sig in HUP INT QUIT TERM PIPE ALRM USR1; do
	hold 1 w "$cfg/store"
	opened 1
	kill -s "$sig" "$pid1"
	let_end 1
	is "SIG$sig in the window: put back first" "$(state)" "$before"
	is "SIG$sig then takes its effect" "$(kill -l "$rc")" "$sig"
done
hold 1 w "$cfg/store"
opened 1
kill -s TSTP "$pid1"
exec 4>&-
ok "SIGTSTP does not stop it in the window" await "its end" is_ro
kill -s CONT "$pid1"
ok "but after it" ended 1

# ---- killed in the window
hold 1 w "$cfg/store"
opened 1
kill -KILL "$pid1"
let_end 1
ok "killed in the window, it stays open" is_rw
hold 1 w "$cfg/store"
ok "until the next, which takes place" opened 1
ended 1
is "and leaves the slice as it was at first" "$(state)" "$before"

# ---- what fails inside
fails_with 2 "open $cfg/none: No such file" "$DRIVER" hold w "$cfg/none"
is "a store that is not there: put back" "$(state)" "$before"
fails_with 2 "neither a file nor a disk" "$DRIVER" hold w "$cfg"
is "a directory for a store: put back" "$(state)" "$before"
umount "$cfg"
blockdev --setro "$dev"
mount -o ro "$dev" "$cfg"
fails_with 2 "remount $cfg read-write: " "$DRIVER" hold w "$cfg/store"
ok "a slice that can't be written to: as it was" is_ro
umount "$cfg"
blockdev --setrw "$dev"
mount -o ro "$dev" "$cfg"

# ---- made there
ok "a store can be made on a read-only slice" \
    "$DRIVER" create "$cfg/new"
is "and it is put back" "$(state)" "$before"
is "the new store has its size" "$(stat -c %s "$cfg/new")" 65536
fails_with 2 "create $cfg/new: File exists" "$DRIVER" create "$cfg/new"
is "one that is there: put back" "$(state)" "$before"

# ---- two at once
hold 1 w "$cfg/store"
opened 1
hold 2 w "$cfg/store"
ok "a second writer waits for the window" [ ! -s "$T/out2" ]
ok "the first closes" ended 1
ok "then the second has its own" opened 2
ok "in which the slice is writable" is_rw
ok "the second closes" ended 2
is "and it is put back" "$(state)" "$before"
mount -o remount,rw "$cfg"
hold 1 w "$cfg/store"
opened 1
fails_with 2 "in use by another writer" "$DRIVER" hold w "$cfg/store"
ended 1
is "a slice that was writable has no window" "$(tail -1 "$T/out1")" \
    "window 0"
ok "and stays writable" is_rw

# ---- a read-only view of a writable file system
mkdir "$T/bind"
mount --bind "$cfg" "$T/bind"
mount -o remount,bind,ro "$T/bind"
hold 1 w "$T/bind/store"
ok "a read-only bind opens for writing" opened 1
ok "it closes" ended 1
like "the bind is read-only again" "$(grep " $T/bind " \
    /proc/self/mountinfo)" " $T/bind ro"
ok "and the file system itself still writable" touch "$cfg/touched"
umount "$T/bind"
mount -o remount,ro "$cfg"

# ---- another writes there meanwhile
hold 1 w "$cfg/store"
opened 1
exec 7> "$cfg/other"
ok "busy for good: an error" ended 1 2
like "that says so" "$(cat "$T/err1")" "remount $cfg read-only: .*busy"
exec 7>&-
mount -o remount,ro "$cfg"
hold 1 w "$cfg/store"
opened 1
exec 7> "$cfg/other"
exec 4>&-
sleep 0.3			# as long as it likes, if less than two
ok "busy for a moment: not over yet" kill -0 "$pid1"
exec 7>&-
ok "and then over" ended 1
ok "with the slice read-only" is_ro
umount "$cfg"

# ---- not mounted, and noauto in fstab
echo "$dev $cfg ext2 rw,noauto,nosuid 0 0" > "$T/fstab"
hold 1 w "$cfg/store"
ok "a writer mounts it" opened 1
ok "read-write" is_rw
like "with fstab's options" "$(state)" nosuid
ok "it closes" ended 1
like "the window's length is told" "$(cat "$T/out1")" '^window [1-9][0-9]{5}'
ok "it is not mounted any more" unmounted
hold 1 r "$cfg/store"
ok "a reader mounts it" opened 1
ok "read-only" is_ro
hold 2 w "$cfg/store"
ok "a writer waits for it" [ ! -s "$T/out2" ]
ended 1
ok "and then mounts it" opened 2
ok "read-write" is_rw
kill -TERM "$pid2"
let_end 2
is "SIGTERM in the window: exit by it" "$rc" 143
ok "and it is not mounted any more" unmounted
fails_with 2 "$cfg/none: No such file" "$DRIVER" hold w "$cfg/none"
ok "a store that is not there: not mounted any more" unmounted
ok "a store can be made there" "$DRIVER" create "$cfg/third"
ok "and it is not mounted any more" unmounted
ok "cfg makes one there" "$CFG" init --size 256K "$cfg/made"
ok "and it is not mounted any more" unmounted
ok "cfg reads it" "$CFG" -s "$cfg/made" verify
ok "and it is not mounted any more" unmounted
fails_with 2 "holds a store" "$CFG" init "$cfg/made"
ok "and it is not mounted any more" unmounted
ok "cfg makes it anew" "$CFG" init --force "$cfg/made"
ok "and it is not mounted any more" unmounted
mkdir "$T/links"
ln -s "$cfg" "$T/links/to"
ok "by way of a link too" "$DRIVER" hold r "$T/links/to/store"
ok "and it is not mounted any more" unmounted

hold 1 w "$cfg/store"
opened 1
kill -KILL "$pid1"
let_end 1
ok "killed in the window, it stays mounted" mounted
hold 1 r "$cfg/store"
ok "the next may be a reader" opened 1
ok "for which it is read-only" is_ro
ended 1
ok "and not mounted any more" unmounted

# ---- readers share one
waits() { timeout 1 "$DRIVER" hold "$@"; [ "$?" = 124 ]; }
hold 1 r "$cfg/store"
opened 1
hold 2 r "$cfg/made"
ok "a second reader does not wait" opened 2
ended 1
ok "the first closes, and it stays mounted" is_ro
ok "for writers it is in use" waits w "$cfg/store"
hold 1 r "$cfg/store"
ok "another shares it" opened 1
ended 2
ended 1
ok "the last one unmounts it" unmounted
hold 1 r "$cfg/store"
opened 1
hold 2 r "$cfg/store"
opened 2
kill -KILL "$pid1"
let_end 1
ok "one is killed: the other has it" is_ro
ended 2
ok "until the end" unmounted
hold 1 r "$cfg/store"
opened 1
hold 2 r "$cfg/store"
opened 2
ended 1
kill -KILL "$pid2"
let_end 2
ok "the last one is killed: it stays mounted" mounted
hold 1 r "$cfg/store"
ok "until the next" opened 1
ended 1
ok "which unmounts it" unmounted
mkdir "$T/second"
truncate -s 8M "$T/img2"
mke2fs -q -F -t ext2 -b 1024 "$T/img2"
first=$slice
loop_dev "$T/img2"
mount "$dev" "$T/second"
"$DRIVER" create "$T/second/store"
umount "$T/second"
echo "$dev $T/second ext2 rw,noauto 0 0" >> "$T/fstab"
hold 1 r "$cfg/store"
opened 1
ok "a reader of another slice waits" waits r "$T/second/store"
not_ok "which is not mounted" mountpoint -q "$T/second"
ended 1
ok "until the first has gone" "$DRIVER" hold r "$T/second/store"
slice=$first

hold 1 w "$cfg/store"
opened 1
(cd "$cfg" && exec sleep 1000 4>&-) &
squatter=$!
await "the squatter" sh -c "[ \"\$(readlink /proc/$squatter/cwd)\" = '$cfg' ]"
ok "another works in it: an error" ended 1 2
like "that says so" "$(cat "$T/err1")" "unmount $cfg: in use"
ok "and it is read-only at least" is_ro
kill "$squatter"
wait "$squatter"
hold 1 w "$cfg/store"
ok "the next has a window" opened 1
ended 1
ok "and leaves it not mounted, as it was at first" unmounted
mount -o ro "$cfg"
hold 1 w "$cfg/store"
ok "mounted read-only by someone: a window" opened 1
ended 1
ok "and read-only again" is_ro
umount "$cfg"

echo "/dev/nowhere $cfg ext2 rw,noauto 0 0" > "$T/fstab"
fails_with 2 "mount $cfg: .*/dev/nowhere" "$DRIVER" hold w "$cfg/store"
ok "what can't be mounted isn't" unmounted
echo "$dev $cfg ext2 rw 0 0" > "$T/fstab"
fails_with 2 "$cfg/store: No such file" "$DRIVER" hold r "$cfg/store"
ok "without noauto it is not ours to mount" unmounted

# ---- a raw device
dd if=/dev/zero of="$T/raw" bs=1M count=1 2>/dev/null
loop_dev "$T/raw"
hold 1 w "$dev"
ok "a raw device opens" opened 1
ended 1
is "without a window" "$(tail -1 "$T/out1")" "window 0"
ok "what was written is there" written "$T/raw"

# ---- the whole: a box whose store lies on such a slice
need_fuse
echo "$slice $cfg ext2 rw,noauto 0 0" > "$T/fstab"
STORE=$cfg/box
ok "a box with its store on a slice that is noauto" new_box 512K
ok "has booted, and it is not mounted" unmounted
echo changed > "$MNT/rc.conf"
run cfg commit -m one
is "commit" "$rc" 0
like "tells the window's length" "$out" 'window of [0-9]+ ms'
echo more > "$MNT/rc.conf"
LIMIT=15
ok "a revert, which looks twice at the head" cfg revert rc.conf
ok "a rollback" cfg rollback @-1
is "have done it" "$(cat "$MNT/rc.conf")" 'hostname="box"
sshd_enable="NO"'
ok "and back" cfg rollback
ok "what the next boot would give" cfg verify --boot
mkdir -p "$MNT/cfgfs/hooks/pre-commit"
printf '#!/bin/sh\n"%s" -m "%s" status > /dev/null\n' "$CFG" "$MNT" \
    > "$MNT/cfgfs/hooks/pre-commit/look"
chmod 755 "$MNT/cfgfs/hooks/pre-commit/look"
ok "a commit with a hook that reads the store" cfg commit
ok "and it is not mounted any more" unmounted
LIMIT=60
ok "after which it is not mounted" unmounted
power_cut
ok "after a power cut" boot
is "what was committed is there" "$(cat "$MNT/rc.conf")" changed
ok "and the slice is not mounted" unmounted
mount -o ro "$cfg"
before=$(state)
echo again > "$MNT/rc.conf"
run cfg commit
is "commit to a slice that is mounted read-only" "$rc" 0
is "which is as it was after it" "$(state)" "$before"
ok "status reads it" cfg status
echo more > "$MNT/rc.conf"
blockdev --setro "$slice"
fails_with 2 "commit: remount $cfg read-write" "$CFG" -m "$MNT" commit
is "a slice that can't be written to: as it was" "$(state)" "$before"
is "and what is pending stays so" "$(cat "$MNT/rc.conf")" more
blockdev --setrw "$slice"
ok "until it can" cfg commit
done_testing
