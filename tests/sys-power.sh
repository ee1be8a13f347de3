#!/bin/sh
# Power cuts with the store on a loop device: as a raw slice, in a file on
# a slice that is mounted read-only, and on one that fstab has as noauto.
. "$(dirname "$0")/sys.sh"
need_root
need_fuse
rounds=${ROUNDS:-12}
slice=$T/slice

# What the medium holds after the power has failed: the loop device is
# attached anew, so that nothing is left of what the kernel had of it.
cut() {
	power_cut
	[ -z "${mounted:-}" ] || umount "$T/cfg"
	losetup -d "$dev"
	dev=$(losetup -f --show --sector-size 512 "$slice")
	note_loop "$dev"
	"$again"
}

# rounds of changes, commits, and power cuts in commits and between them.
survive() {
	name=$1
	i=0 bad='' old=0 new=0
	boot || diag "no boot"
	while [ "$i" -lt "$rounds" ]; do
		i=$((i + 1))
		echo "round $i" > "$MNT/round"
		seq "$i" $((i + 40)) > "$MNT/rc.d/list"
		mkdir -p "$MNT/dir$i" && ln -s "to $i" "$MNT/dir$i/link"
		chmod "7$((i % 8))5" "$MNT/rc.conf"
		rm -rf "$MNT/dir$((i - 2))"
		want=$(snap "$MNT")
		cfg commit -m "round $i" > /dev/null || bad="$bad commit:$i"
		echo lost > "$MNT/lost"
		rm -f "$MNT/rc.d/sshd"
		cut
		boot || bad="$bad boot:$i"
		[ "$(snap "$MNT")" = "$want" ] || bad="$bad tree:$i"

		echo torn > "$MNT/torn"
		torn=$(snap "$MNT")
		"$CFG" -m "$MNT" commit > /dev/null 2>&1 &
		sleep "$(printf "0.%03d" $((i * 6)))"
		kill -9 $! 2> /dev/null
		cut
		boot || bad="$bad boot2:$i"
		have=$(snap "$MNT")
		case $have in
		"$want")	old=$((old + 1)) ;;
		"$torn")	new=$((new + 1)) ;;
		*)		bad="$bad torn:$i" ;;
		esac
		rm -f "$MNT/torn"
	done
	diag "$name: torn commits: old tree $old, new tree $new"
	is "$name: $rounds commits and $((rounds * 2)) power cuts" "$bad" ""
	ok "$name: the store is whole" "$CFG" -s "$STORE" verify
	power_cut
}

new_slice() {
	dd if=/dev/zero of="$slice" bs=1M count=8 status=none
	loop_dev "$slice" --sector-size 512 || exit 2
	mkdir -p "$T/cfg"
}

mkdir "$BASE"
base_tree

# ---- the raw slice
new_slice
raw_again() { STORE=$dev; }
again=raw_again
raw_again
ok "a store on a raw slice" "$CFG" init "$STORE"
survive "raw slice"
losetup -d "$dev"

# ---- a file on a slice mounted read-only
new_slice
mkfs.ext2 -q "$dev"
mount -t ext2 "$dev" "$T/cfg"
STORE=$T/cfg/store
"$CFG" init --size 1M "$STORE"
mount -o remount,ro "$T/cfg"
mounted=yes
ro_again() { mount -t ext2 -o ro "$dev" "$T/cfg"; }
again=ro_again
survive "slice mounted read-only"
like "the slice is read-only as before" \
    "$(grep " $T/cfg " /proc/self/mountinfo)" " $T/cfg ro"
umount "$T/cfg"
mounted=
losetup -d "$dev"

# ---- a file on a slice that is not mounted
new_slice
mkfs.ext2 -q "$dev"
noauto_again() { echo "$dev $T/cfg ext2 rw,noauto 0 0" > "$T/fstab"; }
again=noauto_again
noauto_again
mount --bind "$T/fstab" /etc/fstab
mount "$T/cfg"
"$CFG" init --size 1M "$STORE"
umount "$T/cfg"
survive "slice not mounted"
not_ok "the slice is not mounted, as before" mountpoint -q "$T/cfg"
ok "what was written leaves a clean file system" \
    e2fsck -fn "$dev"
losetup -d "$dev"
done_testing
