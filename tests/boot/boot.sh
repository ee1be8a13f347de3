#!/bin/sh
# boot.sh: a real machine, a virtual one, that boots with cfgfs: `make
# check-boot'.  TAP, and the figures; the last line is 'N passed, N failed, N
# skipped', exit 0 where nothing failed, else 1.
#
#	BOOT_CUTS=N	how often the power is cut, by default 50
#	BOOT_ROUNDS=N	boots with and without cfgfs for the times, by default 3
#	SEED=N		of what is drawn by lot; it is printed
#	BOOT_CACHE=DIR	what debootstrap made, kept for the next time
#	BOOT_IMAGE=DIR	what image.sh has made there before, instead of a new one
#	BOOT_PARTS=...	of: first wear cuts damage timing
set -u
LC_ALL=C
export LC_ALL
umask 022

TOP=$(cd "$(dirname "$0")/../.." && pwd)
CFG=$TOP/tools/cfg
CUTS=${BOOT_CUTS:-50}
ROUNDS=${BOOT_ROUNDS:-3}
SEED=${SEED:-$(date +%s)}
PARTS=${BOOT_PARTS:-first wear cuts damage timing}
LIMIT=300

# ---- outside: whatever way it ends, the processes and mounts go with it
if [ -z "${BOOT_DIR:-}" ]; then
	skip() {
		echo "1..0 # SKIP $1"
		echo "0 passed, 0 failed, 1 skipped"
		[ -z "${CI:-}" ]
		exit
	}
	[ "$(id -u)" = 0 ] || skip "not root"
	command -v apt-get > /dev/null || skip "no apt to take a Debian from"
	sh "$TOP/tests/deps.sh" boot || skip "what it needs is not there"
	command -v qemu-system-x86_64 > /dev/null || skip "no qemu"
	BOOT_DIR=$(mktemp -d "${TMPDIR:-/tmp}/cfgfs-boot.XXXXXX") || exit 2
	export BOOT_DIR
	pid=
	sweep() {
		trap '' HUP INT TERM
		[ -z "$pid" ] || kill -9 "$pid" 2> /dev/null
		wait
		rm -rf "$BOOT_DIR"
	}
	trap sweep EXIT
	trap 'exit 130' HUP INT TERM
	# shellcheck disable=SC2016
	unshare -m --propagation private -p -f --mount-proc --kill-child \
	    sh -c 'sh "$@" & wait $!' sh "$0" "$@" &
	pid=$!
	wait "$pid"
	rc=$?
	pid=
	exit "$rc"
fi

# ---- inside
T=$BOOT_DIR
n=0 bad=0
disk=
# shellcheck source=tests/boot/vm.sh
. "$TOP/tests/boot/vm.sh"
trap vm_kill EXIT
trap 'exit 143' HUP INT TERM

diag() { printf '%s\n' "$*" | sed 's/^/# /'; }
say() {
	n=$((n + 1))
	[ "$1" != 0 ] || bad=$((bad + 1))
	[ "$1" = 0 ] && echo "not ok $n - $2" || echo "ok $n - $2"
}
is() {
	if [ "$2" = "$3" ]; then
		say 1 "$1"
	else
		say 0 "$1"
		diag "it is:        $2"
		diag "it should be: $3"
	fi
}
like() {
	if printf '%s\n' "$2" | grep -Eq -e "$3"; then
		say 1 "$1"
	else
		say 0 "$1"
		diag "no line matches /$3/ in:" "$2"
	fi
}
ok() {
	what=$1
	shift
	if "$@" > "$T/out" 2>&1 < /dev/null; then
		say 1 "$what"
	else
		say 0 "$what"
		diag "$(tail -20 "$T/out")"
	fi
}
finish() {
	echo "1..$n"
	echo "$((n - bad)) passed, $bad failed, 0 skipped"
	[ "$bad" = 0 ]
	exit
}
wants() { case " $PARTS " in *" $1 "*) ;; *) return 1 ;; esac; }

# roll N: $r is one of 0 to N - 1, by lot.
x=$SEED
roll() {
	x=$(((x * 1103515245 + 12345) % 2147483648))
	r=$((x / 65536 % $1))
}

# boots NAME WORDS: start, wait, and look: $look, and $early is what the
# sum of /etc was before the first unit.
boots() {
	name=$1
	shift
	early='' look=''
	if ! { vm_boot "$*" &&
	    look=$(vm_ssh /usr/lib/boottest/look); }; then
		say 0 "$name: boots, and ssh lets in"
		diag "$(tail -20 "$T/console")"
		vm_kill
		return 1
	fi
	early=$(tr -d '\r' < "$T/console" |
	    sed -n 's/^.*boottest: etc \([0-9a-f]*\) .*/\1/p')
	echo "$boot_ms" >> "$T/ms"
}
of() { printf '%s\n' "$look" | sed -n "s/^$1=//p"; }

# What every boot promises, one line for all of it: $1 is its name.
whole() {
	is "$1: a complete /etc before the first unit, the view, no damage" \
	    "$early $(of type) $(of pending) $(of trial) $(of verify)" \
	    "$(of sum) fuse.cfgfs nothing 1 0"
}

. "$TOP/tests/boot/parts.sh"

diag "seed $SEED"
make -C "$TOP" all > "$T/out" 2>&1 || {
	diag "$(tail -5 "$T/out")"
	exit 2
}
cc -std=c11 -D_GNU_SOURCE -O1 -o "$T/wlog" "$TOP/tests/boot/wlog.c" || exit 2
vm_probe
diag "accelerator: $accel"
began=$(vm_now)
if [ -n "${BOOT_IMAGE:-}" ]; then
	for f in vmlinuz initrd root.img key known_hosts; do
		ln -s "$BOOT_IMAGE/$f" "$T/$f"
	done
else
	sh "$TOP/tests/boot/image.sh" "$T" || exit 2
fi
diag "the image: $((($(vm_now) - began) / 1000)) s"
disk=$T/disk
# Small, so that the areas are soon full and the oldest is written anew.
"$CFG" init --size 256K "$disk" > /dev/null || exit 2
for part in first wear cuts damage timing; do
	wants "$part" && "$part"
done
[ ! -s "$T/ms" ] || diag "boots: $(wc -l < "$T/ms"), of $(sort -n "$T/ms" |
    awk '{ v[NR] = $1 } END { printf "%.1f to %.1f s, median %.1f", v[1] / 1000,
    v[NR] / 1000, v[int((NR + 1) / 2)] / 1000 }')"
finish
