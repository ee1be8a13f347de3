#!/bin/sh
# sys-nanobsd-upgrade.sh: a NanoBSD box with FreeBSD 13.2 and its user's edits
# gets an image with 15.1 on the other slice: what that will be is known
# before, it boots, what is merged and what is not is named, and the old image
# still boots.  And what else diskless(8) says of /conf stays so.
# shellcheck source=tests/sys.sh
. "$(dirname "$0")/sys.sh"
need_root
need_fuse
# shellcheck source=tests/nano/kit.sh
. "$TOP/tests/nano/kit.sh"
need_trees

slice 1M
CFGFS_STORE=$SLICE
"$CFG" init "$CFGFS_STORE"
make_pkg

# The rest of /conf: an archive, which is in place of a directory, a directory
# that nobody has but the template default, and a list of its own.
rest_of_conf() {
	mkdir -p "$1/conf/default/srv" "$1/conf/base/opt" "$1/opt" "$1/srv" \
	    "$1/made/opt"
	echo old > "$1/conf/base/opt/old"
	echo new > "$1/made/opt/new"
	(cd "$1/made" && find opt | cpio -o --quiet -H newc | gzip) \
	    > "$1/conf/base/opt.cpio.gz"
	rm -r "$1/made"
	echo 2048 > "$1/conf/base/opt/md_size"
	echo x > "$1/conf/default/srv/.profile"
	echo y > "$1/conf/default/srv/gone"
	echo 'gone save*' > "$1/conf/default/srv.remove"
}
OLD=$T/old
NEW=$T/new
ok "an image of FreeBSD 13.2" new_world "$OLD" 13.2
ok "with cfgfs" customize "$OLD"
rest_of_conf "$OLD"
ok "an image of FreeBSD 15.1" new_world "$NEW" 15.1
sed -i "s/^\/dev\/[^ ]*a /\/dev\/${NANO_DRIVE}s2a /" "$NEW/etc/fstab"
ok "with cfgfs" customize "$NEW"

ok "the old one boots" nano_boot "$OLD"
is "an archive goes before a directory" "$(ls "$W/opt")" new
is "with the directory's md_size" "$(stat -f -c '%b %S' "$W/opt" |
    awk '{ print $1 * $2 / 512 }')" 2048
is "what a list names is removed" "$(ls -A "$W/srv")" .profile

# ---- a user's year
echo 'hostname="box"' > "$W/etc/rc.conf"
sed -i 's/^#PermitRootLogin no/PermitRootLogin yes/' "$W/etc/ssh/sshd_config"
echo 'AllowUsers admin' >> "$W/etc/ssh/sshd_config"
echo '10.0.0.2 nas' >> "$W/etc/hosts"
sed -i '/^#ftp/s/^#//' "$W/etc/inetd.conf"
echo "/dev/${NANO_DRIVE}s4 /data ufs rw 2 2" >> "$W/etc/fstab"
chmod 640 "$W/etc/pf.os"
rm "$W/etc/ftpusers"
ok "is saved" in_box /root/save_cfg -f
snap "$W/etc" > "$T/want"

# ---- what the new image will be, before it is active
mount --bind "$NEW" "$W/mnt"
run in_box cfg verify --boot --base /mnt/conf/base/etc
is "the new image would be another" "$rc" 1
for f in ssh/sshd_config hosts; do
	like "$f: merged" "$out" "^merged $f"
done
like "a conflict is named" "$out" "^conflict inetd.conf"
printf '%s\n' "$out" | sed -n 's/^\(merged\|conflict\) /&/p' | sort \
    > "$T/told"
umount "$W/mnt"

power_off
ok "it boots" nano_boot "$NEW"
like "and says what there is to do" "$(cat "$T/console")" \
    'cfgfs: the base has changed .*: [0-9]+ merged, [1-9] in conflict'
is "that is no failure" "$(sed -n s/^tree=//p "$W/var/db/cfgfs.boot")" head
is "what was told before is what there is" \
    "$(in_box cfg resolve | sed -n 's/^\(merged\|conflict\) /&/p' | sort)" \
    "$(cat "$T/told")"
like "his lines are in the new text" "$(cat "$W/etc/ssh/sshd_config")" \
    '^AllowUsers admin'
like "which is the new one's" "$(cat "$W/etc/ssh/sshd_config")" \
    'FreeBSD.*15|UseBlacklist|UseBlocklist|PermitRootLogin yes'
is "fstab has the new root and his slice" "$(cat "$W/etc/fstab")" \
    "/dev/${NANO_DRIVE}s2a / ufs ro 1 1
# One's own below this line:
/dev/${NANO_DRIVE}s4 /data ufs rw 2 2"
is "his mode" "$(stat -c %a "$W/etc/pf.os")" 640
ok "what is in conflict is his" grep -q '^ftp' "$W/etc/inetd.conf"
ok "what he removed stays so" [ ! -e "$W/etc/ftpusers" ]

# ---- back, as nothing was committed
power_off
ok "the old image boots again" nano_boot "$OLD"
is "with just what it had" "$(snap "$W/etc")" "$(cat "$T/want")"
power_off

ok "and the new one" nano_boot "$NEW"
ok "the conflict is settled" in_box cfg resolve --theirs inetd.conf
for f in $(in_box cfg resolve | sed -n 's/^conflict \([^	]*\).*/\1/p'); do
	ok "$f is settled" in_box cfg resolve --mine "$f"
done
ok "and all of it saved" in_box /root/save_cfg
is "nothing is left to do" "$(in_box cfg resolve)" "nothing to resolve"
snap "$W/etc" | grep -v cfg.merge > "$T/want"
power_off
ok "the next boot" nano_boot "$NEW"
is "is that" "$(snap "$W/etc")" "$(cat "$T/want")"
is "and is silent" "$(cat "$T/console")" ""
power_off
done_testing
