#!/bin/sh
# sys-nanobsd.sh: cust_cfgfs makes of a NanoBSD image one that keeps /etc on
# a raw slice.
# shellcheck source=tests/sys.sh
. "$(dirname "$0")/sys.sh"
need_root
# shellcheck source=tests/nano/kit.sh
. "$TOP/tests/nano/kit.sh"
need_trees

NANO_DRIVE=ada0
NANO_SLICE_CFG=s3
SLICE=/dev/ada0s3
make_pkg

# ---- the image
A=$T/a
ok "an image of FreeBSD 15.1" new_world "$A" 15.1
between() {
	cp -a "$A/etc/defaults/rc.conf" "$T/first.rc"
	mkdir -p "$A/conf/default/etc/local"
	echo 'welcome' > "$A/conf/default/etc/motd"
	echo 'snmpd.* devd/uath.conf' > "$A/conf/default/etc.remove"
}
export CFGFS_FACTOR=4
run customize "$A"
is "cust_cfgfs" "$rc" 0
like "raises md_size" "$out" \
    'base/etc/md_size: 10240 sectors are too few, [12][0-9]{4} it is'
like "says that libfuse3 is not there" "$out" 'WARNING: no libfuse3'
like "and fusefs.ko" "$out" 'WARNING: no fusefs.ko'
image_is() { [ "$(cat "$A/$1")" = "$2" ]; }
ok "there is no remount" [ ! -e "$A/conf/default/etc/remount" ]
ok "but a hook" cmp "$TOP/boot/nanobsd/extract" \
    "$A/conf/default/etc/extract"
ok "its settings" image_is conf/cfgfs.conf "store=$SLICE
base=/conf/base/etc"
ok "a cfg in /sbin" [ -x "$A/sbin/cfg" ]
ok "by which the others are found" [ "$A/sbin/cfg-more" -ef \
    "$A/usr/local/sbin/cfg-more" ]
ok "rc.d scripts" [ -x "$A/conf/base/etc/rc.d/cfgfs" ]
ok "that are turned on" grep -q '^cfgfs_enable="YES"' \
    "$A/conf/base/etc/defaults/rc.conf"
ok "fstab has no /cfg" image_is conf/base/etc/fstab \
    "/dev/${NANO_DRIVE}s1a / ufs ro 1 1
# One's own below this line:"
ok "what is linked stays so" [ "$A/etc/fstab" -ef "$A/conf/base/etc/fstab" ]
ok "so in rc.conf" [ "$A/etc/defaults/rc.conf" -ef \
    "$A/conf/base/etc/defaults/rc.conf" ]
is "rc.conf is read-only as it was" \
    "$(stat -c %a "$A/etc/defaults/rc.conf")" 444
ok "the template default is in the base" image_is conf/base/etc/motd welcome
ok "and no more in its own" [ ! -e "$A/conf/default/etc/motd" ]
ok "what it removes is not" [ ! -e "$A/conf/base/etc/snmpd.config" ]
ok "nor listed" [ ! -e "$A/conf/default/etc.remove" ]
ok "a pattern is one" [ ! -e "$A/conf/base/etc/devd/uath.conf" ]
ok "commits have a log of their own" grep -q /var/log/cfgfs.log \
    "$A/conf/base/etc/syslog.d/cfgfs.conf"
ok "that is rotated" grep -q ^/var/log/cfgfs.log \
    "$A/conf/base/etc/newsyslog.conf.d/cfgfs.conf"
var=$(cat "$A/conf/base/var/md_size") md=$(cat "$A/conf/base/etc/md_size")
ok "/var has room for a tree" [ "$var" -ge $((10240 + md)) ]

snap "$A" > "$T/once"
again() { (cust_cfgfs) > "$T/again" 2>&1; }
NANO_WORLDDIR=$A
ok "a second time" again
is "changes nothing" "$(snap "$A")" "$(cat "$T/once")"
small() { (CFGFS_MD_SIZE=1000 && cust_cfgfs); }
run small
is "a RAM disk that /etc does not fit in is refused" "$rc" 2
like "with what it needs" "$err" "CFGFS_MD_SIZE=1000: .* needs [0-9]{4} sec"
own() { (CFGFS_MD_SIZE=20480 && cust_cfgfs); }
ok "one that it fits in is not" own
ok "and is that of the image" image_is conf/base/etc/md_size 20480
refused() {
	refused_re=$1
	shift
	run "$@"
	is "refused: $refused_re" "$rc" 2
	like "with that word" "$err" "$refused_re"
}
label() { (CFGFS_STORE='' && NANO_LABEL=box && cust_cfgfs); }
refused "NANO_LABEL.*set CFGFS_STORE" label
nowhere() { (CFGFS_STORE=store && cust_cfgfs); }
refused "CFGFS_STORE=store: neither a device" nowhere
no_pkg() { (CFGFS_PKG=$T/none && cust_cfgfs); }
refused "CFGFS_PKG=.*: no usr/local/sbin/cfgfs" no_pkg
no_static() { (rm "$A/sbin/cfg" && CFGFS_STATIC=$T/none && cust_cfgfs); }
refused "CFGFS_STATIC=.*not there" no_static
rm "$A/conf/base/etc/md_size"
rm -r "$A/root" "$A/usr/local/libexec"
unprivileged() { (NANO_METALOG=$T/metalog && cust_cfgfs); }
ok "all of it anew, in a build without privileges" unprivileged
while read -r line; do
	ok "it notes $line" grep -qFx -e "$line" "$T/metalog"
done <<'X'
./root uname=root gname=wheel type=dir mode=0755
./root/save_cfg uname=root gname=wheel type=file mode=0555
./usr/local/libexec/cfgfs uname=root gname=wheel type=dir mode=0755
./conf/default/etc/extract uname=root gname=wheel type=file mode=0555
./sbin/cfg-more uname=root gname=wheel type=link mode=0755 link=../usr/local/sbin/cfg-more
X
in_etc() {
	cp "$A/etc/newsyslog.conf" "$T/keep"
	echo '/etc/mine.log 644 3 100 * J' >> "$A/etc/newsyslog.conf"
	(cust_cfgfs)
	cat "$T/keep" > "$A/etc/newsyslog.conf"
}
run in_etc
like "a log in /etc is named" "$out" 'log in /etc.*newsyslog.conf: /etc/mine'

done_testing
