#!/bin/sh
# image.sh DIR: make in DIR what a small Debian boots from that has cfgfs
# and its store on /dev/vdb: vmlinuz, initrd, root.img (ext4, to be
# read-only), and key, which its sshd lets in as root.  As root.
#
# The release and the mirror are those of this machine's apt.  What
# debootstrap made is kept in BOOT_CACHE (/var/cache/cfgfs-boot); one such
# tree at a time, and anew when what it is made from changes.
set -eu

top=$(cd "$(dirname "$0")/../.." && pwd)
dir=$(cd "$1" && pwd)
cache=${BOOT_CACHE:-/var/cache/cfgfs-boot}
new=
cleanup() {
	[ -z "$new" ] || umount "$new/proc" 2> /dev/null || :
	rm -rf ${new:+"$new"} "$dir/root" "$dir/src"
}
trap cleanup EXIT
trap 'trap "" HUP INT TERM; exit 130' HUP INT TERM

# What is in the guest, and why it need be there at all.
packages=systemd-sysv,udev,kmod,initramfs-tools,busybox,zstd,iproute2,\
openssh-server,fuse3,zlib1g,libmd0
case $(. /etc/os-release && echo "$ID") in
ubuntu)	packages=$packages,linux-image-virtual ;;
*)	packages=$packages,linux-image-cloud-$(dpkg --print-architecture) ;;
esac
modules='virtio_pci virtio_mmio virtio_blk virtio_net virtio_rng ext4 fuse
overlay'

# What of systemd has nothing to do here, which matters where each process
# is emulated.  The devices are there before the initramfs ends.
without='
getty.target timers.target paths.target slices.target remote-fs.target
cryptsetup.target veritysetup.target integritysetup.target swap.target
systemd-ask-password-wall.path systemd-ask-password-console.path
systemd-logind.service systemd-user-sessions.service
systemd-timesyncd.service systemd-random-seed.service
systemd-update-done.service systemd-update-utmp.service
systemd-update-utmp-runlevel.service systemd-pstore.service
systemd-journal-flush.service systemd-journal-catalog-update.service
systemd-binfmt.service systemd-machine-id-commit.service
systemd-sysusers.service systemd-firstboot.service systemd-sysctl.service
systemd-hwdb-update.service systemd-modules-load.service
systemd-remount-fs.service systemd-tmpfiles-setup-dev.service
systemd-tmpfiles-clean.timer systemd-udevd.service
systemd-udev-trigger.service systemd-udevd-control.socket
systemd-udevd-kernel.socket systemd-initctl.socket
systemd-journald-audit.socket systemd-boot-system-token.service
kmod-static-nodes.service ldconfig.service e2scrub_reap.service
modprobe@configfs.service modprobe@drm.service modprobe@fuse.service
modprobe@efi_pstore.service modprobe@dm_mod.service modprobe@loop.service
dev-hugepages.mount dev-mqueue.mount sys-kernel-debug.mount
sys-kernel-tracing.mount sys-kernel-config.mount
sys-fs-fuse-connections.mount proc-sys-fs-binfmt_misc.automount
systemd-bless-boot-generator systemd-cryptsetup-generator
systemd-debug-generator systemd-getty-generator systemd-gpt-auto-generator
systemd-hibernate-resume-generator systemd-integritysetup-generator
systemd-rc-local-generator systemd-run-generator
systemd-system-update-generator systemd-sysv-generator
systemd-veritysetup-generator'

# The mirror and the components of the release, as apt has them.
suite=$(. /etc/os-release && echo "$VERSION_CODENAME")
# shellcheck disable=SC2016
mirror=$(apt-get indextargets --format \
    '$(IDENTIFIER) $(CODENAME) $(REPO_URI)' 'Created-By: Packages' |
    awk -v s="$suite" '$1 == "Packages" && $2 == s { print $3; exit }')
# shellcheck disable=SC2016
components=$(apt-get indextargets --format \
    '$(CODENAME) $(COMPONENT)' 'Created-By: Packages' |
    awk -v s="$suite" '$1 == s && !had[$2]++ { print $2 }' | paste -sd, -)
[ -n "$mirror" ] || {
	echo "image.sh: apt has no repository of $suite" >&2
	exit 2
}

# The tree as debootstrap and apt leave it, less what no boot needs.
base_tree() {
	mkdir -p "$cache"
	chmod 700 "$cache"
	tree=$cache/$(echo "1 $suite $mirror $components $packages $modules" |
	    sha256sum | cut -c 1-16)
	[ ! -d "$tree" ] || return 0
	echo "# debootstrap of $suite: some minutes, once" >&2
	rm -rf "${cache:?}"/*
	new=$tree.new
	debootstrap --variant=minbase --include="$packages" \
	    --components="$components" "$suite" "$new" "$mirror" \
	    > "$cache/log" 2>&1 || {
		tail -20 "$cache/log" >&2
		exit 2
	}
	rm -rf "$new"/var/cache/apt/* "$new"/var/lib/apt/lists/* \
	    "$new"/usr/share/doc "$new"/usr/share/man \
	    "$new"/usr/share/locale "$new"/usr/share/i18n \
	    "$new"/usr/share/zoneinfo "$new"/boot/initrd*
	few_modules "$new"
	mv "$new" "$tree"
	new=
}

# Only the modules that are asked for, and what they need: depmod and the
# making of an initramfs then take no time.
few_modules() {
	version=$(basename "$1"/lib/modules/*)
	keep=$(for m in $modules; do
		chroot "$1" modprobe -a -S "$version" --show-depends "$m"
	done | sed -n 's|^insmod \([^ ]*\).*|\1|p' | sort -u)
	(cd "$1" && find "lib/modules/$version/kernel" -name '*.ko*' |
	    while read -r m; do
		case "
$keep
" in
		*"
/$m
"*)	;;
		*)	rm "$m" ;;
		esac
	done)
	chroot "$1" depmod "$version"
}

# cfgfs, as it is installed on such a system.
install_cfgfs() {
	mkdir "$dir/src"
	sh "$top/tests/copy.sh" "$dir/src"
	(
		cd "$dir/src"
		./configure --prefix=/usr
		for t in install install-systemd install-initramfs; do
			make -j2 -f build.mk "DESTDIR=$root" NET_PROGS= \
			    TEST_PROGS= TEST_TOOLS= "$t"
		done
	) > "$dir/install.log" 2>&1 || {
		tail -20 "$dir/install.log" >&2
		exit 2
	}
	cat > "$root/etc/default/cfgfs" <<'T'
STORE=/dev/vdb
WAIT=10
OVERLAY="/var /root"
T
}

# A quiet box: no terminals, no clocks, nothing that writes on its own.
settle() {
	rm -f "$root"/etc/ssh/ssh_host_* "$root"/etc/resolv.conf
	ssh-keygen -q -t ed25519 -N '' -f "$root/etc/ssh/ssh_host_ed25519_key"
	rm -f "$dir/key" "$dir/key.pub"
	ssh-keygen -q -t ed25519 -N '' -C boot -f "$dir/key"
	mkdir -p "$root/root/.ssh"
	cp "$dir/key.pub" "$root/root/.ssh/authorized_keys"
	printf 'box %s\n' \
	    "$(cut -d' ' -f1,2 "$root/etc/ssh/ssh_host_ed25519_key.pub")" \
	    > "$dir/known_hosts"
	cat > "$root/etc/ssh/sshd_config" <<'T'
HostKey /etc/ssh/ssh_host_ed25519_key
PermitRootLogin prohibit-password
UsePAM no
UseDNS no
T
	echo box > "$root/etc/hostname"
	echo '127.0.0.1 localhost box' > "$root/etc/hosts"
	echo 'nameserver 10.0.2.3' > "$root/etc/resolv.conf"
	echo 0123456789abcdef0123456789abcdef > "$root/etc/machine-id"
	: > "$root/etc/fstab"
	mkdir -p "$root/etc/systemd/journald.conf.d"
	printf '[Journal]\nStorage=volatile\n' \
	    > "$root/etc/systemd/journald.conf.d/ram.conf"
	mkdir -p "$root/etc/systemd/system-generators"
	for u in $without; do
		case $u in
		*-generator)	u=system-generators/$u ;;
		*)		u=system/$u ;;
		esac
		ln -sf /dev/null "$root/etc/systemd/$u"
	done
	ln -sf /lib/systemd/system/multi-user.target \
	    "$root/etc/systemd/system/default.target"
	ln -sf ../proc/self/mounts "$root/etc/mtab"
	: > "$root/etc/.updated"
}

# What the test has in the guest.
install_tests() {
	mkdir -p "$root/usr/lib/boottest"
	cp "$top"/tests/boot/guest/* "$root/usr/lib/boottest"
	chmod 755 "$root"/usr/lib/boottest/*
	chmod 644 "$root"/usr/lib/boottest/*.service
	mkdir -p "$root/usr/lib/systemd/system-generators"
	mv "$root/usr/lib/boottest/generator" \
	    "$root/usr/lib/systemd/system-generators/boottest"
	mv "$root"/usr/lib/boottest/*.service "$root/lib/systemd/system"
	for u in cfgfs.service:sysinit cfgfs-shutdown.service:multi-user \
	    boottest-net.service:multi-user boottest-up.service:multi-user; do
		wants=$root/lib/systemd/system/${u#*:}.target.wants
		mkdir -p "$wants"
		ln -s "../${u%:*}" "$wants"
	done
	scripts=$root/etc/initramfs-tools/scripts
	mkdir -p "$scripts/local-bottom" "$scripts/init-bottom"
	mv "$root/usr/lib/boottest/stamp-before" "$scripts/local-bottom"
	mv "$root/usr/lib/boottest/stamp-after" \
	    "$root/usr/lib/boottest/move-dev" "$scripts/init-bottom"
	# All that there is to be loaded is named, so nobody need look for it.
	rm "$root"/usr/share/initramfs-tools/hooks/udev \
	    "$root"/usr/share/initramfs-tools/scripts/*/udev
}

make_initrd() {
	printf '%s\n' "$modules" | tr ' ' '\n' \
	    > "$root/etc/initramfs-tools/modules"
	cat > "$root/etc/initramfs-tools/initramfs.conf" <<'T'
MODULES=list
BUSYBOX=y
COMPRESS=gzip
COMPRESSLEVEL=1
DEVICE=
NFSROOT=auto
RUNSIZE=10%
FSTYPE=ext4
T
	version=$(basename "$root"/lib/modules/*)
	new=$root
	mount -t proc proc "$root/proc"
	chroot "$root" mkinitramfs -o /initrd "$version" > "$dir/initrd.log" \
	    2>&1 || {
		tail -20 "$dir/initrd.log" >&2
		exit 2
	}
	umount "$root/proc"
	# The guest has nothing to unpack where it is emulated.
	zcat "$root/initrd" > "$dir/initrd"
	cp "$root/boot/vmlinuz-$version" "$dir/vmlinuz"
	rm -rf "$root/initrd" "${root:?}"/boot/*
}

base_tree
root=$dir/root
mkdir "$root"
cp -a "$tree/." "$root"
settle
install_cfgfs
install_tests
make_initrd
rm -f "$dir/root.img"
mke2fs -q -t ext4 -d "$root" -O ^has_journal -m 0 "$dir/root.img" \
    "$(($(du -sm "$root" | cut -f1) * 5 / 4 + 32))M"
