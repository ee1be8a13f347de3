#!/bin/sh
# deps.sh [bench | boot]: install what building and testing need and what is not
# there yet, through apt-get, pkg or apk.  Quiet and quick when nothing
# is missing.  With "bench", what the benchmarks compare with, too; with
# "boot", what the boot of a virtual machine needs.
set -eu

# What is needed, and the package of it for apt-get, pkg and apk ("-":
# comes with the system).  What begins with ":" is a library.
needs() {
	cat <<'T'
cc		gcc		-		build-base
gcc		gcc		gcc		gcc
clang		clang		-		clang
make		make		-		make
bmake		bmake		-		bmake
pkg-config	pkg-config	pkgconf		pkgconf
:fuse3		libfuse3-dev	fusefs-libs3	fuse3-dev
:zlib		zlib1g-dev	-		zlib-dev
:libmd		libmd-dev	-		libmd-dev
:libssh2	libssh2-1-dev	libssh2		libssh2-dev
:libsodium	libsodium-dev	libsodium	libsodium-dev
sshd		openssh-server	-		openssh-server
ssh		openssh-client	-		openssh-client-default
sftp-server	openssh-sftp-server -		openssh-sftp-server
gesftpserver	gesftpserver	-		-
ssh-keygen	openssh-client	-		openssh-keygen
ssh-agent	openssh-client	-		openssh-client-default
fusermount3	fuse3		fusefs-libs3	fuse3
prove		perl		perl5		perl-utils
mandoc		mandoc		-		mandoc
cppcheck	cppcheck	cppcheck	cppcheck
shellcheck	shellcheck	hs-ShellCheck	shellcheck
git		git		git		git
patch		patch		-		patch
setfacl		acl		-		acl
getfattr	attr		-		attr
mkfs.ext2	e2fsprogs	e2fsprogs	e2fsprogs
losetup		mount		-		losetup
ps		procps		-		procps
unshare		util-linux	-		util-linux-misc
nsenter		util-linux	-		util-linux-misc
ip		iproute2	-		iproute2
nft		nftables	-		nftables
useradd		passwd		-		shadow
xz		xz-utils	-		xz
strace		strace		-		strace
visudo		sudo		sudo		sudo
nft		nftables	-		nftables
bash		bash		bash		bash
zsh		zsh		zsh		zsh
fish		fish		fish		fish
bsdtar		libarchive-tools -		libarchive-tools
busybox		busybox		-		busybox
dash		dash		-		dash
systemd-analyze	systemd		-		-
/usr/lib/klibc/bin/mount klibc-utils -		-
T
	case ${1:-} in
	bench)	bench_needs ;;
	boot)	boot_needs ;;
	esac
}

boot_needs() {
	cat <<'T'
qemu-system-x86_64 qemu-system-x86	qemu	qemu-system-x86_64
debootstrap	debootstrap	-		debootstrap
mke2fs		e2fsprogs	e2fsprogs	e2fsprogs
T
}

bench_needs() {
	cat <<'T'
fuse-overlayfs	fuse-overlayfs	fusefs-fuse-overlayfs	fuse-overlayfs
bindfs		bindfs		fusefs-bindfs	bindfs
sqlite3		sqlite3		sqlite3		sqlite
python3		python3		python3		python3
rsync		rsync		rsync		rsync
scp		openssh-client	-		openssh-client
sftp		openssh-client	-		openssh-client
sshfs		sshfs		fusefs-sshfs	sshfs
time		time		-		-
cpio		cpio		-		cpio
taskset		util-linux	-		util-linux-misc
T
}

# Servers of SFTP are in no path.
PATH=$PATH:/usr/sbin:/sbin:/usr/lib/openssh:/usr/lib/ssh:/usr/libexec

have() {
	case $1 in
	:*)	command -v pkg-config > /dev/null &&
		    pkg-config --exists "${1#:}" 2> /dev/null ||
		    [ -f "/usr/include/${1#:}.h" ] ||
		    { [ "$1" = :libmd ] && [ -f /usr/include/sha256.h ]; } ||
		    { [ "$1" = :zlib ] && [ -f /usr/include/zlib.h ]; } ;;
	*)	command -v "$1" > /dev/null ;;
	esac
}

if command -v apt-get > /dev/null; then
	column=1 install='apt-get install'
elif command -v pkg > /dev/null; then
	column=2 install='pkg install'
elif command -v apk > /dev/null; then
	column=3 install='apk add'
else
	column=0 install='install by hand:'
fi

missing=
while read -r what apt pkg apk; do
	have "$what" && continue
	case $column in
	0)	p=${what#:} ;;
	1)	p=$apt ;;
	2)	p=$pkg ;;
	3)	p=$apk ;;
	esac
	[ "$p" = - ] && continue
	case " $missing " in
	*" $p "*)	;;
	*)		missing="$missing $p" ;;
	esac
done <<E
$(needs "${1:-}")
E
[ -n "$missing" ] || exit 0

if [ "$column" = 0 ] || [ "$(id -u)" != 0 ]; then
	echo "deps: missing; as root: $install$missing" >&2
	exit 2
fi
echo "deps: $install$missing" >&2

# What it says matters only where it fails.  A machine that has just
# started may be busy with its own upgrades: wait for those.
apt() {
	# shellcheck disable=SC2086
	DEBIAN_FRONTEND=noninteractive apt-get -qq -y \
	    -o Dpkg::Use-Pty=0 -o DPkg::Lock::Timeout=300 \
	    install --no-install-recommends \
	    libc6-dev $missing 2>&1 > /dev/null < /dev/null
}
why=
# shellcheck disable=SC2086
case $column in
1)	# The lists of packages may be old, or not there at all.
	why=$(apt) || { apt-get -qq update < /dev/null && why=$(apt); } ;;
2)	pkg install -qy $missing ;;
3)	apk add -q --no-progress $missing linux-headers musl-dev ;;
esac || {
	[ -z "$why" ] || printf '%s\n' "$why" >&2
	echo "deps: could not install:$missing" >&2
	exit 2
}
