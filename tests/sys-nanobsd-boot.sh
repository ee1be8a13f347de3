#!/bin/sh
# sys-nanobsd-boot.sh: a NanoBSD box with its store on a raw slice boots, in
# whatever state that is, and save_cfg and the others do what who knows them
# expects.
# shellcheck source=tests/sys.sh
. "$(dirname "$0")/sys.sh"
need_root
need_fuse
# shellcheck source=tests/nano/kit.sh
. "$TOP/tests/nano/kit.sh"
need_trees

slice 1M
A=$T/a
make_pkg
new_world "$A" 15.1
ok "an image with cfgfs" customize "$A"

# ---- the store of the disk image
mkdir -p "$T/cfgdir/ssh" "$T/point"
echo 'hostname="nano"' > "$T/cfgdir/rc.conf"
populate() { CFGFS_HOST=$CFG populate_cfg_slice "$@"; }
ok "the slice gets a store with what NANO_CFGDIR has" populate "$SLICE" \
    "$T/cfgdir" "$T/point" s3
like "as generation 1" "$("$CFG" -s "$SLICE" log)" '^@1 .*import of '

# ---- it boots
note() { sed -n 's/^tree=//p' "$W/var/db/cfgfs.boot"; }
status() { in_box cfg status -q; }
status_is() {
	run in_box cfg status
	like "status: $1" "$out" "$1"
}
CFGFS_STORE=$SLICE
ok "the image boots" nano_boot "$A"
diag "$(cat "$T/console")"
is "from the store" "$(note)" head
is "on a RAM disk of md_size" "$(stat -f -c '%b %S' "$W/etc" |
    awk '{ print $1 * $2 / 512 }')" "$(cat "$A/conf/base/etc/md_size")"
is "with what was in NANO_CFGDIR" "$(cat "$W/etc/rc.conf")" 'hostname="nano"'
status_is "nothing pending since generation 1"
ok "nothing is left of the hook" [ ! -e "$W/etc/extract" ]

# ---- who knows NanoBSD's
save() { in_box /root/save_cfg "$@"; }
run save
is "save_cfg with nothing to do is silent" "$rc:$out:$err" "0::"
echo 'sshd_enable="YES"' >> "$W/etc/rc.conf"
rm "$W/etc/ntp.conf"
mkdir "$W/etc/mine"
chmod 600 "$W/etc/hosts"
ln -s hosts "$W/etc/a name"
run save
is "save_cfg asks nothing" "$rc" 0
is "and says what it saves" "$(printf '%s\n' "$out" | grep -c '^[AMDm] ')" 5
like "and as what" "$out" '^generation 2: 5 paths, [0-9]+ bytes$'
echo 1 > "$W/etc/one"
echo 2 > "$W/etc/two"
ok "save_cfg of one file" save one
status_is '^A two'
not_ok "what is not saved is pending" status
ok "by its full name" save /etc/two
ok "then it is not" status
run save none
is "a file that is as it was: nothing to do" "$rc:$out:$err" "0::"
run save -x
is "an option that it has not: usage" "$rc" 64
cat > "$T/passwd" <<'X'
#!/bin/sh
[ "$*" = root ] || exit 1
sed 's/^root:[^:]*/root:new/' /etc/master.passwd > /etc/pw.1 &&
    mv /etc/pw.1 /etc/master.passwd
X
chmod 755 "$T/passwd"
mount --bind "$T/passwd" "$W/usr/bin/passwd"
ok "change_password" in_box /root/change_password
umount "$W/usr/bin/passwd"
like "is what was committed" "$(in_box cfg log -n 1 --stat)" master.passwd
run in_box /root/save_sshkeys
is "save_sshkeys without keys" "$rc:$err" \
    "2:save_sshkeys: no host keys in /etc/ssh"
for k in rsa_key rsa_key.pub ed25519_key; do
	echo $k > "$W/etc/ssh/ssh_host_$k"
done
echo later > "$W/etc/later"
ok "save_sshkeys" in_box /root/save_sshkeys
status_is '^1 pending since generation 6'
ok "all else" save
snap "$W/etc" > "$T/want"

power_off
ok "a power cut, and it boots" nano_boot "$A"
is "with all of that" "$(snap "$W/etc")" "$(cat "$T/want")"
ok "nothing is pending" status
ok "and the next boot will give the same" in_box cfg verify --boot

# ---- what may happen to a slice
power_off
cp "$T/slice" "$T/good"
damaged() {
	like "a boot: $1" "$(cat "$T/console")" "$2"
	is "it is the image's own /etc" \
	    "$(cd "$W" && diff -r -x .cfg.older conf/base/etc etc 2>&1)" ""
	run save
	is "which save_cfg does not save" "$rc" 2
	power_off
}
dd if=/dev/urandom of="$T/slice" bs=64k count=16 conv=notrunc 2> /dev/null
ok "a store of noise: it boots" nano_boot "$A"
like "and says so in its note" "$(note)" base
damaged "noise" "cfgfs: THIS IS NOT WHAT WAS COMMITTED LAST"
dd if=/dev/zero of="$T/slice" bs=64k count=16 conv=notrunc 2> /dev/null
ok "an empty slice: it boots" nano_boot "$A"
damaged "nothing there" "cfgfs: $SLICE: not a cfgfs store"
dd if="$T/good" of="$T/slice" bs=64k conv=notrunc 2> /dev/null
dd if=/dev/urandom of="$T/slice" bs=4k count=1 conv=notrunc 2> /dev/null
ok "its first block lost: it boots" nano_boot "$A"
is "with all of it" "$(snap "$W/etc")" "$(cat "$T/want")"
is "and with a word" "$(note)" older
power_off
dd if="$T/good" of="$T/slice" bs=64k conv=notrunc 2> /dev/null
printf '#!/bin/sh\n[ "$*" = "-q cfgfs" ] && echo off\n' > "$A/bin/kenv"
chmod 755 "$A/bin/kenv"
ok "cfgfs=off at the loader: it boots" nano_boot "$A"
damaged "off" "cfgfs: off: the image's own /etc"
rm "$A/bin/kenv"
mv "$A/sbin/cfg" "$A/sbin/cfg.1"
mv "$A/usr/local/sbin/cfg" "$A/usr/local/sbin/cfg.1"
mv "$A/usr/local/sbin/cfgfs" "$A/usr/local/sbin/cfgfs.1"
ok "no cfg: it boots" nano_boot "$A"
like "and says so" "$(cat "$T/console")" "cfgfs: no /sbin/cfg"
power_off
mv "$A/sbin/cfg.1" "$A/sbin/cfg"
mv "$A/usr/local/sbin/cfg.1" "$A/usr/local/sbin/cfg"
mv "$A/usr/local/sbin/cfgfs.1" "$A/usr/local/sbin/cfgfs"
mv "$A/conf/cfgfs.conf" "$T/conf"
ok "no settings: it boots" nano_boot "$A"
like "and says so" "$(cat "$T/console")" "cfgfs: no store= in /conf/cfgfs.c"
power_off
cp "$T/conf" "$A/conf/cfgfs.conf"

# ---- a RAM disk that is full half way
ok "a boot" nano_boot "$A"
for i in 1 2 3 4 5 6; do
	seq 20000 > "$W/etc/big$i"
done
ok "much is saved" save
power_off
cp "$A/conf/base/etc/md_size" "$T/md"
tree=$(du -s --apparent-size -B 512 "$A/conf/base/etc" | cut -f 1)
echo $((tree * 115 / 100 + 400)) > "$A/conf/base/etc/md_size"
ok "a RAM disk too small for it: it boots" nano_boot "$A"
diag "$(cat "$T/console")"
like "it says so" "$(cat "$T/console")" "cfgfs: that failed half way"
damaged "too small" "No space left"
cp "$T/md" "$A/conf/base/etc/md_size"
ok "with room, it boots" nano_boot "$A"
ok "and all is there" [ -s "$W/etc/big6" ]
is "from the store" "$(note)" head
power_off
done_testing
