#!/bin/sh
# check.sh [units]: run every test there is (or only the units in C), but
# not the soaks.  What was skipped is counted and named.  The last line is
# 'N passed, N failed, N skipped'; exit 0 where nothing failed, else 1.
set -u

cd "$(dirname "$0")/.." || exit 2
TAP_DIR=$(mktemp -d) || exit 2
export TAP_DIR
trap 'rm -rf "$TAP_DIR"' EXIT
trap 'trap "" INT TERM HUP; exit 130' INT TERM HUP

set -- "${1:-all}" tests/*.t
if [ "$1" = all ]; then
	set -- "$@" tests/docs.sh tests/deps-down.sh tests/readme.sh \
	    tests/size.sh \
	    tests/sys-*.sh
fi
shift

# What a test gives back to the kernel it is given again, cleared, at once:
# that was half of the time of some.  (Of glibc; others don't look at it.)
MALLOC_TRIM_THRESHOLD_=1000000000 MALLOC_MMAP_THRESHOLD_=1000000000
MALLOC_TOP_PAD_=4000000
# And ASan shall not keep the stack of each piece of memory, nor half a
# gigabyte of what was freed.
[ -z "${SANITIZED:-}" ] ||
    ASAN_OPTIONS=${ASAN_OPTIONS:-malloc_context_size=5:quarantine_size_mb=8}
export ASAN_OPTIONS
export MALLOC_TRIM_THRESHOLD_ MALLOC_MMAP_THRESHOLD_ MALLOC_TOP_PAD_

prove -j "${JOBS:-2}" --timer --exec 'sh tests/tap-run.sh' "$@"
status=$?

# What failed says why; prove(1) gives the number alone.
for f in "$TAP_DIR"/*.bad; do
	[ -f "$f" ] || continue
	echo "failed: $(basename "$f" .bad):"
	grep -e '^not ok ' -e '^#' "${f%.bad}.tap" | head -100 |
	    sed 's/^/    /'
done
for f in "$TAP_DIR"/*.tap; do
	# What failed, with what it said of it.
	awk -v name="$(basename "$f" .tap)" '
	/^not ok /	{ bad = 1; print "failed: " name ": " $0; next }
	/^#/		{ if (bad) print "  " $0; next }
			{ bad = 0 }' "$f"
	sed -n "s|^1\.\.0 # SKIP |skipped: $(basename "$f" .tap): |p
	    s|^ok .*# SKIP |skipped: $(basename "$f" .tap): |p" "$f"
done
cat "$TAP_DIR"/*.tap | awk -v bad="$status" '
/^not ok /		{ failed++; next }
/^ok .*# SKIP/		{ skipped++; next }
/^1\.\.0 # SKIP/	{ skipped++; next }
/^ok /			{ passed++ }
END {
	# A test that died has no line of its own.
	if (bad && !failed)
		failed = 1
	printf "%d passed, %d failed, %d skipped\n", passed, failed, skipped
}'
[ "$status" = 0 ] || exit 1
