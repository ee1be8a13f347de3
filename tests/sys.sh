# sys.sh: what the system tests share.  POSIX sh, TAP on standard output.
#
# A test begins with
#	. "$(dirname "$0")/sys.sh"
#	need_root; need_fuse
# and ends with done_testing.  As root it then runs in a mount and a pid
# namespace of its own: whatever way it ends, every process it started is
# killed, every mount gone, every loop device detached.  The machine's own
# /etc is read-only there, whatever a test does or fails to do.
#
#	$T		a directory on a RAM disk of its own, mode 0755
#	$CFGFS, $CFG	the programs, absolute
#	$TOP		the top of the source tree
#
# Checks: one TAP line each.  A command runs with a time limit of $LIMIT
# seconds, so that what hangs is a failure with a name.
#
#	ok "promise" command ...	exits 0
#	not_ok "promise" command ...	exits neither 0 nor by signal or limit
#	until_ok "promise" seconds command ...
#			exits 0 within some tries in this time
#	is "promise" "have" "want"
#	like "promise" "text" "regex"	some line of text matches
#	fails_with CODE "regex" command ...
#		exits with CODE, and says one line on standard error
#	skip "why"			counted; on CI (CI is set) a failure
#	run command ...			no check; sets $rc, $out and $err
#
# A box, as an appliance has one: $BASE (a directory), $STORE (a file, or
# what the test sets it to), and two RAM disks: $MNT, and the one that has
# $STATE, the state directory that $MNT has by default (/run is private).
#
#	new_box [SIZE]	make them: base_tree fills $BASE, cfg init the store
#	run_view [OPTS]	start cfgfs on $MNT; OPTS as ",name=value"
#	boot		RAM disks, cfg restore, run_view: what a start does
#	power_cut	kill everything, drop the RAM disks
#	kill_view	kill -9 the daemon alone
#	stop_view	unmount, and wait until the daemon has gone
#	cfg ARG...	cfg -m $MNT ARG...
#	snap DIR	a tree's listing to its last bit, to be compared
# shellcheck shell=sh

set -u
LC_ALL=C
LIMIT=${LIMIT:-60}
SYS_LIMIT=${SYS_LIMIT:-600}
umask 022
export LC_ALL
# What a make around this one has for its own, others may not know.
unset MAKEFLAGS MFLAGS MAKELEVEL

sys_self=$(cd "$(dirname "$0")" && pwd)/$(basename "$0")
TOP=$(cd "$(dirname "$0")/.." && pwd)
[ -f "$TOP/build.mk" ] || TOP=$(dirname "$TOP")

# What a loop device is of: its name alone may be another test's by now.
sys_loop_id() {
	losetup -n -O BACK-INO,BACK-MAJ:MIN "$1" 2>/dev/null | tr -s ' ' _
}

# ---- outside: make the place, run ourselves in it, sweep up
if [ -z "${SYS_DIR:-}" ]; then
	SYS_DIR=$(mktemp -d "${TMPDIR:-/tmp}/cfgfs-sys.XXXXXX") || exit 2
	chmod 755 "$SYS_DIR"
	mkdir "$SYS_DIR/t" "$SYS_DIR/own"
	export SYS_DIR
	sys_pid=
	sys_sweep() {
		trap '' HUP INT TERM
		[ -z "$sys_pid" ] || kill "$sys_pid" 2>/dev/null
		wait
		if [ -f "$SYS_DIR/own/loops" ]; then
			while read -r sys_dev sys_id; do
				[ "$(sys_loop_id "$sys_dev")" != "$sys_id" ] ||
				    losetup -d "$sys_dev" 2>/dev/null
			done < "$SYS_DIR/own/loops"
		fi
		rm -rf "$SYS_DIR"
	}
	trap sys_sweep EXIT
	trap 'exit 129' HUP
	trap 'exit 130' INT
	trap 'exit 143' TERM
	if [ "$(id -u)" = 0 ] &&
	    unshare -m -p -f --kill-child true 2>/dev/null; then
		# Process 1 only waits: it reaps what loses its parent.
		# shellcheck disable=SC2016
		timeout --foreground -k 5 "$SYS_LIMIT" \
		    unshare -m --propagation private -p -f --mount-proc \
		    --kill-child sh -c 'SYS_NS=1 sh "$@" & wait $!' sh \
		    "$sys_self" "$@" &
	else
		timeout --foreground -k 5 "$SYS_LIMIT" \
		    sh "$sys_self" "$@" &
	fi
	sys_pid=$!
	wait "$sys_pid"
	sys_rc=$?
	sys_pid=
	if [ "$sys_rc" = 124 ]; then
		echo "# not done after $SYS_LIMIT seconds: no plan, a failure"
	fi
	exit "$sys_rc"
fi

# ---- inside
T=$SYS_DIR/t
sys_own=$SYS_DIR/own
CFGFS=${CFGFS:-$TOP/fs/cfgfs}
CFG=${CFG:-$TOP/tools/cfg}
PATH=$TOP/tools:$TOP/fs:$PATH:/usr/sbin:/sbin
export PATH CFG CFGFS T TOP
[ -z "${SYS_NS:-}" ] || {
	mount -t tmpfs -o mode=755,size=2g cfgfs-test "$T" &&
	    mount -t tmpfs -o mode=755 cfgfs-test /run &&
	    mount --bind /etc /etc && mount -o remount,bind,ro /etc
} || exit 2

sys_n=0
sys_bad=0
sys_done=
rc=0 out='' err=''

sys_end() {
	sys_rc=$?
	[ -n "$sys_done" ] || echo "# ended early with status $sys_rc"
}
trap sys_end EXIT
trap 'exit 143' HUP INT TERM

diag() { printf '%s\n' "$*" | sed 's/^/# /'; }

# sys_say GOOD PROMISE: the TAP line.
sys_say() {
	sys_n=$((sys_n + 1))
	sys_line=$(printf '%s' "$2" | tr '\n#' ' .')
	if [ "$1" = 1 ]; then
		echo "ok $sys_n - $sys_line"
		return 0
	fi
	sys_bad=$((sys_bad + 1))
	echo "not ok $sys_n - $sys_line"
	return 1
}

# run COMMAND...: a program under the time limit, or a function.
run() {
	if [ "$(command -v "$1")" = "$1" ] && [ "${1#*/}" = "$1" ]; then
		"$@" > "$sys_own/out" 2> "$sys_own/err" < /dev/null
	else
		timeout -k 5 "$LIMIT" "$@" > "$sys_own/out" \
		    2> "$sys_own/err" < /dev/null
	fi
	rc=$?
	out=$(tr -d '\0' < "$sys_own/out")
	err=$(tr -d '\0' < "$sys_own/err")
}

# sys_why COMMAND...: what is good to know of a run that disappointed.
sys_why() {
	diag "command: $*"
	if [ "$rc" = 124 ]; then
		diag "it did not end in $LIMIT seconds"
	else
		diag "exit status: $rc"
	fi
	[ -z "$out" ] || printf '%s\n' "$out" | head -20 | sed 's/^/# out: /'
	[ -z "$err" ] || printf '%s\n' "$err" | head -20 | sed 's/^/# err: /'
}

ok() {
	sys_p=$1
	shift
	run "$@"
	if [ "$rc" = 0 ]; then
		sys_say 1 "$sys_p"
	else
		sys_say 0 "$sys_p" || sys_why "$@"
		return 1
	fi
}

not_ok() {
	sys_p=$1
	shift
	run "$@"
	if [ "$rc" != 0 ] && [ "$rc" -lt 124 ]; then
		sys_say 1 "$sys_p"
	else
		sys_say 0 "$sys_p" || sys_why "$@"
		return 1
	fi
}

is() {
	if [ "$2" = "$3" ]; then
		sys_say 1 "$1"
	else
		sys_say 0 "$1"
		printf '%s\n' "$2" > "$sys_own/have"
		printf '%s\n' "$3" > "$sys_own/want"
		diff -U1 "$sys_own/want" "$sys_own/have" | head -30 |
		    sed 's/^/# /'
		return 1
	fi
}

like() {
	if printf '%s\n' "$2" | grep -Eq -e "$3"; then
		sys_say 1 "$1"
	else
		sys_say 0 "$1"
		diag "no line matches /$3/ in:"
		printf '%s\n' "$2" | head -20 | sed 's/^/#   /'
		return 1
	fi
}

until_ok() {
	sys_until=$1
	sys_i=$(($2 * 10))
	shift 2
	until run "$@" && [ "$rc" = 0 ]; do
		sys_i=$((sys_i - 1))
		[ "$sys_i" -gt 0 ] || break
		sleep 0.1
	done
	if [ "$rc" = 0 ]; then
		sys_say 1 "$sys_until"
	else
		sys_say 0 "$sys_until" || sys_why "$@"
		return 1
	fi
}

fails_with() {
	sys_code=$1
	sys_re=$2
	shift 2
	run "$@"
	sys_p="exit $sys_code, /$sys_re/: $(printf '%s ' "$@" |
	    sed "s|$T/||g; s|$TOP/||g" | cut -c 1-100)"
	if [ "$rc" = "$sys_code" ] &&
	    [ "$(wc -l < "$sys_own/err")" -eq 1 ] &&
	    grep -Eq -e "$sys_re" "$sys_own/err"; then
		sys_say 1 "$sys_p"
	else
		sys_say 0 "$sys_p" || sys_why "$@"
		return 1
	fi
}

skip() {
	if [ -n "${CI:-}" ]; then
		sys_say 0 "nothing may be skipped on CI: $1"
	else
		sys_n=$((sys_n + 1))
		echo "ok $sys_n # SKIP $1"
	fi
}

# Leave out all of the script.
skip_all() {
	if [ "$sys_n" != 0 ] || [ -n "${CI:-}" ]; then
		skip "$1"
		done_testing
	fi
	sys_done=1
	echo "1..0 # SKIP $1"
	exit 0
}

done_testing() {
	sys_done=1
	echo "1..$sys_n"
	[ "$sys_bad" = 0 ] || exit 1
	exit 0
}

need_root() {
	[ "$(id -u)" = 0 ] || skip_all "not root"
	[ -n "${SYS_NS:-}" ] || skip_all "no private namespaces"
}

need_fuse() {
	[ -c /dev/fuse ] || modprobe fuse 2>/dev/null
	[ -c /dev/fuse ] || skip_all "no /dev/fuse"
}

# await "what" command...: until it succeeds, or fail after $LIMIT seconds.
await() {
	sys_what=$1
	shift
	sys_i=0
	until "$@" > /dev/null 2>&1; do
		sys_i=$((sys_i + 1))
		if [ "$sys_i" -gt $((LIMIT * 50)) ]; then
			diag "waited in vain: $sys_what"
			return 1
		fi
		sleep 0.02
	done
}

# note_loop DEVICE: have it detached at the end, if it is still ours then.
note_loop() { echo "$1 $(sys_loop_id "$1")" >> "$sys_own/loops"; }

# loop_dev FILE [losetup's options]: attach; the device's name in $dev.
loop_dev() {
	sys_file=$1
	shift
	dev=$(losetup -f --show "$@" "$sys_file") || return 1
	note_loop "$dev"
}

# ---- the box
BASE=$T/base
STORE=$T/store
MNT=$T/mnt
STATE=/run/cfgfs/$(echo "${MNT#/}" | tr / -)

# A small base with every kind of entry; a test may have its own.
base_tree() {
	mkdir -p "$BASE/rc.d" "$BASE/ssh" "$BASE/mail"
	printf 'hostname="box"\nsshd_enable="NO"\n' > "$BASE/rc.conf"
	printf 'root:*:0:0:root:/root:/bin/sh\n' > "$BASE/passwd"
	printf 'root:x:0:0::0:0:root:/root:/bin/sh\n' > "$BASE/master.passwd"
	chmod 600 "$BASE/master.passwd"
	printf '#!/bin/sh\n' > "$BASE/rc.d/sshd"
	chmod 555 "$BASE/rc.d/sshd"
	printf 'Port 22\n' > "$BASE/ssh/sshd_config"
	printf 'root: admin\n' > "$BASE/mail/aliases"
	ln -s mail/aliases "$BASE/aliases"
	ln "$BASE/passwd" "$BASE/passwd.old"
	mkfifo "$BASE/fifo"
	printf 'set\n' > "$BASE/.profile"
}

# The RAM disks, empty; RAM_OPTS are more options of $MNT's (",size=2m").
ram_up() {
	mkdir -p "$MNT" /run/cfgfs
	mount -t tmpfs -o "mode=755${RAM_OPTS:-}" cfgfs-ram "$MNT" &&
	    mount -t tmpfs -o mode=755 cfgfs-ram /run/cfgfs
}

new_box() {
	mkdir -p "$BASE" && base_tree &&
	    "$CFG" init --size "${1:-1M}" "$STORE" && boot
}

run_view() {
	timeout -k 5 "$LIMIT" "$CFGFS" \
	    -o "store=$STORE,base=$BASE,state=$STATE${1:-}" "$MNT" < /dev/null
}

boot() {
	ram_up && timeout -k 5 "$LIMIT" "$CFG" restore --store "$STORE" \
	    --base "$BASE" "$MNT" && run_view
}

cfg() { timeout -k 5 "$LIMIT" "$CFG" -m "$MNT" "$@" < /dev/null; }

# Our own cfgfs and cfg processes: /proc is this namespace's.
sys_pids() {
	for sys_p in /proc/[0-9]*; do
		read -r sys_c 2>/dev/null < "$sys_p/comm" || continue
		case $sys_c in
		cfgfs*|cfg|cfg-*)	echo "${sys_p#/proc/}" ;;
		esac
	done
}

sys_none() { [ -z "$(sys_pids)" ]; }
sys_gone() { ! kill -0 "$1" 2>/dev/null; }

view_pid() { cat "$STATE/lock"; }

kill_view() {
	sys_vp=$(view_pid) && kill -9 "$sys_vp" &&
	    await "the daemon's end" sys_gone "$sys_vp"
}

stop_view() {
	sys_vp=$(view_pid) && umount "$MNT" &&
	    await "the daemon's end" sys_gone "$sys_vp"
}

power_cut() {
	if [ -z "${SYS_NS:-}" ]; then
		return 1
	fi
	for sys_vp in $(sys_pids); do
		kill -9 "$sys_vp" 2>/dev/null
	done
	await "the end of all" sys_none || return 1
	for sys_d in /run/cfgfs "$MNT"; do
		while grep -q " ${sys_d}[ /]" /proc/self/mountinfo; do
			sys_m=$(awk -v d="$sys_d" '$5 == d || index($5, d "/") == 1 \
			    { m = $5 } END { print m }' /proc/self/mountinfo)
			umount -l "$sys_m" || return 1
		done
	done
}

# A tree as text: names, types, modes, owners, devices, targets, hard-link
# groups, extended attributes, contents; not the times, nor what a restore
# notes that fell back.
snap() (
	cd "$1" || exit 1
	find . ! -name .cfg.older \
	    -printf '%P\t%y %m %U:%G %l\t%i %n %s\0' | sort -z |
	    awk 'BEGIN { RS = "\0"; FS = "\t" } {
		split($3, a, " ")
		g = ""; t = substr($2, 1, 1)
		if (t != "d" && a[2] > 1) {
			if (!(a[1] in first)) first[a[1]] = $1
			g = " = " first[a[1]]
		}
		if (t == "l") sub(/ [0-7]+ /, " ", $2)
		print $1 ": " $2 (t == "f" ? " " a[3] : "") g
	    }'
	find . \( -type b -o -type c \) -exec stat -c '%n dev %t:%T' {} + |
	    sort
	find . -type f ! -name .cfg.older -print0 | sort -z |
	    xargs -0 -r sha256sum -z | tr '\0' '\n'
	find . ! -type l ! -name .cfg.older -print0 | sort -z |
	    xargs -0 -r getfattr -hd -m - -e hex --absolute-names 2>/dev/null
	exit 0
)
