#!/bin/sh
# Dependencies go down only: tools and fs to sync to lib, fs never to
# sync; and the daemon holds nothing that it must not.  TAP.
set -u
cd "$(dirname "$0")/.." || exit 2
n=0
bad=0

tmp=$(mktemp -d) || exit 2
trap 'rm -rf "$tmp"' EXIT
found=$tmp/found

# none PROMISE: nothing may have been found.
none() {
	n=$((n + 1))
	if [ ! -s "$found" ]; then
		echo "ok $n - $1"
	else
		bad=$((bad + 1))
		echo "not ok $n - $1"
		head -20 "$found" | sed 's/^/# /'
	fi
}

includes() { grep -E '^#[[:space:]]*include' "$@"; }

includes lib/*.[ch] | grep -E 'fs/|sync/|tools/|fuse|zlib\.h|libssh' > "$found"
none "lib includes lib alone"
includes sync/*.[ch] | grep -E 'fs/|tools/|fuse' > "$found"
none "sync includes sync and lib alone"
includes fs/*.[ch] | grep -E 'sync/|tools/|zlib\.h|libssh' > "$found"
none "fs includes fs, lib and libfuse alone"
includes tools/*.[ch] | grep -E '"(\.\./)?fs/|fuse|zlib\.h' > "$found"
none "tools includes tools, sync and lib alone"
grep -l '<zlib\.h>' lib/*.c fs/*.c sync/*.c tools/*.c | sed 1d > "$found"
none "zlib is used in one file"

# What a library or program asks for, and what it has.
wants() { nm -u "$1" 2> /dev/null | awk '{ print $NF }' | sed 's/@.*//'; }
has() { nm "$1" 2> /dev/null | awk 'NF > 1 { print $NF }' | sed 's/@.*//'; }

: > "$found"
[ -n "$(has fs/cfgfs)" ] || echo "no symbols in fs/cfgfs" > "$found"
none "cfgfs is built, with its symbols"
has fs/cfgfs | grep -E '^(store|slice|blob|delta)_|flate|^adler|^libssh|^ssh' \
    > "$found"
none "no store, zlib or SSH symbol in cfgfs"
wants fs/cfgfs | grep -E \
    '^(getpw|getgr|gethost|getaddrinfo|getserv|getproto|initgroups)' \
    > "$found"
none "cfgfs looks up no user, group, host or service"
wants fs/cfgfs | grep -E \
    '^(localtime|mktime|tzset|strftime|setlocale|catopen|iconv_open)' \
    > "$found"
none "cfgfs looks up no time zone and no locale"
has tools/cfg | grep -E '^fuse_' > "$found"
none "no FUSE symbol in cfg"

# Symbols that the archives leave open may only be found below them.
below() {
	archive=$1
	shift
	wants "$archive" | sort -u > "$tmp/wants"
	for a; do
		nm "$a" 2> /dev/null | awk 'NF == 3 && $2 ~ /[TDBR]/ { print $3 }'
	done | sort -u > "$tmp/has"
	comm -12 "$tmp/wants" "$tmp/has"
}
below lib/lib.a sync/sync.a tools/tools.a > "$found"
none "lib needs nothing above it"
below sync/sync.a tools/tools.a > "$found"
none "sync needs nothing above it"

echo "1..$n"
[ "$bad" = 0 ]
