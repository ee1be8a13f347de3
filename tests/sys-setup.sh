#!/bin/sh
# sys-setup.sh: cfg setup on whole machines: a root of its own, which is on a
# disk or read-only, with a copy of this machine's /etc, real partitions and
# real mounts.  Stand-ins are only what manages services and the initramfs;
# they note down how they were called.
# shellcheck source=tests/sys.sh
. "$(dirname "$0")/sys.sh"
need_root
need_fuse
command -v addpart > /dev/null || skip_all "no addpart"

R=$T/root
ONPTY=$TOP/tests/onpty

# in_box COMMAND...: in that root, as on its console.
in_box() {
	chroot "$R" /usr/bin/env -i PATH=/sbin:/bin:/usr/bin:/usr/sbin "$@"
}
# What it prints is awaited and answered.
answers() {
	sys_e=$1
	shift
	"$ONPTY" '[y/N]' "$sys_e" -- chroot "$R" /usr/bin/env -i \
	    PATH=/sbin:/bin:/usr/bin:/usr/sbin "$@"
}
# The mounts of the box, without their numbers.
mounts() { awk -v r="$R" '$5 == r || index($5, r "/") == 1 {
    $1 = $2 = ""; print }' /proc/self/mountinfo | sort; }
calls() { cat "$R/calls" 2> /dev/null; }

# part N START SIZE: partition N of the disk, in sectors, at $dev"p"N; the
# box sees these and no other.
see_part() {
	mkdir -p "$R/sys/class/block/${disk#/dev/}p$1"
	mount --bind "/sys/class/block/${disk#/dev/}p$1" \
	    "$R/sys/class/block/${disk#/dev/}p$1"
	cp -a "${disk}p$1" "$R/dev/"
}
hide_part() {
	umount "$R/sys/class/block/${disk#/dev/}p$1"
	rmdir "$R/sys/class/block/${disk#/dev/}p$1"
}
is_zero() { ! tr -d '\0' < "$1" | grep -q .; }

# ---- the machine
make_root() {
	truncate -s 256M "$T/root.img" && mke2fs -q -F -t ext4 "$T/root.img" &&
	    loop_dev "$T/root.img" && mkdir "$R" &&
	    mount -t ext4 "$dev" "$R" || return
	mkdir -p "$R/usr" "$R/proc" "$R/sys" "$R/dev" "$R/run" "$R/sbin" \
	    "$R/var/lib" "$R/tmp" "$R/cfg" "$R/mnt"
	for d in bin lib lib64; do
		[ ! -e "/usr/$d" ] || ln -s "usr/$d" "$R/$d"
	done
	mount --bind /usr "$R/usr" && mount -t proc proc "$R/proc" &&
	    mount -t tmpfs -o mode=755 run "$R/run" &&
	    mount -t tmpfs -o mode=755 sys "$R/sys" &&
	    mount -t tmpfs -o mode=755 dev "$R/dev" &&
	    mkdir -p "$R/sys/class/block" "$R/run/systemd/system" || return
	cp -a /dev/null /dev/zero /dev/urandom /dev/fuse /dev/tty "$R/dev/"
	for p in tools/cfg tools/cfg-more fs/cfgfs; do
		cp "$TOP/$p" "$R/sbin/"
	done
	cp -a /etc "$R/etc" && rm -rf "$R/etc/cfgfs" \
	    "$R/etc/default/cfgfs" "$R/etc/alternatives" "$R/etc/ssl" \
	    "$R/etc/fonts" "$R/etc/X11" "$R"/etc/java* "$R/etc/gnucobol" \
	    "$R"/etc/rc?.d "$R/etc/apt"
	printf 'proc /proc proc defaults 0 0\n' > "$R/etc/fstab"
	mkdir -p "$R/etc/systemd/system" "$R/etc/initramfs-tools/hooks"
	for u in cfgfs-restore cfgfs cfgfs-shutdown; do
		echo '[Unit]' > "$R/etc/systemd/system/$u.service"
	done
	echo '#!/bin/sh' > "$R/etc/initramfs-tools/hooks/cfgfs"
	cat > "$R/sbin/systemctl" <<-'E'
	#!/bin/sh
	w=/etc/systemd/system/multi-user.target.wants
	[ "$1" = --quiet ] && { [ -L "$w/$3" ]; exit; }
	echo "systemctl $*" >> /calls
	v=$1
	shift
	[ ! -e /broken ] || { echo 'no such bus'; exit 1; }
	case $v in
	enable)	mkdir -p "$w"
		for u; do ln -s "/etc/systemd/system/$u" "$w/$u"; done ;;
	disable) for u; do rm "$w/$u"; done; rmdir "$w" 2> /dev/null; exit 0 ;;
	esac
	E
	printf '#!/bin/sh\necho "update-initramfs $*" >> /calls\n' \
	    > "$R/sbin/update-initramfs"
	chmod 755 "$R/sbin/systemctl" "$R/sbin/update-initramfs"
}
make_disk() {
	truncate -s 64M "$T/disk.img"
	loop_dev "$T/disk.img" -P || return
	disk=$dev
	addpart "$disk" 1 2048 16384 && addpart "$disk" 2 20480 16384 &&
	    addpart "$disk" 3 40960 16384
}
ok "a machine is there" make_root
ok "and a disk with three partitions" make_disk
[ "$rc" = 0 ] || skip_all "no partitions on loop devices"
cp -a "$R/etc" "$T/etc"
snap "$T/etc" > "$T/etc0"
mounts > "$T/mounts0"
untouched() { snap "$R/etc" | diff "$T/etc0" - && mounts |
    diff "$T/mounts0" - && [ ! -e "$R/var/lib/cfgfs" ] && [ -z "$(calls)" ]; }

# ---- no partition: a file
run in_box cfg setup -n
is "what would be done is said" "$rc:$err" "0:"
plan=$out
like "a file, and that it is less good" "$plan" '^# 1\. Make a store in the new file /var/lib/cfgfs/etc\.store'
like "with commands for a shell" "$plan" '^cfgfs -o store=/var/lib/cfgfs/etc\.store /etc$'
is "in lines for a console" "$(printf '%s\n' "$plan" | awk 'length > 79 && /^#/')" ""
ok "and nothing is done" untouched
fails_with 2 'no terminal to ask on' in_box cfg setup
ok "nobody to ask: nothing is done" untouched
run answers n cfg setup
is "who says no" "$rc" 1
like "is told so" "$out" '^nothing was changed'
ok "nothing is done" untouched
fails_with 64 'usage' in_box cfg setup --discard
fails_with 64 'usage' in_box cfg setup --undo --store /x
fails_with 2 'was not set up' in_box cfg setup --undo -y
mount -t tmpfs tmpfs "$R/etc/skel"
fails_with 2 '^cfg: setup: /etc/skel: something is mounted' in_box cfg setup -y
umount "$R/etc/skel"
fails_with 2 'only root' in_box setpriv --reuid 12345 --clear-groups cfg \
    setup -n

run answers y cfg setup
is "who says yes" "$rc" 0
like "is told what comes then" "$out" 'cfg commit -m'
like "the view is there" "$(mounts)" "$R/etc .* fuse\.cfgfs "
ok "nothing is pending" in_box cfg status -q
is "the settings name the store" "$(cat "$R/etc/default/cfgfs")" \
    "STORE=/var/lib/cfgfs/etc.store"
is "the boot parts are enabled" "$(calls)" "systemctl enable cfgfs-restore.service cfgfs.service cfgfs-shutdown.service
systemctl start cfgfs-shutdown.service
update-initramfs -u"
mounts > "$T/mounts1"
in_box cfg -s /var/lib/cfgfs/etc.store log > "$T/log1"
run in_box cfg setup -y
is "a second one" "$rc" 0
like "has nothing to do" "$out" 'nothing to do'
is "and does nothing" "$(mounts)" "$(cat "$T/mounts1")"
fails_with 2 'has the store .* already' in_box cfg setup -y --store /other

# ---- changes, committed and not, and all of it taken back
change() {
	echo committed > "$1/new"
	rm "$1/hostname"
	mkdir -p "$1/deep/er"
	echo 1 > "$1/deep/er/a"
	ln "$1/deep/er/a" "$1/deep/er/b"
	ln -s nowhere "$1/deep/link"
	mkfifo "$1/deep/fifo"
	chmod 600 "$1/motd"
	chown 3:4 "$1/issue"
	rm -rf "$1/skel"
	echo file > "$1/skel"
	setfattr -n trusted.note -v x "$1/passwd"
}
cp -a "$T/etc" "$T/want"
ok "changes" change "$R/etc"
ok "are committed" in_box cfg commit -m one
echo pending > "$R/etc/pending"
echo longer >> "$R/etc/new"
run in_box cfg setup --undo -n
like "undo says what it would do" "$out" '/etc keeps all that was changed since'
like "the store stays" "$out" '/var/lib/cfgfs/etc.store stays'
is "and does nothing" "$(mounts)" "$(cat "$T/mounts1")"
run in_box cfg setup --undo
is "nobody to ask" "$rc:$err" \
    "2:cfg: setup: no terminal to ask on: -y says yes"
echo trial > "$R/etc/trial"
ok "a trial" in_box cfg commit --trial 1h trial
fails_with 2 'a trial runs' in_box cfg setup --undo -y
ok "ends" in_box cfg cancel
: > "$R/calls"
sleep 60 9< "$R/etc/fstab" &
opener=$!
run answers y cfg setup --undo
kill "$opener"
is "it is done" "$rc" 0
like "with a word for who has a file open" "$out" 'had files of the view open'
is "the mounts are as before" "$(mounts)" "$(cat "$T/mounts0")"
is "no state is left" "$(find "$R/run/cfgfs" -mindepth 1 2>&1)" ""
like "the boot parts are disabled" "$(calls)" 'systemctl disable cfgfs\.service'
# The machine as it was, with the same changes.
change "$T/want"
echo longer >> "$T/want/new"
echo pending > "$T/want/pending"
snap "$T/want" > "$T/etc1"
is "and all changes are in /etc" "$(snap "$R/etc")" "$(cat "$T/etc1")"
ok "what was committed is in the store" in_box cfg -s \
    /var/lib/cfgfs/etc.store show @1:new
fails_with 2 'was not set up' in_box cfg setup --undo -y

# ---- again, with the store that is there; what was changed is dropped
printf '# mine\nWAIT=3' > "$R/etc/default/cfgfs"
snap "$R/etc" > "$T/etc2"
run in_box cfg setup -y
is "a store that is there is taken" "$rc:$err" "0:"
is "a last line without an end is none of ours" \
    "$(cat "$R/etc/default/cfgfs")" "# mine
WAIT=3
STORE=/var/lib/cfgfs/etc.store"
ok "and nothing is pending" in_box cfg status -q
echo x > "$R/etc/dropped"
run in_box cfg setup --undo -y --discard --remove-store
is "undo without what was changed" "$rc:$err" "0:"
is "all is as it was" "$(snap "$R/etc")" "$(cat "$T/etc2")"
ok "a store that was there before stays" test -f \
    "$R/var/lib/cfgfs/etc.store"
rm -rf "$R/var/lib/cfgfs" "$R/etc/default/cfgfs"
snap "$R/etc" > "$T/etc0"

# ---- the plan, pasted
run in_box cfg setup -y
snap "$R/etc" | grep -v '[ /]cfgfs/setup\|^cfgfs' > "$T/done"
run in_box cfg setup --undo -y --remove-store
is "with its store" "$rc:$err" "0:"
is "it is as before" "$(snap "$R/etc")" "$(cat "$T/etc0")"
ok "without a directory" test ! -e "$R/var/lib/cfgfs"
printf '%s\n' "$plan" > "$R/tmp/plan"
ok "a shell takes the plan" in_box sh -e /tmp/plan
is "and does the same" "$(snap "$R/etc" | grep -v '[ /]cfgfs/setup\|^cfgfs')" \
    "$(cat "$T/done")"
run in_box cfg setup -y
like "setup sees that" "$out" 'nothing to do'
umount "$R/etc" "$R/etc" "$R/run/cfgfs/etc/base"
in_box systemctl disable cfgfs-restore.service cfgfs.service \
    cfgfs-shutdown.service
rm -rf "$R/run/cfgfs" "$R/var/lib/cfgfs" "$R/etc/default/cfgfs"
is "by hand it is as before, too" "$(snap "$R/etc")" "$(cat "$T/etc0")"

# ---- what fails on the way
: > "$R/broken"
run in_box cfg setup -y
is "a step that fails" "$rc" 2
like "is named" "$err" '^cfg: setup: systemctl enable .*: exit status 1'
like "what was done before is said" "$out" '^The 2 before are done'
rm "$R/broken"
run in_box cfg setup -y
is "then it goes on there" "$rc:$err" "0:"
like "with what is left" "$out" '^1 of [23]: Have each boot'
run in_box cfg setup --undo -y --remove-store
is "and all is taken back" "$(snap "$R/etc")" "$(cat "$T/etc0")"
fails_with 2 'at least 64K|too small' in_box cfg setup -y --size 8K
is "a first step that fails leaves nothing" "$(snap "$R/etc")" \
    "$(cat "$T/etc0")"
ok "nowhere" test ! -e "$R/var/lib/cfgfs"
fails_with 2 "a name with blanks" in_box cfg setup -y --store '/var/lib/a b'

# ---- partitions
p1=${disk}p1 p2=${disk}p2 p3=${disk}p3
mke2fs -q -F -t ext2 "$p2" || exit 2
see_part 1
see_part 2
run in_box cfg setup -n
like "a blank partition is proposed" "$out" "^cfg init $p1\$"
printf x | dd of="$p1" bs=1 seek=8000000 conv=notrunc 2> /dev/null
run in_box cfg setup -n
like "not with a single byte in it" "$out" '^cfg init --size .* /var/lib'
blkdiscard -z "$p1" 2> /dev/null || dd if=/dev/zero of="$p1" bs=1M 2> /dev/null
echo "$p1 /mnt ext2 noauto 0 0" >> "$R/etc/fstab"
run in_box cfg setup -n
like "nor where fstab has it" "$out" '^cfg init --size .* /var/lib'
printf 'proc /proc proc defaults 0 0\n' > "$R/etc/fstab"
see_part 3
fails_with 2 "$p1 and $p3 are blank: --store says which" in_box cfg setup -y
fails_with 2 "holds an ext2, ext3 or ext4 file system" in_box cfg setup -y \
    --store "$p2"
mount -r "$p2" "$R/mnt"
sum=$(sha256sum < "$p2")
fails_with 2 "in use" in_box cfg setup -y --store "$p2"
umount "$R/mnt"
hide_part 3
is "what is on that stays as it is" "$(sha256sum < "$p2")" "$sum"
run in_box cfg setup -y
is "the blank one is taken" "$rc:$err" "0:"
ok "it holds a store" in_box cfg -s "$p1" verify
like "the settings name it" "$(cat "$R/etc/default/cfgfs")" \
    "^STORE=(PARTUUID=.*|$p1)\$"
echo card > "$R/etc/card"
ok "it is used" in_box cfg commit -m card
cat "$p1" > "$T/card"
run in_box cfg setup --undo -y
is "taken back" "$rc:$err" "0:"
rm "$R/etc/card"

# ---- a card that has a store already
cat "$T/card" > "$p1"
run in_box cfg setup -y
is "a partition with a store" "$rc:$err" "0:"
is "none is made" "$(printf '%s\n' "$out" | grep 'cfg init')" ""
is "what it holds is there" "$(cat "$R/etc/card")" card
umount "$R/etc" && umount "$R/etc" && umount "$R/run/cfgfs/etc/base" &&
    rm -rf "$R/run/cfgfs"
run in_box cfg setup --undo -y
is "taken back where no view runs" "$rc:$err" "0:"
is "with what was committed" "$(cat "$R/etc/card")" card
rm "$R/etc/card"
is "and nothing else" "$(snap "$R/etc")" "$(cat "$T/etc0")"
dd if=/dev/zero of="$p1" bs=1M 2> /dev/null
in_box cfg setup -y > /dev/null
run in_box cfg setup --undo -y --remove-store
is "a store that was made is removed" "$rc:$err" "0:"
ok "the partition is blank again" is_zero "$p1"

# ---- an appliance: a root that can't be written to, /etc in RAM
ram_etc() {
	mount -o remount,ro "$R" &&
	    mount -t tmpfs -o mode=755 etc "$R/etc" &&
	    cp -a "$T/ro/." "$R/etc/"
}
cp -a "$R/etc" "$T/ro"
ok "an appliance" ram_etc
snap "$R/etc" > "$T/etc3"
mounts > "$T/mounts3"
run in_box cfg setup -n
like "the image's lines are said" "$out" '^#	/etc/default/cfgfs: STORE='
is "and nothing else" "$(mounts)" "$(cat "$T/mounts3")"
echo since-boot > "$R/etc/motd"
run in_box cfg setup -y
is "the view is mounted" "$rc:$err" "0:"
is "the base is the image's" "$(in_box cfg status | grep -c '^[ADMTm] ')" 1
fails_with 2 '1 path is pending' in_box cfg setup --undo -y
ok "a commit" in_box cfg commit -m motd
run in_box cfg setup --undo -y --remove-store
is "taken back" "$rc:$err" "0:"
is "the mounts are as before" "$(mounts)" "$(cat "$T/mounts3")"
is "/etc stays as it runs" "$(cat "$R/etc/motd")" since-boot

# ---- NanoBSD's way: /conf/base/etc, and /cfg, which fstab has as noauto
umount "$R/etc"
mount -o remount,rw "$R"
mkdir -p "$R/conf/base"
cp -a "$R/etc" "$R/conf/base/etc"
echo "$p2 /cfg ext2 noauto 0 0" >> "$R/conf/base/etc/fstab"
mount "$p2" "$R/cfg"
mkdir "$R/cfg/ssh"
echo saved > "$R/cfg/motd"
echo key > "$R/cfg/ssh/key"
rm -rf "$T/ro"
cp -a "$R/conf/base/etc" "$T/ro"
rm "$T/ro/motd"
cp -a "$R/cfg/motd" "$R/cfg/ssh" "$T/ro/"
umount "$R/cfg"
ok "a NanoBSD" ram_etc
mounts > "$T/mounts4"
run in_box cfg setup -y
is "is set up" "$rc:$err" "0:"
like "with a file in /cfg" "$out" '^cfg init .* /cfg/etc\.store'
is "what /cfg holds is the first commit" "$(in_box cfg show @1:motd)" saved
ok "so nothing is pending" in_box cfg status -q
is "and /cfg is not mounted" "$(mounts | grep -c " $R/cfg ")" 0
echo later > "$R/etc/motd"
ok "a commit" in_box cfg commit -m later
run in_box cfg setup --undo -y
is "taken back" "$rc:$err" "0:"
is "the mounts are as before" "$(mounts)" "$(cat "$T/mounts4")"
mount -r "$p2" "$R/cfg"
is "/cfg has what was committed" "$(cat "$R/cfg/motd")" later
ok "and the store, which stays" test -f "$R/cfg/etc.store"
umount "$R/cfg"
done_testing
