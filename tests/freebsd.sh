#!/bin/sh
# freebsd.sh (make check-freebsd): every source that FreeBSD would build,
# compiled against its headers in FREEBSD_SYSROOT, for syntax and
# warnings alone.  Without such headers it says so and does nothing.
set -u

cd "$(dirname "$0")/.." || exit 2
root=${FREEBSD_SYSROOT:-}
if [ ! -f "$root/usr/include/sys/param.h" ]; then
	echo "check-freebsd: skipped: no FreeBSD headers (FREEBSD_SYSROOT)"
	exit 0
fi
tmp=$(mktemp -d) || exit 2
trap 'rm -rf "$tmp"' EXIT
printf '#define RUNDIR "/var/run"\n#define SBINDIR "/usr/local/sbin"\n' \
    > "$tmp/config.h"
bad=0
for f in lib/*.c fs/*.c sync/*.c tools/*.c tests/*.c; do
	case $f in
	*-linux*.c)	continue ;;
	esac
	clang --target=x86_64-unknown-freebsd14 --sysroot="$root" \
	    -isystem "$root/usr/local/include/fuse3" \
	    -isystem "$root/usr/local/include" -I"$tmp" -I. -std=c11 \
	    -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 -DFUSE_USE_VERSION=312 \
	    -Wall -Wextra -Werror -fsyntax-only "$f" || bad=$((bad + 1))
done
echo "check-freebsd: $bad files with faults"
[ "$bad" = 0 ]
