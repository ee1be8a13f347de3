#!/bin/sh
# cross.sh [TRIPLET ...]: build for other machines with Debian's cross
# compilers, by default for arm64 and armhf, and have an emulator run what was
# built: units, and the static cfg that restores a store of this machine.
# What they link with is unpacked into a folder, by an apt of its own, so the
# machine stays as it is.  With CROSS_DIR=D that is kept in D for the
# next time.  TAP.
# shellcheck source=tests/tap.sh
. "$(dirname "$0")/tap.sh"
dir=${CROSS_DIR:-$tmp/roots}

needs='libc6-dev libfuse3-dev zlib1g-dev libmd-dev libssh2-1-dev libsodium-dev'

# sysroot ARCH: what Debian has for it, in $root.
sysroot() {
	[ ! -e "$root/done" ] || return 0
	rm -rf "$root"
	mkdir -p "$root" "$tmp/apt/lists/partial" \
	    "$tmp/apt/archives/partial" && : > "$tmp/apt/status" || return
	cat > "$tmp/apt/conf" <<C
APT::Architecture "$1";
APT::Architectures { "$1"; };
APT::Install-Recommends "false";
APT::Sandbox::User "root";
Dir::State "$tmp/apt";
Dir::State::status "$tmp/apt/status";
Dir::Cache "$tmp/apt";
C
	# Of several sources one may be away, or lack this machine.
	APT_CONFIG=$tmp/apt/conf apt-get -qq update
	# shellcheck disable=SC2086
	APT_CONFIG=$tmp/apt/conf apt-get -qq -y --download-only \
	    install $needs || return
	for deb in "$tmp/apt/archives"/*.deb; do
		dpkg-deb -x "$deb" "$root" || return
	done
	# A link that is absolute leads out of it.
	find "$root" -type l -lname '/*' | while read -r l; do
		ln -sfn "$root$(readlink "$l")" "$l" || exit
	done || return
	rm -rf "$tmp/apt"
	: > "$root/done"
}

configure() {
	cd "$src" && env CC="$triplet-gcc --sysroot=$root" BUILD_CC=cc \
	    PKG_CONFIG=pkg-config PKG_CONFIG_SYSROOT_DIR="$root" \
	    PKG_CONFIG_LIBDIR="$root/usr/lib/$triplet/pkgconfig:$root/usr/share/pkgconfig" \
	    WERROR=1 ./configure --prefix=/usr --host="$triplet"
}

# What a program is for, as its header says: class and machine.
machine() {
	od -An -tx1 -j4 -N1 "$1" | tr -d ' '
	od -An -tx1 -j18 -N2 "$1" | tr -d ' '
}
made_for() {
	printf '%s\n' "$want" > "$tmp/want"
	for p in "$src"/fs/cfgfs "$src"/tools/cfg "$src"/tools/cfg.static \
	    "$src"/tools/cfg-more "$src"/tools/cfg-mirror \
	    "$src"/hist/cfg-hist; do
		machine "$p" | cmp - "$tmp/want" || return
	done
}

stripped() {
	cp "$src/tools/cfg" "$tmp/cfg" && "$triplet-strip" "$tmp/cfg" &&
	    ls -l "$tmp/cfg"
}

one() {
	root=$dir/$arch src=$tmp/src-$arch
	command -v "$triplet-gcc" > /dev/null || {
		skip "no $triplet-gcc"
		return
	}
	ok "$arch: there is what it links with" sysroot "$arch" || return
	mkdir "$src" && sh "$top/tests/copy.sh" "$src"
	(cd "$src" && make clean) > /dev/null
	ok "$arch: it is configured" configure || return
	began=$(date +%s)
	ok "$arch: all is built, without a warning" \
	    make -C "$src" -j2 -f build.mk all static || return
	echo "# built in $(($(date +%s) - began)) seconds"
	ok "$arch: for that machine" made_for
	ok "$arch: what is installed is stripped by its own strip" \
	    make -C "$src" install DESTDIR="$tmp/dest-$arch"
	wc -c "$tmp/dest-$arch"/usr/sbin/* | sed '$d; s|/.*/|/|; s/^/# /'
	command -v "$qemu" > /dev/null || {
		skip "no $qemu"
		return
	}
	for t in store model jrn ent merge3 golden pend apply; do
		ok "$arch: $t passes there" unit "$t"
	done
	ok "$arch: the static cfg restores this machine's store" restore
	ok "$arch: and gives the same tree" same
	ok "$arch: and reads all of it" "$qemu" "$src/tools/cfg.static" \
	    -s "$tmp/store" verify
	ok "$arch: what it writes is read here" written
}

unit() {
	(cd "$src" && timeout 600 "$qemu" -L "$root" "tests/$1.t") > "$tmp/tap" \
	    2>&1
	rc=$?
	grep -e '^not ok' -e '^#' "$tmp/tap"
	grep -q '^1\.\.[0-9]' "$tmp/tap" && [ "$rc" = 0 ]
}

# A tree as text, without times.
snap() {
	(cd "$1" && find . -printf '%P %y %m %U:%G %l\n' | sort &&
	    find . -type f -exec sha256sum {} + | sort)
}

restore() {
	rm -rf "$tmp/there" "$tmp/here"
	"$top/tools/cfg" restore --store "$tmp/store" --base "$tmp/base" \
	    "$tmp/here" &&
	    "$qemu" "$src/tools/cfg.static" restore --store "$tmp/store" \
	    --base "$tmp/base" "$tmp/there"
}
same() {
	snap "$tmp/here" > "$tmp/a" && snap "$tmp/there" > "$tmp/b" &&
	    cmp "$tmp/a" "$tmp/b"
}
written() {
	rm -f "$tmp/store2"
	more="$qemu -L $root $src/tools/cfg-more"
	$more init --size 1M "$tmp/store2" &&
	    $more -s "$tmp/store2" import --base "$tmp/base" "$tmp/plain" &&
	    "$top/tools/cfg" -s "$tmp/store2" verify &&
	    rm -rf "$tmp/there" &&
	    "$top/tools/cfg" restore --store "$tmp/store2" \
	    --base "$tmp/base" "$tmp/there" && same
}

# A store of this machine: files of all sizes, and a mode.
mkdir -p "$tmp/base/ssh" "$tmp/plain/ssh"
echo 'hostname="box"' > "$tmp/base/rc.conf"
echo 'Port 22' > "$tmp/base/ssh/sshd_config"
echo 'hostname="fw"' > "$tmp/plain/rc.conf"
echo 'Port 23' > "$tmp/plain/ssh/sshd_config"
chmod 600 "$tmp/plain/ssh/sshd_config"
head -c 100000 /dev/urandom > "$tmp/plain/random"
seq 20000 > "$tmp/plain/numbers"
ln -s rc.conf "$tmp/plain/link"
# shellcheck disable=SC2016
ok "a store is made here" sh -c 'make -C "$1" -j2 config.mk &&
    make -C "$1" -j2 -f build.mk programs &&
    "$1/tools/cfg" init --size 2M "$2/store" &&
    "$1/tools/cfg" -s "$2/store" import --base "$2/base" "$2/plain"' \
    sh "$top" "$tmp" || exit 1

[ $# -gt 0 ] || set -- aarch64-linux-gnu arm-linux-gnueabihf
for triplet; do
	case $triplet in
	aarch64-linux-gnu)
		arch=arm64 qemu=qemu-aarch64-static want='02
b700' ;;
	arm-linux-gnueabihf)
		arch=armhf qemu=qemu-arm-static want='01
2800' ;;
	*)
		echo "cross: $triplet: not known" >&2
		exit 2 ;;
	esac
	one
done
end
