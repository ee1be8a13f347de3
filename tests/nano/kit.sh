# kit.sh: a box with a NanoBSD image, for tests; sourced after sys.sh.
#
#	new_world DIR VERSION	an image of FreeBSD 13.2 or 15.1, as it is
#				before customize commands run
#	customize DIR		what a configuration with cust_cfgfs makes of
#				it; the variables of cfgfs.sh are the test's
#	nano_boot DIR		from power on to the view: RAM disks, the
#				image read-only, the stand-in of rc.initdiskless
#	nano_view		its cfgfs; nano_boot does it where there is one
#	power_off		kill everything, drop RAM disks and mounts
#	in_box COMMAND...	with the running image as root, as cron does it
#	$W			the image that runs
#
# At boot the image has the names of FreeBSD's /bin and /sbin and an empty /usr.
# shellcheck shell=sh

DATA=${DATA:-$TOP/../shared/data}
KIT=$TOP/tests/nano
W=

need_trees() {
	[ -f "$DATA/freebsd-15.1-etc.tar.xz" ] && return
	echo "1..0 # SKIP no FreeBSD trees in $DATA"
	# shellcheck disable=SC2034
	sys_done=1		# of sys.sh
	exit 0
}

# What NanoBSD calls, as far as cfgfs.sh does.
customize_cmd() { NANO_CUSTOMIZE="${NANO_CUSTOMIZE:-} $*"; }
late_customize_cmd() { NANO_LATE_CUSTOMIZE="${NANO_LATE_CUSTOMIZE:-} $*"; }
pprint() { :; }
populate_slice() {
	mke2fs -q -F -t ext2 -b 1024 "$1"
	[ -z "$2" ] || (mount "$1" "$3" && cp -a "$2/." "$3"; umount "$3")
}

# What `make install' leaves.
PKG=$T/pkg
make_pkg() {
	mkdir -p "$PKG/usr/local/sbin" "$PKG/usr/local/libexec/cfgfs"
	cp "$TOP/fs/cfgfs" "$TOP/tools/cfg" "$TOP/tools/cfg-more" \
	    "$TOP/hist/cfg-hist" "$PKG/usr/local/sbin"
	strip "$PKG/usr/local/sbin"/*
	cp "$TOP/boot/cfgfs-shutdown" "$PKG/usr/local/libexec/cfgfs"
	(cd "$TOP" && make -s -f build.mk DESTDIR="$PKG" PREFIX=/usr/local \
	    install-nanobsd)
	export CFGFS_PKG="$PKG" CFGFS_DIR="$PKG/usr/local/share/cfgfs/nanobsd"
	CFGFS_STATIC=$CFGFS_DIR/cfg.static
	[ -x "$CFGFS_STATIC" ] || CFGFS_STATIC=$PKG/usr/local/sbin/cfg
}

# names DIR PROGRAM...: as links to the machine's own, which is at /host.
names() {
	names_dir=$1
	shift
	for names_n; do
		for names_d in bin sbin; do
			[ ! -x "/usr/$names_d/$names_n" ] ||
			    ln -s "/host/$names_d/$names_n" \
				"$names_dir/$names_n"
		done
	done
}

new_world() {
	mkdir -p "$1/etc" "$1/bin" "$1/sbin" "$1/usr/bin" "$1/usr/local/sbin" \
	    "$1/usr/local/bin" "$1/usr/local/etc" "$1/var/db" "$1/var/tmp" \
	    "$1/var/run" "$1/var/log" "$1/root" "$1/dev" "$1/proc" "$1/run" \
	    "$1/usr/sbin" "$1/mnt" "$1/host" "$1/boot/kernel"
	chmod 1777 "$1/var/tmp"
	tar xJf "$DATA/freebsd-$2-etc.tar.xz" -C "$1/etc" || return 1
	: > "$1/boot/kernel/kernel"
	names "$1/bin" sh cat chmod cp date dd df echo ed expr hostname kill \
	    ln ls mkdir mv ps pwd realpath rm rmdir sleep stty sync test
	names "$1/sbin" mount umount mknod sysctl
	ln -s host/lib "$1/lib"
	ln -s host/lib64 "$1/lib64"
	ln -s ../host/lib "$1/usr/lib"
	mkdir -p "$1/usr/local/etc"
	echo 'a=1' > "$1/usr/local/etc/package.conf"
	# As setup_nanobsd_etc does it.
	: > "$1/etc/diskless"
	echo 'root_rw_mount=NO' >> "$1/etc/defaults/rc.conf"
	echo "/dev/${NANO_DRIVE}s1a / ufs ro 1 1" > "$1/etc/fstab"
	echo "/dev/$NANO_DRIVE$NANO_SLICE_CFG /cfg ext2 rw,noauto 2 2" \
	    >> "$1/etc/fstab"
	mkdir -p "$1/cfg" "$1/etc/local"
}

# slice SIZE: a device of that size, $SLICE, which is the whole third slice.
# shellcheck disable=SC2034,SC2154
slice() {
	truncate -s "$1" "$T/slice"
	loop_dev "$T/slice" || skip_all "no loop devices"
	SLICE=$dev
	NANO_DRIVE=${dev#/dev/}
	NANO_SLICE_CFG=
}

# As setup_nanobsd does it.
setup_nanobsd() (
	cd "$1" || exit 1
	(cd usr/local/etc && find . -print |
	    cpio -dumpl --quiet ../../../etc/local)
	rm -rf usr/local/etc
	ln -s ../../etc/local usr/local/etc
	for d in var etc; do
		mkdir -p conf/base/$d conf/default/$d
		find $d -print | cpio -dumpl --quiet conf/base/
		echo 10240 > conf/base/$d/md_size
	done
	echo "mount -o ro /dev/$NANO_DRIVE$NANO_SLICE_CFG" \
	    > conf/default/etc/remount
	ln -s var/tmp tmp
)

# What runs between the two passes of customize commands: the test's own.
between() { :; }

customize() {
	NANO_WORLDDIR=$1
	NANO_CUSTOMIZE='' NANO_LATE_CUSTOMIZE=''
	# shellcheck source=boot/nanobsd/cfgfs.sh
	. "$CFGFS_DIR/cfgfs.sh"
	customize_cmd cust_cfgfs
	for customize_c in $NANO_CUSTOMIZE; do
		($customize_c) || return
	done
	setup_nanobsd "$1" && between || return
	for customize_c in $NANO_LATE_CUSTOMIZE; do
		($customize_c) || return
	done
}

power_on() {
	W=$1
	mount --bind "$W" "$W" && mount -o remount,bind,ro "$W" &&
	    mount --rbind /dev "$W/dev" &&
	    mount -t proc proc "$W/proc" &&
	    mount -t tmpfs run "$W/run" &&
	    mount --bind /usr "$W/host"
}

nano_boot() {
	power_on "$1" || return 1
	cp "$KIT/initdiskless.sh" "$W/run/" &&
	    timeout -k 5 "$LIMIT" chroot "$W" /host/bin/env -i \
	    TOOLS=/host/bin:/host/sbin /bin/sh /run/initdiskless.sh \
	    > "$T/console" 2>&1 < /dev/null ||
	    return 1
	# Of its validators none is FreeBSD's: there is no /usr/sbin.
	mount --bind /usr/bin "$W/usr/bin" || return 1
	[ ! -x "$W/usr/local/sbin/cfgfs" ] || nano_view
}

nano_view() {
	in_box /usr/local/sbin/cfgfs \
	    -o "store=$CFGFS_STORE,base=/conf/base/etc" /etc
}

in_box() {
	timeout -k 5 "$LIMIT" chroot "$W" /host/bin/env -i HOME=/root \
	    PATH=/sbin:/bin:/usr/sbin:/usr/bin "$@" < /dev/null
}

power_off() {
	for power_p in $(sys_pids); do
		kill -9 "$power_p" 2> /dev/null
	done
	await "the end of all" sys_none || return 1
	while grep -q " ${W}[ /]" /proc/self/mountinfo; do
		umount -R -l "$W" 2> /dev/null || umount -l "$W" || return 1
	done
	W=
}
