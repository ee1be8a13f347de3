#!/bin/sh
# packages.sh: the Debian packages are built of a copy of this tree, please
# lintian, and are installed, used and purged in a fresh Debian.  TAP.
# With PACKAGES_DIR=D that Debian is kept in D for the next time.
# shellcheck source=tests/tap.sh
. "$(dirname "$0")/tap.sh"

for p in dpkg-buildpackage dh lintian debootstrap; do
	command -v "$p" > /dev/null || {
		echo "1..0 # SKIP no $p"
		exit 0
	}
done
[ "$(id -u)" = 0 ] || {
	echo "1..0 # SKIP not root"
	exit 0
}

# ---- build
mkdir "$tmp/src"
sh "$top/tests/copy.sh" "$tmp/src"
began=$(date +%s)
build() {
	cd "$tmp/src" && make clean && cp -R boot/debian debian &&
	    DEB_BUILD_OPTIONS="nocheck parallel=2" \
	    dpkg-buildpackage -us -uc -b
}
# shellcheck disable=SC2310
build_apart() ( build )
ok "the packages are built" build_apart || end
echo "# in $(($(date +%s) - began)) seconds"
arch=$(dpkg --print-architecture)
main=$(echo "$tmp"/cfgfs_*_"$arch".deb)
mirror=$(echo "$tmp"/cfgfs-mirror_*_"$arch".deb)
# shellcheck disable=SC2016
ok "lintian has neither error nor warning" sh -c \
    'cd "$1" && lintian --fail-on error,warning cfgfs_*.changes' sh "$tmp"

# ---- what is in them
dpkg-deb -c "$main" | awk '{ print $6 }' > "$tmp/main"
dpkg-deb -c "$mirror" | awk '{ print $6 }' > "$tmp/mirror"
holds() {
	list=$1
	shift
	for f; do
		grep -qx "./$f" "$tmp/$list" || {
			echo "not in $list: $f"
			return 1
		}
	done
}
ok "cfgfs has programs, pages, completions and what boots" holds main \
    usr/sbin/cfg usr/sbin/cfg-more usr/sbin/cfg-hist usr/sbin/cfgfs \
    usr/share/man/man8/cfg.8.gz usr/share/man/man8/cfg-more.8.gz \
    usr/share/man/man8/cfg-hist.8.gz usr/share/man/man5/cfgconfig.5.gz \
    usr/share/man/man8/mount.fuse.cfgfs.8.gz \
    usr/share/bash-completion/completions/cfg \
    usr/share/zsh/vendor-completions/_cfg \
    usr/share/fish/vendor_completions.d/cfg.fish \
    usr/libexec/cfgfs/cfgfs-boot usr/libexec/cfgfs/cfgfs-shutdown \
    usr/libexec/cfgfs/cfgfs-login usr/share/initramfs-tools/hooks/cfgfs \
    usr/share/initramfs-tools/scripts/init-bottom/cfgfs \
    usr/lib/dracut/modules.d/90cfgfs/module-setup.sh
ok "cfgfs-mirror has its program and page" holds mirror \
    usr/sbin/cfg-mirror usr/share/man/man8/cfg-mirror.8.gz
lacks() { ! grep -E -e "$2" "$tmp/$1"; }
ok "cfgfs has no mirror" lacks main cfg-mirror
needs_none() { ! dpkg-deb -f "$main" Depends | grep -E 'ssh|sodium|ssl'; }
ok "and needs no library for it" needs_none
no_local() { ! dpkg-deb --fsys-tarfile "$main" | tar xO | grep -a usr/local/lib; }
ok "nothing names /usr/local/libexec" no_local

# ---- a fresh Debian
root=${PACKAGES_DIR:-$tmp}/root
debian() {
	[ ! -e "$root/../done" ] || return 0
	rm -rf "$root"
	mkdir -p "$root"
	# shellcheck disable=SC2016,SC2046
	set -- $(apt-get indextargets --format '$(RELEASE) $(REPO_URI)' \
	    'Created-By: Packages' 'Origin: Debian' 'Component: main' |
	    awk '$1 !~ /-/' | head -1)
	debootstrap --variant=minbase \
	    --include=libfuse3-3,libmd0,zlib1g,libssh2-1,libsodium23 \
	    "$1" "$root" "$2" && : > "$root/../done"
}
began=$(date +%s)
ok "there is a fresh Debian" debian || end
echo "# in $(($(date +%s) - began)) seconds"
# Of the system itself, but for what dpkg keeps.
files() {
	(cd "$root" && find . -xdev ! -path './var/lib/dpkg/*' \
	    ! -path './var/cache/*' ! -path './var/log/*' \
	    ! -path './tmp/*' ! -path './run/*' ! -path './proc/*' | sort)
}
in_it() { chroot "$root" "$@"; }
in_it dpkg -P cfgfs-mirror cfgfs > /dev/null 2>&1
files > "$tmp/before"
cp "$main" "$mirror" "$root/tmp/"
ok "cfgfs is installed" in_it dpkg -i "/tmp/${main##*/}"
says() {
	want=$1
	shift
	in_it "$@" | grep -q "$want"
}
ok "cfg runs" says '^cfg [0-9]' cfg --version
ok "cfgfs runs" says '^cfgfs [0-9]' cfgfs --version
ok "cfg-more runs" says '^  cfg commit' cfg-more --help
ok "cfgfs-mirror is installed" in_it dpkg -i "/tmp/${mirror##*/}"
ok "cfg-mirror runs" says '^  cfg mirror' cfg-mirror --help
ok "a boot starts the view" test -L \
    "$root/etc/systemd/system/sysinit.target.wants/cfgfs.service"
ok "but only where a store is named" test ! -e "$root/etc/default/cfgfs"
cp "$top/boot/debian/tests/restore" "$root/tmp/restore"
mkdir -p "$root/tmp/t"
rm -rf "$root/tmp/t"/*
apart() {
	# The root has to be a mount, as a box's is.
	# shellcheck disable=SC2016
	unshare -m sh -c 'mount --bind "$1" "$1" &&
	    mount -t proc none "$1/proc" &&
	    chroot "$1" env AUTOPKGTEST_TMP=/tmp/t sh /tmp/restore' sh "$root"
}
ok "what was committed comes back" apart
ok "both are purged" in_it dpkg -P cfgfs-mirror cfgfs
files > "$tmp/after"
ok "and nothing is left" diff "$tmp/before" "$tmp/after"
end
