#!/bin/sh
# check-freebsd.sh: whether all of the sources compile for FreeBSD, against
# the headers in FREEBSD_SYSROOT (base and, below usr/local, libfuse's).
# FREEBSD_CFLAGS is added; FREEBSD_TARGET is the machine and release that
# clang compiles for.  Exit 0: they do, or there are no headers.
set -u

cd "$(dirname "$0")/.." || exit 2
if [ -z "${FREEBSD_SYSROOT:-}" ]; then
	echo "check-freebsd: skipped: FREEBSD_SYSROOT names no headers"
	exit 0
fi
if [ ! -f "$FREEBSD_SYSROOT/usr/include/sys/extattr.h" ]; then
	echo "check-freebsd: $FREEBSD_SYSROOT: no FreeBSD headers there" >&2
	exit 2
fi
command -v clang > /dev/null || {
	echo "check-freebsd: no clang" >&2
	exit 2
}

tmp=$(mktemp -d) || exit 2
trap 'rm -rf "$tmp"' EXIT
trap 'exit 130' HUP INT TERM

# The sources say "../config.h": a copy has one of its own.
sh tests/copy.sh "$tmp" || exit 2
cat > "$tmp/config.h" <<C
#define RUNDIR "/var/run"
#define SBINDIR "/usr/local/sbin"
C
cd "$tmp" || exit 2

passed=0
failed=0
skipped=0
for f in lib/*.c fs/*.c sync/*.c tools/*.c hist/*.c; do
	case $f in
	*/osdep-linux*)
		continue ;;
	fs/*|hist/*)
		if [ ! -d "$FREEBSD_SYSROOT/usr/local/include/fuse3" ]; then
			skipped=$((skipped + 1))
			continue
		fi ;;
	esac
	# shellcheck disable=SC2086
	if clang --target="${FREEBSD_TARGET:-x86_64-unknown-freebsd14}" \
	    --sysroot="$FREEBSD_SYSROOT" -fsyntax-only -std=c11 -Wall \
	    -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes \
	    -Wundef -Werror -Wno-error=undef -D_GNU_SOURCE \
	    -D_FILE_OFFSET_BITS=64 -DFUSE_USE_VERSION=312 -I. \
	    -isystem "$FREEBSD_SYSROOT/usr/local/include/fuse3" \
	    -isystem "$FREEBSD_SYSROOT/usr/local/include" \
	    ${FREEBSD_CFLAGS:-} "$f"; then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
		echo "check-freebsd: $f: failed"
	fi
done
[ "$skipped" = 0 ] ||
    echo "check-freebsd: fs, hist: skipped: no libfuse headers"
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ]
