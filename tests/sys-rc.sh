#!/bin/sh
# sys-rc.sh: FreeBSD's rc.d scripts, run with a stand-in for rc.subr(8) and
# real mounts; and what mount(8) runs there, called as mount(8) calls it.
# shellcheck source=tests/sys.sh
. "$(dirname "$0")/sys.sh"
need_root
need_fuse

RC_CONF=$T/rc.conf
RC_LOG=$T/rc.log
export RC_CONF RC_LOG

# ---- as `make install-freebsd' puts them
mkdir -p "$T/root/sbin" "$T/root/libexec/cfgfs"
ok "they are installed" make -s -C "$TOP" -f build.mk install-freebsd \
    PREFIX="$T/root" DESTDIR=
for p in "$CFGFS" "$CFG" "$TOP/tools/cfg-more" "$TOP/hist/cfg-hist"; do
	ln -s "$p" "$T/root/sbin/"
done
ln -s "$TOP/boot/cfgfs-shutdown" "$T/root/libexec/cfgfs/"
is "and can be run" "$(cd "$T/root/etc/rc.d" && find . -type f -perm 755 |
    sort | tr '\n' ' ')" "./cfgfs ./cfgfs_shutdown "
for s in cfgfs cfgfs_shutdown; do
	# What it reads below /etc is the test's; on the box it is /etc's.
	sed -i "s|^\. /etc/rc\.subr|. $TOP/tests/rc/rc.subr|
	    s|^image=.*|image=$T/conf|
	    s|/var/run|/run|" "$T/root/etc/rc.d/$s"
done
RC_PATH=$TOP/tests/rc/bin:$T/root/sbin:$PATH
rc_d() {
	rc_script=$T/root/etc/rc.d/$1
	shift
	PATH=$RC_PATH timeout -k 5 "$LIMIT" "${RC_SH:-dash}" "$rc_script" "$@"
}
conf() { printf '%s\n' "$@" > "$RC_CONF"; }
type_of() {
	"$TOP/tests/rc/bin/mount" -p | awk -v d="$1" '$2 == d { t = $3 }
	    END { print t }'
}
mounts() { awk -v d="$1" '$5 == d' /proc/self/mountinfo | wc -l; }
writer() { echo "$1" > "$MNT/$2"; }

# ---- an image as NanoBSD's: /etc is a RAM disk that boot has filled
mkdir -p "$T/conf"
new_box
ok "the view of boot's own is away" stop_view
conf ''
run rc_d cfgfs start
is "what is not enabled says so" "$rc:$err:$(type_of "$MNT")" 0::tmpfs
like "and how it would be" "$out" 'Set cfgfs_enable to YES'
run rc_d cfgfs faststart
is "at boot, nothing" "$rc:$out$err:$(type_of "$MNT")" 0::tmpfs
conf 'cfgfs_enable=YES' "cfgfs_mount=$MNT"
run rc_d cfgfs start
is "without a store there is no view" "$rc:$(type_of "$MNT")" 1:tmpfs
like "and a word" "$err" 'WARNING: cfgfs_store is not set'
conf 'cfgfs_enable=YES' "cfgfs_store=$STORE" "cfgfs_base=$T/none" \
    "cfgfs_mount=$MNT"
run rc_d cfgfs faststart
is "what is not there stops nothing" "$rc:$(type_of "$MNT")" 1:tmpfs
like "and cfgfs says what it is" "$err" "^cfgfs: base $T/none: No such file"
like "with a word behind it" "$err" 'WARNING: .* has no view'

conf 'cfgfs_enable=YES' "cfgfs_mount=$MNT/"
# The last line has no newline.
printf '# for the restore\nstore=%s\nbase="%s"' "$STORE" "$BASE" > \
    "$T/conf/cfgfs.conf"
ok "what the image tells is enough" rc_d cfgfs start
is "it is a view" "$(type_of "$MNT")" fusefs.cfgfs
is "of that store" "$(sed -n 's/^store=//p' "$STATE/info")" "$STORE"
is "over that base" "$(sed -n 's/^base=//p' "$STATE/info")" "$BASE"
run rc_d cfgfs start
is "a second start is none" "$rc:$err:$(mounts "$MNT")" 0::2
like "and says it" "$out" 'served already'
writer new hosts
run rc_d cfgfs status
is "status is that of the service" "$rc:$err" 0:
like "and what is pending" "$out" '^A hosts'
ok "it is stopped" rc_d cfgfs stop
is "what is pending stays" "$(type_of "$MNT"):$(cat "$MNT/hosts")" tmpfs:new
run rc_d cfgfs status
is "it does not run" "$rc" 1
run rc_d cfgfs stop
is "and can't be stopped again" "$rc" 1
ok "restart is a start then" rc_d cfgfs restart
is "with a view" "$(type_of "$MNT")" fusefs.cfgfs
is "what was pending is" "$(cfg status | grep -c '^A hosts')" 1
ok "restart of one that runs" rc_d cfgfs restart
is "leaves one view" "$(type_of "$MNT"):$(mounts "$MNT")" fusefs.cfgfs:2
ok "one whose daemon dies" kill_view
until_ok "is detached" 10 sh -c "[ \"\$($TOP/tests/rc/bin/mount -p |
    grep -c fusefs.cfgfs)\" = 0 ]"
ok "and started again" rc_d cfgfs start

# ---- rc(8) reads rc.conf anew, when the boot goes on
cat > "$T/rc" <<'E'
# As rc(8) does it: the script is read by a subshell of rc.
autoboot=yes
RC_PID=$$
trap 'echo anew' ALRM
( set -- faststart; . "$1" ) 2>&1
( set -- faststart; . "$1" ) 2>&1
echo went on
E
sed "s|\"\$1\"|$T/root/etc/rc.d/cfgfs|" "$T/rc" > "$T/rc.boot"
ok "it is stopped" rc_d cfgfs stop
run env PATH="$RC_PATH" dash "$T/rc.boot"
is "by a signal, once it is started" "$(echo "$out" | tr '\n' ' ')" \
    "Serving $MNT. anew went on "

# ---- a shutdown
mkdir -p "$MNT/cfgfs"
echo 'on-shutdown commit' > "$MNT/cfgfs/config"
conf 'cfgfs_enable=YES' "cfgfs_mount=$MNT" 'cfgfs_shutdown_seconds=20'
run rc_d cfgfs_shutdown faststart
is "nothing at boot" "$rc:$out$err" 0:
run rc_d cfgfs_shutdown faststop
is "at the end it commits" "$rc" 0
like "and says so" "$err" "^cfgfs: $MNT: generation 1"
run cfg status -q
is "so nothing is pending" "$rc" 0
run rc_d cfgfs faststop
is "then the view goes" "$rc:$err:$(type_of "$MNT")" 0::tmpfs
conf 'cfgfs_enable=NO'
run rc_d cfgfs_shutdown faststop
is "what is not enabled does nothing" "$rc:$out$err" 0:
ok "the RAM disk can go" umount "$MNT"

# ---- a general FreeBSD: /etc and /var lie on a disk; /etc is the base itself
truncate -s 8M "$T/disk"
mkfs.ext4 -q -O ^has_journal "$T/disk"
loop_dev "$T/disk"
mkdir "$T/hd"
ok "a disk" mount "$dev" "$T/hd"
MNT=$T/hd/etc
STATE=/run/cfgfs/$(echo "${MNT#/}" | tr / -)
mkdir "$MNT" "$T/hd/var"
ok "with what /var/run is there" mount --bind "$T/hd/var" /run/cfgfs
image=$BASE
BASE=$MNT
base_tree
BASE=$image
"$CFG" init --size 1M "$T/a,store" > /dev/null
rm -rf "$T/conf"
conf 'cfgfs_enable=YES' "cfgfs_store=$T/a,store" "cfgfs_mount=$MNT" \
    'cfgfs_options=nosuid,history'
ok "/etc has a view" rc_d cfgfs start
is "the store's name has its comma" \
    "$(sed -n 's/^store=//p' "$STATE/info")" "$T/a,store"
like "options are given" "$(cat /proc/self/mountinfo)" \
    " $MNT rw,nosuid.* fuse.cfgfs "
ok "one more, too" ls "$MNT/.cfg/@base/rc.conf"
writer kept motd
ok "it is committed" cfg commit -m kept
writer pending rc.conf
ok "stopped" rc_d cfgfs stop
is "the running tree shows" "$(type_of "$MNT"):$(cat "$MNT/rc.conf")" \
    nullfs:pending
ok "and started" rc_d cfgfs start
is "it goes on" "$(cat "$MNT/rc.conf" "$MNT/motd" | tr '\n' ' ')" \
    'pending kept '
run rc_d cfgfs faststop
is "a shutdown takes all away" "$rc:$err:$(mounts "$MNT")" 0::0
not_ok "the disk has what it had" test -e "$MNT/motd"
is "nothing is mounted for the state" \
    "$(grep -c " $STATE" /proc/self/mountinfo)" 0

# rc(8) runs once more, and cleanvar removes what is in /var/run.
find "$STATE" -type f -delete
ok "a start from single-user mode" rc_d cfgfs start
is "has what was committed, no more" \
    "$(cat "$MNT/motd"; head -1 "$MNT/rc.conf")" 'kept
hostname="box"'
ok "somebody in it" sh -c "cd '$MNT' && sleep 30 > /dev/null 2>&1 &"
run rc_d cfgfs faststop
is "does not hold up a shutdown" "$rc:$(mounts "$MNT")" 0:0

# ---- another shell, and a state directory that is in RAM without us
printf '#!/bin/sh\nexec bash --posix "$@"\n' > "$T/sh"
chmod 755 "$T/sh"
RC_SH=$T/sh
ok "/var is another" umount /run/cfgfs
conf 'cfgfs_enable=YES' "cfgfs_store=$T/a,store" "cfgfs_mount=$MNT" \
    "cfgfs_options=state=$T/state/x"
ok "by another shell" rc_d cfgfs start
is "there is a view" "$(type_of "$MNT")" fusefs.cfgfs
ok "with its state there" test -f "$T/state/x/tree/motd"
run rc_d cfgfs faststop
is "which is away as before" "$rc:$err:$(mounts "$MNT")" 0::0
not_ok "with the running tree" test -e "$T/state/x/tree"
ok "the disk is free" umount "$T/hd"

# ---- mount(8) of FreeBSD: each option has an -o of its own, then what and
# where; noauto, late, failok and mountprog it keeps for itself
MNT=$T/mnt
mkdir -p "$MNT"
mount -t tmpfs -o mode=755 cfgfs-ram "$MNT"
MP=$T/root/sbin/mount_cfgfs
export MP
ok "a line of fstab" "$MP" -o rw -o noatime -o "base=$BASE" \
    -o "state=$T/state" "$STORE" "$MNT"
is "is a view" "$(type_of "$MNT")" fusefs.cfgfs
is "of that store" "$(sed -n 's/^store=//p' "$T/state/info")" "$STORE"
fails_with 2 'already served' "$MP" -o rw -o "base=$BASE" \
    -o "state=$T/state" "$STORE" "$MNT"
umount "$MNT"
until_ok "its end" 10 sh -c "! kill -0 $(cat "$T/state/lock") 2> /dev/null"
ok "mount -t cfgfs -o nosuid,allow_other,default_permissions" "$MP" \
    -o nosuid -o allow_other -o default_permissions -o "base=$BASE" \
    -o "state=$T/state" "$STORE" "$MNT"
umount "$MNT"
until_ok "its end" 10 sh -c "! kill -0 $(cat "$T/state/lock") 2> /dev/null"
run "$MP" -o update -o noro "$STORE" "$MNT"
is "mount -u is refused" "$rc:${err%%usage*}" "64:cfgfs: update: unknown option
"
run "$MP" -o ro "$STORE" "$MNT"
is "so is a view that is read-only" "$rc:${err%%usage*}" \
    "64:cfgfs: ro: unknown option
"
done_testing
