#!/bin/sh
# sys-cfgfsboot-odd.sh: whatever is wrong with its settings, its device or its
# store, a Linux box boots.
. "$(dirname "$0")/sys.sh"
need_root
need_fuse
. "$(dirname "$0")/bootbox.sh"
kind busybox

# ---- settings, and what comes before them
boot() {
	restart "$@"
	run restore
}
bad=/root/etc/default/cfgfs
printf '# a comment\r\n\r\n  STORE="%s"\r\nWAIT = soon\nWAIT=010\n%s' \
    "$dev" "what
COLOUR='blue'
OVERLAY=/var /root/ # and no more
OPTIONS='history,noatime' x" > "$LOW/etc/default/cfgfs"
boot
is "settings that are none are named" "$rc:$err" "0:cfgfs: $bad: WAIT : unknown
cfgfs: $bad: WAIT=010: not a number of seconds
cfgfs: $bad: what: no KEY=value
cfgfs: $bad: COLOUR: unknown"
is "and the others hold" "$(kept store)" "$dev"
ok "with or without quotes" mountpoint -q "$ROOT/root"
pivot
ok "the view has the options" view
like "of the image" "$(grep " $ROOT/etc fuse" /proc/mounts)" 'noatime'
ok "all of them" [ -d "$ROOT/etc/.cfg/@head" ]
conf 'STORE=/nowhere/else' 'OVERLAY="/ /etc/x relative /var/../usr /none /var"'
boot "cfgfs=$dev"
is "the command line goes before" "$(kept rc):$(kept store)" "0:$dev"
is "an overlay that can't be is named" "$(printf '%s\n' "$err" |
    sed -n 's/^cfgfs: //p')" "OVERLAY: /: not possible
OVERLAY: /etc/x: not possible
OVERLAY: relative: not an absolute path
OVERLAY: /var/../usr: not possible
OVERLAY: /none: failed"
ok "and the next one is there" mountpoint -q "$ROOT/var"
boot "cfgfs=$dev cfgfs=off"
like "off: that is said" "$rc:$err" '^0:cfgfs: off: /etc is as the image has it'
is "and is so" "$(findmnt -rno TARGET -R "$ROOT/etc")" ""
ok "but for overlays" mountpoint -q "$ROOT/var"
pivot
run view
is "nor is there a view" "$rc:$(findmnt -rno TARGET -R "$ROOT/etc")" "0:"
conf '#STORE=x'
boot
is "no store: a word, and nothing else" "$rc:$err" \
    "0:cfgfs: no STORE in $bad: /etc is as the image has it"
ok "no store: nothing is mounted" base_stays
rm "$LOW/etc/default/cfgfs"
boot
is "no settings: the same, without a word" "$rc:$err" "0:"
pivot
run view
is "and no view" "$rc:$out$err" "0:"

# ---- mount(8), by fstab(5)
echo "$dev /etc fuse.cfgfs nofail,noatime,_netdev,x-systemd.idle-timeout=1 0 0" \
    > "$LOW/etc/fstab"
boot
pivot
ok "mount /etc mounts what fstab has" in_root /usr/bin/busybox mount /etc
is "as a view" "$(findmnt -rno FSTYPE "$ROOT/etc" | tail -1)" fuse.cfgfs
is "of what was committed" "$(cat "$ROOT/etc/hosts")" 192.0.2.1
kind klibc
restart
pivot
ok "and mount(8) of others does" in_root mount /etc
is "so, too" "$(findmnt -rno FSTYPE,SOURCE "$ROOT/etc" | tail -1)" \
    "fuse.cfgfs $dev"
rm "$LOW/etc/fstab"

# ---- the device does not come, or comes late
conf 'STORE=PARTLABEL=none such' WAIT=1
boot
is "no device: that is said" "$rc:$err" \
    "0:cfgfs: PARTLABEL=none such: not there after 1 seconds
cfgfs: no store: what is committed is not here, and what changes is lost"
is "no device: what is kept" "$(kept rc):$(kept store)" "1:"
ok "no device: /etc is the image's" is_base
ok "no device: and can be written to" touch "$ROOT/etc/new"
pivot
ok "no device: there is no view" view
like "no device: the log has it" "$err" '^cfgfs: PARTLABEL=none such: not there'
is "no device: nothing can be committed" \
    "$(findmnt -rno FSTYPE "$ROOT/etc")" tmpfs
# shellcheck disable=SC2016
for s in 'UUID=../../loop0' relative /nowhere/else '$(touch /x)' '*'; do
	conf "STORE=$s" WAIT=0
	boot
	is "STORE=$s: boots" "$rc:$(kept rc):$(kept store)" 0:1:
	ok "STORE=$s: the image's" \
	    cmp -s "$ROOT/etc/rc.conf" "$LOW/etc/rc.conf"
done
late=/dev/cfgfs-late.$$
conf "STORE=$late" WAIT=20
restart
(sleep 1; ln -s "$dev" $late) &
ok "a device that comes late is waited for" restore
wait
rm $late
is "a device that comes late: all is there" "$(tree "$ROOT/etc")" "$second"

# ---- a partition, by the name that the kernel has, as there is no udev
disk=$dev
fake_sys() {
	mkdir -p "$T/sys/class/block/a" "$T/sys/class/block/b"
	printf 'DEVNAME=%s\nPARTNAME=%s\n' null 'my cfg 2' \
	    > "$T/sys/class/block/a/uevent"
	printf 'MAJOR=7\nDEVNAME=%s\nPARTN=3\nPARTNAME=%s\n' "${dev#/dev/}" \
	    'my cfg' > "$T/sys/class/block/b/uevent"
	umount "$I/sys" && mount --bind "$T/sys" "$I/sys"
}
conf "STORE='PARTLABEL=my cfg'" WAIT=0
restart
fake_sys
run restore
is "a partition by its name" "$rc:$err:$(kept store)" "0::$dev"
is "has all" "$(cat "$ROOT/etc/hosts")" 192.0.2.1

# ---- a file on a file system
truncate -s 4M "$T/disk"
mkfs.ext2 -q -L cfgdata "$T/disk"
loop_dev "$T/disk"
mount "$dev" "$LOW/store" && cp "$T/two" "$LOW/store/etc.store" &&
    umount "$LOW/store"
echo "$dev /store ext2 noauto,ro 0 0" > "$LOW/etc/fstab"
conf STORE=/store/etc.store
boot
is "a file on a file system of fstab" "$rc:$err:$(kept store)" \
    "0::/store/etc.store"
is "has all" "$(cat "$ROOT/etc/hosts")" 192.0.2.1
pivot
ok "and a view" view
echo 1 > "$ROOT/etc/one"
ok "which can be committed" in_root cfg commit
not_ok "it is not left mounted" mountpoint -q "$ROOT/store"
rm "$LOW/etc/fstab"
dev=$disk

# ---- damage
conf "STORE=$dev"
sum() { sha256sum < "$STORE"; }
damaged() {
	blockdev --flushbufs "$dev"
	was=$(sum)
	boot
	is "$1: boots" "$rc:$(kept rc):$(kept store)" "0:1:$dev"
	like "$1: that is said" "$err" "$2"
	is "$1: and kept" "$(said)" "$(printf '%s\n' "$err" | sed 's/^cfgfs: //')"
	pivot
	ok "$1: there is a view" view
	like "$1: it says so once more" "$err" "$2"
	is "$1: nothing is written" "$(sum)" "$was"
	again
}
# The last bytes of the second commit.
cmp -l "$T/one" "$T/two" | tail -4 | while read -r at was; do
	printf '\377' | dd of="$STORE" bs=1 seek="$((at - 1))" conv=notrunc \
	    2> /dev/null
done
blockdev --flushbufs "$dev"
boot
is "a commit that is torn: boots, and is named" "$rc:$err:$(kept store)" \
    "0:cfgfs: restore: generation 2 is begun and not whole: cut short, or damaged:$dev"
is "it is the one before" "$(cat "$ROOT/etc/rc.conf")" 'hostname="mine"'
ok "alone" [ ! -e "$ROOT/etc/hosts" ]
again
dd if=/dev/zero of="$STORE" bs=64k count=16 conv=notrunc 2> /dev/null
damaged "zeroed" '^cfgfs: restore: .*'
ok "zeroed: /etc is the image's" is_base
mkfs.ext2 -qF "$dev"
damaged "a file system" '^cfgfs: restore: .*'
ok "a file system: /etc is the image's" is_base

# ---- programs that fail
cp "$UP/sbin/cfg" "$T/cfg"
stand_in() {
	rm -f "$UP/sbin/cfg"
	[ -z "$1" ] || printf '#!/bin/sh\n%s\n' "$1" > "$UP/sbin/cfg"
	chmod 755 "$UP/sbin/cfg" 2> /dev/null
}
fails() {
	boot
	is "$1: boots" "$rc:$(kept rc)" "1:$2"
	like "$1: that is said" "$err" '^cfgfs: failed: /etc is as the image has it'
	like "$1: and why" "$err" "$3"
	ok "$1: nothing is mounted" base_stays
}
stand_in ''
fails "no cfg" 127 '^cfgfs: cfg restore: exit status 127'
# shellcheck disable=SC2016
stand_in 'while [ $# -gt 1 ]; do shift; done; mkdir "$1"; echo half > "$1/hosts"
    echo "cfg: restore: a word"; kill -9 $$'
fails "a cfg that dies half way" 137 '^cfgfs: restore: a word'
stand_in 'sleep 1000'
restart
restore 2> /dev/null &
await "the program" pgrep -x sleep
pkill_box() {
	for p in /proc/[0-9]*; do
		case $(tr '\0' ' ' 2> /dev/null < "$p/cmdline") in
		*"$PROG restore"*|"sleep 1000 "|*"$PROG work"*)
			kill "${p#/proc/}" 2> /dev/null ;;
		esac
	done
}
pkill_box
wait
ok "ended from outside: nothing is mounted" base_stays
cp "$T/cfg" "$ROOT/usr/sbin/cfg"
run restore
is "and another one does it" "$rc:$(tree "$ROOT/etc")" "0:$second"
rm "$ROOT/usr/sbin/cfgfs"
pivot
run view
is "no cfgfs: no view" "$rc" 1
like "that is said" "$err" "^cfgfs: no view of /etc: what changes can't be committed"
is "and the tree stays" "$(tree "$ROOT/etc")" "$second"
done_testing
