#!/bin/sh
# deps-down.sh: dependencies go down only, hist to tools to sync to lib, and
# fs to lib alone; each foreign library has one place.  TAP.
set -u

cd "$(dirname "$0")/.." || exit 2
n=0
bad=0

# ok PROMISE WHAT...: passes where there is nothing to complain about.
ok() {
	n=$((n + 1))
	if [ -z "$2" ]; then
		echo "ok $n - $1"
	else
		bad=$((bad + 1))
		echo "not ok $n - $1"
		printf '%s\n' "$2" | sed 's/^/# /'
	fi
}

# Where the sources of a folder include what they may not.
# includes FOLDER REGEX: "file: header" for each that matches.
includes() {
	find "$1" -name '*.[ch]' ! -path '*/bench/*' -exec awk -v re="$2" '
	    /^[ \t]*#[ \t]*include[ \t]/ {
		h = $0
		sub(/^[ \t]*#[ \t]*include[ \t]*/, "", h)
		sub(/[>"][^>"]*$/, "", h)
		# A system header keeps its "<", one of ours its folder.
		if (h ~ /^"/) {
			h = substr(h, 2)
			dir = FILENAME
			sub(/\/[^\/]*$/, "", dir)
			if (h ~ /^\.\.\//)
				sub(/^\.\.\//, "", h)
			else if (h !~ /\//)
				h = dir "/" h
		}
		if (h ~ re)
			print FILENAME ": " h
	    }' {} +
}

# A header of ours that is in none of these folders.
not_in() {
	includes "$1" '^[^<]' | awk -v ok="$2" '
	    $2 != "config.h" && $2 !~ "^(" ok ")/"'
}

ok "lib includes only lib" "$(not_in lib lib)"
ok "sync includes only sync and lib" "$(not_in sync 'sync|lib')"
ok "fs includes only fs and lib" "$(not_in fs 'fs|lib')"
ok "hist includes only hist, tools, sync and lib" \
    "$(not_in hist 'hist|tools|sync|lib')"
ok "tools include only tools, sync and lib" \
    "$(not_in tools 'tools|sync|lib')"

zlib=$(includes . '^<(zlib|zconf)[.]h' | sed 's|^\./||')
ok "zlib is in one file, and that is in sync" \
    "$(printf '%s\n' "$zlib" | awk 'NF && ($1 !~ "^sync/" || NR > 1)')"
ok "FUSE is in fs and hist alone" \
    "$(includes . '^<.*fuse' | grep -v -e '^\./fs/' -e '^\./hist/' |
    grep -v linux/fuse)"
ok "libmd is in one file of lib" \
    "$(includes . '^<(sha[0-9]*|md[0-9])[.]h' | grep -v '^\./lib/hash\.c:')"
ok "SSH is nowhere but in sync" \
    "$(includes . '^<(libssh|openssl)' | grep -v '^\./sync/')"
ok "Linux's own headers are in files of Linux's own" \
    "$(includes . '^<(linux/|sys/(xattr|vfs|sysmacros|epoll|inotify)[.]h)' |
    grep -v -e '/osdep-linux[-a-z]*\.c:' -e '^\./lib/osdep\.h:' \
    -e '^\./tests/')"
ok "/proc is named in files of Linux's own" \
    "$(grep -n '"/proc' lib/*.c fs/*.c sync/*.c tools/*.c hist/*.c \
    2>/dev/null |
    grep -v '/osdep-linux[-a-z]*\.c:')"
ok "no file is longer than 600 lines" \
    "$(find lib fs sync tools hist tests -name '*.[ch]' -exec wc -l {} + |
    awk '$1 > 600 && $2 != "total"')"

# What a built program needs of others, and what it has itself.
if [ -x fs/cfgfs ]; then
	syms=$(nm fs/cfgfs && nm -D fs/cfgfs)
	ok "cfgfs has symbols to be looked at" \
	    "$(printf '%s\n' "$syms" | grep -q ' T main$' || echo none)"
	ok "no store, zlib, SSH or libmd in cfgfs" \
	    "$(printf '%s\n' "$syms" | awk '{ print $NF }' |
	    grep -E -e '^(store|slice|commit|pers|pend)_' \
	    -e '^(deflate|inflate|compress|uncompress|zlib|crc32(_|$)|adler32)' \
	    -e '^(ssh|libssh|sftp|SSL|EVP)' -e '^(SHA|MD)[0-9]' -e '^hash_')"
	# These look a name up below /etc, which is cfgfs itself.
	ok "no look-up of users, hosts, zones or locales in cfgfs" \
	    "$(nm -D fs/cfgfs | awk '$(NF-1) == "U" { print $NF }' |
	    grep -E -e '^(get(pw|gr)(nam|uid|gid|ent)(_r)?|getgrouplist)(@|$)' \
	    -e '^(getaddrinfo|gethostby|getnameinfo|getservby)' \
	    -e '^(localtime|mktime|tzset|strftime|setlocale)')"
else
	n=$((n + 1))
	if [ -n "${CI:-}" ]; then
		bad=$((bad + 1))
		echo "not ok $n - fs/cfgfs is built"
	else
		echo "ok $n # SKIP fs/cfgfs is not built"
	fi
fi

echo "1..$n"
[ "$bad" = 0 ]
