#!/bin/sh
# sys-port.sh: the port for FreeBSD: what portlint(1) would look at, as far
# as that can be told without a ports tree, and whether its packing list is
# what is installed.
# shellcheck source=tests/sys.sh
. "$(dirname "$0")/sys.sh"

port=$TOP/boot/freebsd/port
mk=$port/Makefile
cd "$port" || exit 2

# ---- the files
is "these, and no others" "$(find . -type f | sort | tr '\n' ' ')" \
    "./Makefile ./pkg-descr ./pkg-message ./pkg-plist "
is "no line ends with a blank" "$(grep -n '[[:blank:]]$' ./* | head -3)" ""
is "each file ends with a newline, and no empty line" "$(for f in *; do
	tail -c 1 "$f" | tr -d '\n'
	tail -n 1 "$f" | grep -c '^$'
done | tr -d '\n')" 0000
is "text is ASCII" "$(LC_ALL=C grep -l '[^ -~	]' ./*)" ""

# ---- the Makefile
is "its lines fit" "$(awk '{ gsub(/\t/, "        ") } length > 80' "$mk")" ""
# Each is to be seen in the order of the Porter's Handbook, chapter 15; the
# blocks are parted by one empty line.
sed -n 's/^\([A-Z_]*\)[+?]*=.*/\1/p; s/^$/-/p' "$mk" | sed '$d' > "$T/vars"
is "variables stand in their order, in their blocks" \
    "$(tr '\n' ' ' < "$T/vars")" "PORTNAME DISTVERSION CATEGORIES \
MASTER_SITES - MAINTAINER COMMENT WWW - LICENSE LICENSE_FILE - USES - \
HAS_CONFIGURE CONFIGURE_ARGS CONFIGURE_ENV MAKEFILE ALL_TARGET \
INSTALL_TARGET - OPTIONS_DEFINE OPTIONS_DEFAULT - MIRROR_DESC - \
MIRROR_LIB_DEPENDS MIRROR_CONFIGURE_OFF MIRROR_PLIST_FILES "
is "values are behind tabs, not spaces" \
    "$(grep -nE '^[A-Z_]+[+?]?=([^	]| )' "$mk")" ""
# shellcheck disable=SC2016
is "variables are in braces" "$(grep -c '\$(' "$mk")" 0
is "it ends with bsd.port.mk" "$(tail -1 "$mk")" '.include <bsd.port.mk>'
value() { sed -n "s/^$1=[	 ]*//p" "$mk"; }
comment=$(value COMMENT)
ok "COMMENT is at most 70 characters" [ "${#comment}" -le 70 ]
like "it begins with a capital, and ends without a period" "$comment" \
    '^[A-Z].*[^.]$'
# shellcheck disable=SC2016
not_ok "it begins with no article, nor with the port's name" sh -c \
    'echo "$1" | grep -qiE "^(an? |the |cfgfs)"' sh "$comment"
is "the version is the program's" "$(value DISTVERSION)" \
    "$("$CFGFS" -V | sed 's/^cfgfs //')"
like "the licence is the one that is there" "$(head -1 "$TOP/LICENSE")" \
    '^BSD 2-Clause'
is "and is named so" "$(value LICENSE)" BSD2CLAUSE
for o in $(value OPTIONS_DEFINE); do
	like "option $o is told of" "$(value "${o}_DESC")" '^.{1,60}$'
done

# ---- as make sees it
if command -v bmake > /dev/null; then
	mkdir "$T/mk"
	: > "$T/mk/sys.mk"
	cat > "$T/mk/bsd.port.mk" <<'E'
WRKSRC = /wrk
PREFIX = /usr/local
STRIP_CMD = strip
all:
	@echo ${LICENSE_FILE} ${CONFIGURE_ARGS} ${CONFIGURE_ENV}
E
	is "bmake reads it" "$(bmake -m "$T/mk" -f "$mk")" \
	    '/wrk/LICENSE --prefix=/usr/local STRIP=strip'
fi
for t in $(value ALL_TARGET) $(value INSTALL_TARGET); do
	ok "there is a target $t" grep -q "^$t:" "$TOP/$(value MAKEFILE)" \
	    "$TOP/boot/files.mk"
done
for a in $(value MIRROR_CONFIGURE_OFF); do
	like "configure knows $a" "$("$TOP/configure" --help)" "\[$a\]"
done
is "and nothing else" "$("$TOP/configure" --without-all 2>&1)" \
    "configure: --without-all: unknown option"

# ---- the words
ok "pkg-descr has 80 columns" awk 'length > 80 { exit 1 }' pkg-descr
ok "and more to say than COMMENT" [ "$(wc -l < pkg-descr)" -gt 3 ]
is "without an address, which is in WWW" "$(grep -c 'WWW:' pkg-descr)" 0
is "pkg-message has the form that pkg(8) reads" \
    "$(sed -n '1,3p' pkg-message | tr -s ' \n' ' '; tail -3 pkg-message |
    tr '\n' ' ')" '[ { type: install message: <<EOM EOM } ] '
ok "and 80 columns" awk '{ gsub(/\t/, "        ") }
    length > 80 { exit 1 }' pkg-message

# ---- what is installed
ok "pkg-plist is sorted" sort -c -u pkg-plist
ok "it is installed" make -s -C "$TOP" -f build.mk install install-freebsd \
    DESTDIR="$T/stage" PREFIX=/usr/local
# Pages are compressed by the ports' framework; the option's list has more.
{ cat pkg-plist; value MIRROR_PLIST_FILES | tr ' ' '\n'; } | sort > "$T/want"
[ -x "$TOP/tools/cfg-mirror" ] || sed -i '/cfg-mirror$/d' "$T/want"
( cd "$T/stage/usr/local" && find . ! -type d | sed 's|^\./||
    /^share\/man\//s/$/.gz/' ) | sort > "$T/have"
# Built on Linux, `make install' has these two besides.
[ "$(uname -s)" != Linux ] ||
    sed -i '/^libexec\/cfgfs\/cfgfs-boot$/d; /^sbin\/mount\.fuse\.cfgfs$/d' \
	"$T/have"
is "that is what the list has" "$(cat "$T/have")" "$(cat "$T/want")"
is "nothing is beside it" "$(cd "$T/stage" && find . ! -type d \
    ! -path './usr/local/*')" ""
is "links stay within" "$(find "$T/stage" -type l -exec readlink {} + |
    grep -c /)" 0
is "and lead somewhere" "$(find "$T/stage" -type l ! -exec test -e {} \; \
    -print)" ""
is "no program knows where it was staged" "$(grep -rl "$T/stage" \
    "$T/stage")" ""
done_testing
