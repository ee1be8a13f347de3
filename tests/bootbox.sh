# bootbox.sh: a Linux box's boot, for the tests that read this behind sys.sh.
# Two kinds: one as Debian's, of an initramfs with nothing but klibc's
# programs and a root with dash; one of busybox alone.  The root is of this
# machine's programs, can't be written to, and has an /etc of its own.
# shellcheck shell=sh disable=SC2034,SC2154

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
	truncate -s 8M "$T/low.fs"
	mkfs.ext2 -q "$T/low.fs" && loop_dev "$T/low.fs" &&
	    mount "$dev" "$LOW" && rmdir "$LOW/lost+found" || return
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
	cp "$CFG" "$CFGFS" "$TOP/tools/cfg-more" "$TOP/hist/cfg-hist" \
	    "$UP/sbin/" && ln -s cfgfs "$UP/sbin/mount.fuse.cfgfs"
}
kind() {
	kind=$1
	rm -rf "${I:?}/bin" "${I:?}/lib" "${UP:?}/bin"
	mkdir -p "$I/bin" "$I/lib" "$UP/bin"
	case $kind in
	klibc)	hook=initramfs-tools/init-bottom
		cp /usr/lib/klibc/bin/* "$I/bin/"
		cp /lib/klibc-*.so "$I/lib/"
		ln -s dash "$UP/bin/sh" ;;
	busybox)
		hook=dracut/cfgfs-pre-pivot.sh
		cp "$(command -v busybox)" "$I/bin/" &&
		    cp "$I/bin/busybox" "$UP/bin/"
		for d in sh chroot $TOOLS; do
			ln -s busybox "$I/bin/$d"
			ln -s busybox "$UP/bin/$d"
		done ;;
	esac
	sed 's|/usr/local/|/usr/|g' "$TOP/boot/linux/$hook" > "$I/hook"
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
in_init() {
	PATH=/bin CMDLINE=/cmdline timeout -k 5 "$LIMIT" \
	    "$(command -v chroot)" "$I" "$@"
}
restore() { in_init /bin/sh "/root$PROG" restore /root; }
# The same by what an initramfs has for it.
by_hook() {
	in_init /bin/sh -c 'rootmnt=/root NEWROOT=/root; . /hook'
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
conf '# nothing yet'
new_box
printf 'hostname="mine"\n' > "$MNT/rc.conf"
cfg commit -m first > /dev/null
cp "$STORE" "$T/one"
echo 192.0.2.1 > "$MNT/hosts"
rm -r "$MNT/mail"
mkdir -m 700 "$MNT/keys"
cfg commit -m second > /dev/null
second=$(snap "$MNT")
power_cut
cp "$STORE" "$T/two"
loop_dev "$STORE"
again() {
	cat "$T/two" > "$STORE"
	blockdev --flushbufs "$dev"
}
# What the trees of two commits are, but for the settings.
tree() { snap "$1" | grep -v default/cfgfs; }
second=$(printf '%s\n' "$second" | grep -v default/cfgfs)
conf "STORE=$dev" "OVERLAY='/var /root'"
