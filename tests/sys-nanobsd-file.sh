#!/bin/sh
# sys-nanobsd-file.sh: a box with NanoBSD's own /cfg gets an image with cfgfs,
# whose store is a file on that slice: it boots with what it had, is taken
# over, and can go back, without loss.
# shellcheck source=tests/sys.sh
. "$(dirname "$0")/sys.sh"
need_root
need_fuse
# shellcheck source=tests/nano/kit.sh
. "$TOP/tests/nano/kit.sh"
need_trees

slice 4M
mke2fs -q -F -t ext2 -b 1024 "$SLICE" || exit 2
CFGFS_STORE=/cfg/etc.store
CFG_POINT=$T/point
mkdir "$CFG_POINT"
on_slice() { mount "$SLICE" "$CFG_POINT" && (cd "$CFG_POINT" && "$@") &&
    umount "$CFG_POINT"; }
is_unmounted() { ! grep -q " $W/cfg " /proc/self/mountinfo; }

# ---- as it was: what save_cfg has saved
plain() {
	mkdir -p ssh .ignore/local 'with blank'
	printf 'hostname="old"\nifconfig_em0="DHCP"\n' > rc.conf
	sed 's/^root::/root:secret:/' "$S/etc/master.passwd" > master.passwd
	echo 'Port 2222' > ssh/sshd_config
	echo key > ssh/ssh_host_rsa_key
	chmod 600 master.passwd ssh/ssh_host_rsa_key ssh/sshd_config
	echo x > 'with blank/a file'
	echo db > pwd.db
	ln -s rc.conf rc.link
	: > .ignore/motd
	: > '.ignore/local/odd [x]*'
	chown 3:4 rc.conf
}
S=$T/stock
ok "an image of FreeBSD 15.1" new_world "$S" 15.1
cp -a "$S" "$T/a"
setup_nanobsd "$S"
on_slice plain
ok "boots with NanoBSD's own means" nano_boot "$S"
is "and its /cfg" "$(cat "$W/etc/ssh/sshd_config")" "Port 2222"
# Without what the two images, or their ways to boot, differ in.
tree_of() {
	rm -rf "$T/tree"
	cp -a "$1" "$T/tree"
	(cd "$T/tree" && rm -rf .ignore lost+found fstab pwd.db cfgfs \
	    defaults/rc.conf rc.d syslog.d newsyslog.conf.d/cfgfs.conf)
	snap "$T/tree"
}
tree_of "$W/etc" > "$T/want"
power_off

# ---- the new image, the old slice
A=$T/a
make_pkg
ok "an image with cfgfs" customize "$A"
like "its fstab has /cfg" "$(cat "$A/conf/base/etc/fstab")" \
    "^$SLICE /cfg ext2 rw,noauto 2 2$"
ok "boots" nano_boot "$A"
like "it says that there is a plain /cfg" "$(cat "$T/console")" \
    '^cfgfs: files of a plain /cfg are in place'
is "and has it" "$(tree_of "$W/etc")" "$(cat "$T/want")"
ok "nothing is mounted" is_unmounted
run in_box /root/save_cfg
is "nothing can be saved yet" "$rc" 2
ok "it is taken over" in_box /root/take_over_cfg
like "as generation 1" "$out" '^generation 1: '
ok "nothing is mounted" is_unmounted
ok "nothing is pending" in_box cfg status -q
ok "it is not made twice" test "$(in_box /root/take_over_cfg 2>&1)" = \
    "take_over_cfg: /cfg/etc.store: is a store already"
is "what was ignored still is" "$(in_box cfg show @0:cfgfs/ignore)" \
    '/local/odd \[x\]\*
/motd'
echo 'welcome' > "$W/etc/motd"
ok "and can't be pending" in_box cfg status -q
rm "$W/etc/motd"

# ---- a commit's window
echo 'sshd_enable="YES"' >> "$W/etc/rc.conf"
run in_box /root/save_cfg
like "save_cfg tells how long the slice was writable" "$out" \
    '^generation 2: 1 path, [0-9]+ bytes in a window of [0-9]+ ms$'
ok "nothing is mounted" is_unmounted
rm "$W/etc/hosts" "$W/etc/rc.link"
rm -r "$W/etc/with blank"
rm "$W/etc/pam.d/README" "$W/etc/ppp/ppp.conf"
chmod 600 "$W/etc/services"
mkdir -m 750 "$W/etc/mine"
ln -s "../x y" "$W/etc/mine/link"
ok "deletions and all else" in_box /root/save_cfg
tree_of "$W/etc" > "$T/want"
power_off
ok "the next boot" nano_boot "$A"
is "has all of that" "$(tree_of "$W/etc")" "$(cat "$T/want")"
ok "nothing is pending" in_box cfg status -q
ok "nothing is mounted" is_unmounted

# ---- and back
ok "it is exported" in_box cfg export --base /conf/base/etc \
    --remove-list /var/tmp/etc.remove /var/tmp/plain
cp -a "$W/var/tmp/plain" "$W/var/tmp/etc.remove" "$T"
power_off
mke2fs -q -F -t ext2 -b 1024 "$SLICE"
copy_back() { cp -a "$T/plain/." .; }
on_slice copy_back
cp "$T/etc.remove" "$S/conf/default/"
ok "a stock image boots from it" nano_boot "$S"
is "with just the same" "$(tree_of "$W/etc")" "$(cat "$T/want")"
power_off
ok "and so does one with cfgfs" nano_boot "$A"
ok "it can be taken over again" in_box /root/take_over_cfg
ok "its view" test -d "$W/etc/mine"
ok "it is exported again" in_box cfg export --base /conf/base/etc \
    /var/tmp/again
is "and is what it was" "$(snap "$W/var/tmp/again")" "$(snap "$T/plain")"
power_off

# ---- a disk image
NANO_WORLDDIR=$A
populate() { populate_cfg_slice "$SLICE" "$T/plain" "$CFG_POINT" s3; }
none() { (CFGFS_HOST=/none && populate); }
run none
is "no cfg that runs here: a slice as ever" "$rc" 0
like "and a warning" "$out" 'WARNING: no cfg that runs here'
on_slice test -f rc.conf
is "with NANO_CFGDIR" "$?" 0
here() { (CFGFS_HOST=$CFG && populate); }
ok "one that does" here
ok "boots" nano_boot "$A"
is "from a store" "$(sed -n s/^tree=//p "$W/var/db/cfgfs.boot")" head
like "with NANO_CFGDIR" "$(cat "$W/etc/ssh/sshd_config")" 2222
ok "nothing is pending" in_box cfg status -q
power_off

# ---- what may happen to a slice
on_slice dd if=/dev/urandom of=etc.store bs=64k count=8 conv=notrunc \
    2> /dev/null
ok "a store of noise: it boots" nano_boot "$A"
like "without the plain files of before" "$(cat "$T/console")" \
    '^cfgfs: /cfg/etc.store: nothing to restore'
is "from the base" "$(sed -n s/^tree=//p "$W/var/db/cfgfs.boot")" base
ok "nothing is mounted" is_unmounted
power_off
dd if=/dev/urandom of="$T/slice" bs=64k count=64 conv=notrunc 2> /dev/null
ok "a file system of noise: it boots" nano_boot "$A"
is "from the base" "$(sed -n s/^tree=//p "$W/var/db/cfgfs.boot")" base
diag "$(cat "$T/console")"
power_off
done_testing
