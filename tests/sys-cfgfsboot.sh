#!/bin/sh
# sys-cfgfsboot.sh: what a boot of Linux runs.  Two boxes: one as Debian's, of
# an initramfs with nothing but klibc's programs and a root with dash; one of
# busybox alone.  /etc is restored and the view comes; and whatever is
# wrong, the boot goes on.
. "$(dirname "$0")/sys.sh"
need_root
need_fuse
[ -f /usr/lib/klibc/bin/mount ] || skip_all "no klibc"
command -v busybox > /dev/null || skip_all "no busybox"

I=$T/init		# what an initramfs sees as /
ROOT=$I/root		# and as the root that it has mounted
LOW=$T/low		# that root's file system
UP=$T/usr/up		# what is in its /usr beside this machine's
PROG=/usr/libexec/cfgfs/cfgfs-boot
KEPT=/run/cfgfs/boot
TOOLS='mount umount mkdir mv chmod chown stat findfs sleep grep cat'

# ---- the two kinds of box
root_fs() {
	mkdir -p "$LOW" "$T/usr" "$I/root"
	mount -t tmpfs -o mode=755 cfgfs-test "$T/usr" || return
	mkdir -p "$UP/bin" "$UP/sbin" "$UP/libexec/cfgfs" "$T/usr/work"
	for d in dev proc sys run tmp usr var root store etc/default; do
		mkdir -p "$LOW/$d"
	done
	chmod 700 "$LOW/root"
	echo low > "$LOW/var/file"
	for d in bin sbin lib lib32 lib64 libx32; do
		[ ! -L "/$d" ] || ln -s "usr/$d" "$LOW/$d"
	done
	cp "$TOP/boot/cfgfs-boot" "$UP/libexec/cfgfs/"
	cp "$CFG" "$CFGFS" "$TOP/tools/cfg-more" "$UP/sbin/"
}
kind() {
	kind=$1
	rm -rf "$I/bin" "$I/lib" "$UP/bin"
	mkdir -p "$I/bin" "$I/lib" "$UP/bin"
	case $kind in
	klibc)	cp /usr/lib/klibc/bin/* "$I/bin/"
		cp /lib/klibc-*.so "$I/lib/"
		ln -s dash "$UP/bin/sh" ;;
	busybox)
		cp "$(command -v busybox)" "$I/bin/" &&
		    cp "$I/bin/busybox" "$UP/bin/"
		for d in sh chroot $TOOLS; do
			ln -s busybox "$I/bin/$d"
			ln -s busybox "$UP/bin/$d"
		done ;;
	esac
}

# ---- a boot, in the order of an initramfs
mount_root() {
	for d in dev proc sys run; do
		mkdir -p "$I/$d"
	done
	mount --bind "$LOW" "$ROOT" &&
	    mount -t overlay -o "lowerdir=/usr,upperdir=$UP,workdir=$T/usr/work" \
	    over "$ROOT/usr" &&
	    mount -o remount,bind,ro "$ROOT" &&
	    mount --bind /dev "$I/dev" && mount -t proc proc "$I/proc" &&
	    mount -t sysfs sys "$I/sys" && mount -t tmpfs run "$I/run"
}
restore() {
	PATH=/bin CMDLINE=/cmdline timeout -k 5 "$LIMIT" "$(command -v chroot)" \
	    "$I" /bin/sh "/root$PROG" restore /root
}
pivot() {
	for d in run dev sys proc; do
		mount --move "$I/$d" "$ROOT/$d" || return
	done
}
in_root() {
	CMDLINE=/cmdline timeout -k 5 "$LIMIT" chroot "$ROOT" "$@" < /dev/null
}
view() { in_root "$PROG" view; }
box_off() {
	for p in $(sys_pids); do
		kill -9 "$p" 2> /dev/null
	done
	await "the end of all" sys_none
	umount -R -l "$ROOT" 2> /dev/null
	for d in run dev sys proc; do
		umount -R -l "$I/$d" 2> /dev/null
	done
}
# restart [what is on the command line]: to where the root is mounted.
restart() {
	box_off
	echo "quiet $*" > "$I/cmdline"
	cp "$I/cmdline" "$LOW/cmdline"
	mount_root
}
conf() { printf '%s\n' "$@" > "$LOW/etc/default/cfgfs"; }
mounts() { findmnt -rno TARGET,SOURCE,FSTYPE,OPTIONS | sort; }
said() { sed -n 's/^cfgfs: //p' "$I$KEPT"; }
kept() { sed -n "s/^$1=//p" "${2:-$I}$KEPT"; }
base_stays() {
	[ "$(findmnt -rno TARGET -R "$ROOT")" = "$ROOT
$ROOT/usr" ] && ! findmnt -rno TARGET | grep -q "^$I/run/"
}
is_base() { [ "$(snap "$ROOT/etc")" = "$(snap "$LOW/etc")" ]; }

# ---- a store with two commits
root_fs
BASE=$LOW/etc
new_box
loop_dev "$STORE"
conf "STORE=$dev" "OVERLAY='/var /root'"
printf 'hostname="mine"\n' > "$MNT/rc.conf"
cfg commit -m first > /dev/null
first=$(snap "$MNT")
echo 192.0.2.1 > "$MNT/hosts"
rm -r "$MNT/mail"
cp "$LOW/etc/default/cfgfs" "$MNT/default/cfgfs"
mkdir -m 700 "$MNT/keys"
echo 'STORE=/dev/null' > "$MNT/default/cfgfs"	# no setting of ours
cfg commit -m second > /dev/null
second=$(snap "$MNT") two=$second
power_cut
cp "$STORE" "$T/two"
again() { cat "$T/two" > "$STORE"; blockdev --flushbufs "$dev"; }

for k in klibc busybox; do
	kind "$k"
	restart
	ok "$k: a boot" restore
	is "$k: has nothing to say" "$out$err" ""
	is "$k: /etc is what was committed" "$(snap "$ROOT/etc")" "$second"
	is "$k: what is kept" "$(cat "$I$KEPT")" "store=$dev
rc=0
cfgfs: /etc is restored from $dev"
	not_ok "$k: the root can't be written to" touch "$ROOT/file"
	is "$k: the base is the image's" "$(snap "$I/run/cfgfs/etc/base")" \
	    "$(snap "$LOW/etc")"
	ok "$k: an overlay can" sh -c "echo up > '$ROOT/var/file'"
	is "$k: and leaves what is below it" \
	    "$(cat "$ROOT/var/file" "$LOW/var/file")" "up
low"
	is "$k: it has the mode of what it covers" \
	    "$(stat -c %a "$ROOT/root")" 700
	is "$k: nothing else is left in the root" \
	    "$(findmnt -rno TARGET -R "$ROOT" | sed "s|^$ROOT||" | sort | tr '\n' ' ')" \
	    " /etc /root /usr /var "
	before=$(mounts)
	ok "$k: a second run" restore
	is "$k: does nothing" "$out$err$(mounts)" "$before"

	pivot
	ok "$k: the view" view
	is "$k: it says what was said" "$out$err" \
	    "cfgfs: /etc is restored from $dev"
	is "$k: it is there" \
	    "$(findmnt -rno FSTYPE,SOURCE "$ROOT/etc" | tail -1)" \
	    "fuse.cfgfs $dev"
	not_ok "$k: the base can't be written to" \
	    touch "$ROOT/run/cfgfs/etc/base/file"
	before=$(mounts)
	ok "$k: a second one" view
	is "$k: does nothing" "$out$err$(mounts)" "$before"
	echo "$k" > "$ROOT/etc/motd"
	like "$k: a change is seen" "$(in_root cfg status)" '^A motd'
	ok "$k: and committed" in_root cfg commit -m motd
	second=$(snap "$ROOT/etc")
	restart
	restore
	is "$k: and there with the next boot" "$(snap "$ROOT/etc")" "$second"
	again
	second=$two
done
done_testing
