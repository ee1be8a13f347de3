#!/bin/sh
# sys-upgrade-etc.sh: a box with FreeBSD 13.2's /etc and a user's edits is
# given FreeBSD 15.1's: what is merged has both, as diff3(1) has it, and
# what diff3 finds in conflict is left to the user.
# shellcheck source=tests/sys.sh
. "$(dirname "$0")/sys.sh"
need_root
need_fuse
DATA=${DATA:-$TOP/../shared/data}
if [ ! -f "$DATA/freebsd-15.1-etc.tar.xz" ]; then
	echo "1..0 # SKIP no FreeBSD trees in $DATA"
	sys_done=1
	exit 0
fi

base_tree() { tar xJf "$DATA/freebsd-13.2-etc.tar.xz" -C "$BASE"; }
ok "a box with FreeBSD 13.2's /etc" new_box 4M
OLD=$BASE

# What an administrator does in a year.
edit() {
	edit_file=$MNT/$1
	shift
	sed -i "$@" "$edit_file"
}
printf 'hostname="box"\nsshd_enable="YES"\n' > "$MNT/rc.conf"
edit ssh/sshd_config 's/^#PermitRootLogin no/PermitRootLogin yes/'
echo 'AllowUsers admin' >> "$MNT/ssh/sshd_config"
edit newsyslog.conf 's|^\(/var/log/messages.*644  \)5|\19|'
printf 'local7.*\t\t/var/log/local.log\n' >> "$MNT/syslog.conf"
# shellcheck disable=SC2016
edit master.passwd 's|^root::|root:$6$salt$hash:|'
echo 'admin:*:1001:1001::0:0:Admin:/home/admin:/bin/sh' >> \
    "$MNT/master.passwd"
echo 'admins:*:1001:admin' >> "$MNT/group"
edit ttys '/^ttyv8/s/off/on/'
printf '*/5\t*\t*\t*\t*\troot\t/root/check\n' >> "$MNT/crontab"
echo 'net.inet.ip.forwarding=1' >> "$MNT/sysctl.conf"
edit login.conf 's/:umask=022:/:umask=027:/'
echo 'root: admin@example.org' >> "$MNT/mail/aliases"
edit inetd.conf '/^#ftp/s/^#//'
echo 'server 10.0.0.1 iburst' >> "$MNT/ntp.conf"
echo '10.0.0.2 nas' >> "$MNT/hosts"
echo '/usr/local/bin/bash' >> "$MNT/shells"
chmod 640 "$MNT/pf.os"
rm "$MNT/ftpusers" "$MNT/snmpd.config"
echo '# mine' > "$MNT/devd/snd.conf"
echo 'options timeout:1' > "$MNT/resolv.conf"
ok "his edits are committed" cfg commit --force -m 'a year'
cp -a "$MNT" "$T/mine"
power_cut

BASE=$T/new
mkdir "$BASE"
tar xJf "$DATA/freebsd-15.1-etc.tar.xz" -C "$BASE"
ram_up
run "$CFG" restore --store "$STORE" --base "$BASE" "$MNT"
is "a boot with FreeBSD 15.1's" "$rc" 0
diag "$err"
ok "has a view" run_view
cfg resolve > "$T/states"
sed 's/^/# /' "$T/states"

# Both sides' new lines are in it.
has_both() {
	diff "$OLD/$1" "$T/mine/$1" | sed -n 's/^> //p' > "$T/lines"
	diff "$OLD/$1" "$BASE/$1" | sed -n 's/^> //p' >> "$T/lines"
	while read -r l; do
		grep -Fqx -e "$l" "$MNT/$1" || { echo "$l"; return 1; }
	done < "$T/lines"
}
as_diff3() {
	diff3 -m "$T/mine/$1" "$OLD/$1" "$BASE/$1" | cmp - "$MNT/$1"
}
diff3_merges() {
	diff3 -m "$T/mine/$1" "$OLD/$1" "$BASE/$1" > "$T/out"
}
is_new() { cmp "$BASE/$1" "$MNT/$1"; }
is_mine() { cmp "$T/mine/$1" "$MNT/$1"; }

sed -n 's/^merged //p' "$T/states" > "$T/merged"
while read -r f; do
	ok "$f: merged, it has what both have" has_both "$f"
	ok "$f: it is as diff3 merges it" as_diff3 "$f"
done < "$T/merged"
sed -n 's/^conflict \([^	]*\)	.*same place.*/\1/p' "$T/states" \
    > "$T/left"
while read -r f; do
	ok "$f: in conflict, it is as it was" is_mine "$f"
	[ ! -e "$OLD/$f" ] ||
	    not_ok "$f: diff3 can't merge it" diff3_merges "$f"
done < "$T/left"
want='crontab group hosts mail/aliases newsyslog.conf ntp.conf pf.os'
is "what is merged" "$(tr '\n' ' ' < "$T/merged")" \
    "$want shells ssh/sshd_config sysctl.conf syslog.conf ttys "
is "what is in conflict" "$(sed -n 's/^conflict \([^	]*\).*/\1/p' \
    "$T/states" | tr '\n' ' ')" \
    "devd/snd.conf inetd.conf login.conf master.passwd snmpd.config "
ok "what is the user's alone is" is_mine rc.conf
is "a mode of his on the new text" "$(stat -c %a "$MNT/pf.os")" 640
ok "is on the new text" is_new pf.os
is "all else is the new image's" "$(diff -rq "$BASE" "$MNT" | grep -Ecv \
    "$(sed 's/^[a-z]* \([^	]*\).*/\1/; s|.*/||' "$T/states" |
	tr '\n' '|')rc.conf|resolv.conf|.cfg.merge")" 0

ok "the rest is settled" cfg resolve --theirs inetd.conf devd/snd.conf
ok "in one way or another" cfg resolve --mine login.conf master.passwd \
    snmpd.config
ok "and committed" cfg commit --force -m 'FreeBSD 15.1'
is "nothing is open" "$(cfg resolve)" "nothing to resolve"
snap "$MNT" | grep -v cfg.merge > "$T/want"
power_cut
ram_up
ok "the next boot" "$CFG" restore --store "$STORE" --base "$BASE" "$MNT"
is "gives just that" "$(snap "$MNT")" "$(cat "$T/want")"
ok "the view on it" run_view
run cfg verify --boot --base "$OLD"
is "with the old image it would not be the same" "$rc" 1
diag "$err"
done_testing
