#!/bin/sh
# sys-apk.sh: the package for Alpine: its APKBUILD is read and run by ash as
# abuild(1) does it, with small stand-ins for abuild's own functions; what each
# package has then, and what abuild and apkbuild-lint would say to the file.
# shellcheck source=tests/sys.sh
. "$(dirname "$0")/sys.sh"

command -v busybox > /dev/null || skip_all "no busybox"
[ -x "$TOP/tools/cfg-mirror" ] || skip_all "no cfg-mirror"
dir=$TOP/boot/alpine
apk=$dir/APKBUILD

# ---- the file
is "APKBUILD, and no others" "$(ls "$dir")" APKBUILD
ok "ash can read it" busybox ash -n "$apk"
if command -v shellcheck > /dev/null; then
	# abuild sets some variables, and reads others; words are split.
	ok "shellcheck is content" shellcheck -s dash \
	    -e SC2034,SC2154,SC2086 "$apk"
fi
is "its lines fit" "$(awk '{ gsub(/\t/, "        ") } length > 80' "$apk")" ""
is "no line ends with a blank" "$(grep -n '[[:blank:]]$' "$apk")" ""
is "tabs indent" "$(grep -n '^ ' "$apk")" ""
is "text is ASCII" "$(LC_ALL=C grep -n '[^ -~	]' "$apk")" ""
like "there is one maintainer, with an address" \
    "$(sed -n 's/^# Maintainer: //p' "$apk" | tr '\n' '|')" \
    '^[^"<>|]+ <[^ <>|]+@[^ <>|]+>\|$'
# shellcheck disable=SC2016
is "nothing is done that abuild does" \
    "$(grep -nE 'cd "?\$(builddir|pkgdir)|\|\| return 1|default_prepare$' \
	"$apk")" ""
# shellcheck disable=SC2016
is "its address is plain text" \
    "$(grep -nE '^(url|source)=.*\$\{?pkgname' "$apk")" ""

# ---- abuild, as far as it is needed
mkdir "$T/src" "$T/pkg"
cat > "$T/abuild" <<'E'
set -e
pkgbasedir=$T/pkg
srcdir=$T/src
CFLAGS='-Os -fstack-clash-protection'
LDFLAGS=-Wl,--as-needed
export CFLAGS LDFLAGS

# Each path goes into the subpackage, and folders that are empty then go.
amove() {
	local f ret=0
	for f; do
		if [ ! -e "$pkgdir/$f" ] && [ ! -L "$pkgdir/$f" ]; then
			ret=1
			continue
		fi
		mkdir -p "$subpkgdir/$(dirname "$f")"
		mv "$pkgdir/$f" "$subpkgdir/$f"
		(cd "$pkgdir" && rmdir -p "$(dirname "$f")" 2> /dev/null) || :
	done
	return $ret
}

doc() {
	local f
	depends= pkgdesc="$pkgdesc (documentation)"
	for f in doc man licenses; do
		amove usr/share/$f || :
	done
	find "$subpkgdir/usr/share/man" -type f | while read -r f; do
		gzip -n "$f"
	done
	find "$subpkgdir/usr/share/man" -type l | while read -r f; do
		ln -s "$(readlink "$f").gz" "$f.gz"
		rm "$f"
	done
}
openrc() {
	depends=$depends_openrc
	amove etc/conf.d etc/init.d || :
}
bashcomp() { depends=''; amove usr/share/bash-completion/completions; }
zshcomp() { depends=''; amove usr/share/zsh/site-functions; }
fishcomp() { depends=''; amove usr/share/fish/vendor_completions.d; }

# This tree may be for another prefix, and nothing is built here but by DRY.
make() { command make -s $DRY PREFIX=/usr "$@"; }

. "$APKBUILD"
pkgdir=$pkgbasedir/$pkgname
builddir=${builddir:-$srcdir/$pkgname-$pkgver}
case $1 in
split)
	subpkgname=$2
	subpkgdir=$pkgbasedir/$2
	cd "$pkgdir"
	$3
	echo "depends=$depends"
	echo "pkgdesc=$pkgdesc" ;;
value)
	eval "echo \$$2" ;;
does)
	type "$2" | grep -q function ;;
*)
	cd "$builddir"
	"$1" ;;
esac
E
APKBUILD=$apk DRY=''
export APKBUILD DRY
abuild() { busybox ash "$T/abuild" "$@"; }
value() { abuild value "$1"; }

# ---- what it says of itself
for v in pkgname pkgver pkgrel pkgdesc url arch license source makedepends \
    subpackages; do
	like "$v is there" "$(value $v)" '[^ ]'
done
for f in build check package mirror; do
	ok "there is a function $f" abuild does $f
done
ver=$(value pkgver)
is "the version is the program's" "$ver" "$("$CFGFS" -V | sed 's/^cfgfs //')"
like "the licence is the one that is there" "$(head -1 "$TOP/LICENSE")" \
    '^BSD 2-Clause'
is "and is named as SPDX has it" "$(value license)" BSD-2-Clause
desc=$(value pkgdesc)
ok "pkgdesc is at most 128 characters" [ "${#desc}" -le 128 ]
port=$TOP/boot/freebsd/port/Makefile
is "it is that of the port" "$desc" \
    "$(sed -n 's/^COMMENT=	*//p' "$port")"
is "so is its address" "$(value url)" "$(sed -n 's/^WWW=	*//p' "$port")"
is "and that of its source" "$(value source)" \
    "$(sed -n 's/^MASTER_SITES=	*//p' "$port")cfgfs-$ver.tar.gz"
words() { value "$1" | tr ' ' '\n'; }
ok "what building needs is sorted" eval 'words makedepends | sort -c -u'
# The libraries that `make deps' installs on Alpine, and what that has fixed.
is "and is what deps.sh has" "$(words makedepends)" "$(
    { awk 'NF == 4 && (/^:/ || $1 == "pkg-config") { print $4 }' \
	"$TOP/tests/deps.sh"
    grep -o linux-headers "$TOP/tests/deps.sh"; } | sort -u)"

# ---- build, of a copy, as far as make would say what it does
mkdir "$T/src/cfgfs-$ver"
sh "$TOP/tests/copy.sh" "$T/src/cfgfs-$ver"
DRY=-n
ok "it is configured, and make knows what to build" abuild build
mk=$T/src/cfgfs-$ver/config.mk
is "for /usr" "$(sed -n 's/^PREFIX = //p' "$mk")" /usr
like "with abuild's flags" "$(sed -n 's/^OPT = //p' "$mk")" \
    '^-Os -fstack-clash-protection -ffunction'
like "those of the linker, too" "$(sed -n 's/^LDOPT = //p' "$mk")" \
    '-Wl,--as-needed -Wl,--gc-sections'
is "the daemon has its own" "$(sed -n 's/^OPT_fs = //p' "$mk")" -O2
for p in fs/cfgfs tools/cfg tools/cfg-more tools/cfg-mirror hist/cfg-hist; do
	like "$p is built" "$out" "-o $p "
done
mkdir "$T/bin"
printf '#!/bin/sh\necho "$@" > "%s"\n' "$T/proved" > "$T/bin/prove"
chmod 755 "$T/bin/prove"
PATH=$T/bin:$PATH
ok "make knows the tests" abuild check
is "they are those of Debian's package" "$(cat "$T/proved")" "$(
    sed -n '/^UNITS = /,/[^\\]$/p' "$TOP/boot/debian/rules" |
	sed 's/^UNITS = //; s/\\$//' | tr -s ' \n' ' ' | sed 's/ $//')"

# ---- package, of what is built in this tree
DRY=''
rm -r "$T/src/cfgfs-$ver"
ln -s "$TOP" "$T/src/cfgfs-$ver"
ok "it is installed" abuild package
all=$T/pkg/cfgfs
staged() { (cd "$1" && find . ! -type d | sed 's|^\./||' | sort); }
staged "$all" | sed '/^usr\/share\/man\//s/$/.gz/' > "$T/all"
is "nothing is in /usr/local, /sbin or /bin" \
    "$(grep -E '^(usr/local|s?bin|lib)/' "$T/all")" ""
is "no file is for its owner alone" "$(find "$all" ! -perm -444 ! -type l)" ""

# ---- the packages
for s in $(value subpackages); do
	name=${s%%:*}
	how=${s#*:}
	case $s in
	*:*)			;;
	*-bash-completion)	how=bashcomp ;;
	*-zsh-completion)	how=zshcomp ;;
	*-fish-completion)	how=fishcomp ;;
	*)			how=${s##*-} ;;
	esac
	ok "$name is split off" abuild split "$name" "$how"
	printf '%s\n' "$out" > "$T/$name"
done
# has PACKAGE: whether it has the files of standard input, and no others.
has() { is "$1 has what it should" "$(staged "$T/pkg/$1")" "$(cat)"; }
has cfgfs <<'L'
usr/libexec/cfgfs/cfgfs-boot
usr/libexec/cfgfs/cfgfs-login
usr/libexec/cfgfs/cfgfs-shutdown
usr/sbin/cfg
usr/sbin/cfg-hist
usr/sbin/cfg-more
usr/sbin/cfgfs
usr/sbin/mount.fuse.cfgfs
L
has cfgfs-mirror <<'L'
usr/sbin/cfg-mirror
L
has cfgfs-doc <<'L'
usr/share/doc/cfgfs/README.linux.md
usr/share/doc/cfgfs/README.md
usr/share/doc/cfgfs/default
usr/share/doc/cfgfs/fstab
usr/share/licenses/cfgfs/LICENSE
usr/share/man/man5/cfgconfig.5.gz
usr/share/man/man5/cfgjournal.5.gz
usr/share/man/man5/cfgseal.5.gz
usr/share/man/man5/cfgstore.5.gz
usr/share/man/man8/cfg-hist.8.gz
usr/share/man/man8/cfg-mirror.8.gz
usr/share/man/man8/cfg-more.8.gz
usr/share/man/man8/cfg.8.gz
usr/share/man/man8/cfgfs.8.gz
usr/share/man/man8/mount.fuse.cfgfs.8.gz
L
has cfgfs-openrc <<'L'
etc/init.d/cfgfs
etc/init.d/cfgfs-restore
etc/init.d/cfgfs-shutdown
L
has cfgfs-bash-completion <<'L'
usr/share/bash-completion/completions/cfg
usr/share/bash-completion/completions/cfgfs
L
has cfgfs-zsh-completion <<'L'
usr/share/zsh/site-functions/_cfg
L
has cfgfs-fish-completion <<'L'
usr/share/fish/vendor_completions.d/cfg.fish
usr/share/fish/vendor_completions.d/cfgfs.fish
L
for p in "$T"/pkg/*; do
	staged "$p"
done | sort > "$T/split"
is "no file is in two of them" "$(uniq -d "$T/split")" ""
is "and none is left out" "$(cat "$T/split")" "$(cat "$T/all")"
is "no package has an empty folder" "$(find "$T/pkg" -type d -empty)" ""
is "no link leads out of its package" "$(find "$T/pkg" -type l \
    ! -exec test -e {} \; -print)" ""
is "cfg-mirror is in cfgfs-mirror alone" "$(cd "$T/pkg" &&
    find . -path '*bin/cfg-mirror')" ./cfgfs-mirror/usr/sbin/cfg-mirror
is "which needs the very cfgfs that it was built with" \
    "$(sed -n 's/^depends=//p' "$T/cfgfs-mirror")" \
    "cfgfs=$ver-r$(value pkgrel)"
not_ok "and says of itself what it is" grep -Fx "pkgdesc=$desc" \
    "$T/cfgfs-mirror"
is "programs can be run" "$(find "$T/pkg" -type f -path '*/usr/*bin/*' \
    ! -perm -111; find "$T/pkg" -type f -path '*/libexec/*' ! -perm -111)" ""

# ---- what OpenRC starts
for s in "$T"/pkg/cfgfs-openrc/etc/init.d/*; do
	n=${s##*/}
	ok "$n can be run" [ -x "$s" ]
	is "$n is OpenRC's" "$(head -1 "$s")" '#!/sbin/openrc-run'
	is "$n names nothing of /usr/local" "$(grep -n usr/local "$s")" ""
	grep -o '/usr/[a-z/-]*' "$s" > "$T/calls"
	is "what $n calls is in cfgfs" "$(while read -r f; do
		[ -x "$all$f" ] && echo there
	done < "$T/calls" | uniq)" there
done
done_testing
