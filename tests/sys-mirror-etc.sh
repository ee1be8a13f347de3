#!/bin/sh
# sys-mirror-etc.sh: mirrors with the view over the real /etc of a private
# namespace: what pushes looks names up in the tree that it saves, and so
# does the server, while commits hold changes back and caches are dropped.
# shellcheck source=tests/sys.sh
. "$(dirname "$0")/sys.sh"
need_root
need_fuse
[ -x "$TOP/tools/cfg-mirror" ] || skip_all "no libssh2"
# shellcheck source=tests/sshd.sh
. "$TOP/tests/sshd.sh"
MNT=/etc
STATE=/run/cfgfs/etc
LIMIT=20

HOME=$T/home
export HOME
mkdir -m 700 "$HOME"
unset SSH_AUTH_SOCK
S=$T/s
port=$(free_port)
copy=$S/root/store/box
url=sftp://mirror@otherhost.test:$port/store/box
drop() { echo 3 > /proc/sys/vm/drop_caches; }
view() {
	timeout -k 5 "$LIMIT" "$CFGFS" -o "store=$STORE" /etc < /dev/null
}
is_at() { [ "$("$CFG" -s "$copy" log -n 1 | sed 's/  .*//')" = "@$1" ]; }
generation() { cfg log -n 1 | sed 's/^@\([0-9]*\).*/\1/'; }
none() { ! pgrep -f 'cfg.*mirror auto'; }

"$CFG" init --size 4M "$STORE" > /dev/null
before=$(snap /etc)
mkdir -p /run/cfgfs
ok "cfgfs over /etc itself" view || done_testing

# The server's user and its name exist in the view alone.
printf '%s\n' 'mirror:*:7770:7770:mirror:/:/bin/sh' \
    'sshd:*:7771:7770:sshd:/run/sshd:/bin/false' > "$T/users"
sed '/^mirror:/d; /^sshd:/d' /etc/passwd | cat - "$T/users" > "$T/passwd"
cat "$T/passwd" > /etc/passwd
echo 'mirror:*:7770:' >> /etc/group
echo '127.0.0.1 otherhost.test' >> /etc/hosts
sshd_start "$S" "$port" || skip_all "sshd does not start"
mkdir /etc/cfgfs
cp "$S/key" /etc/cfgfs/key
sed "s/127.0.0.1/otherhost.test/" "$S/known_hosts" > /etc/cfgfs/known_hosts
ok "add" cfg mirror add --name box "$url"
ok "a commit of what the mirror needs" cfg commit -m mirror
ok "is mirrored by itself, to a host that the view alone knows" \
    await "the mirror" is_at 1
ok "by hand, too" cfg mirror push
is "it is up to date" "$out" "box: up to date, generation 1"

# Who reads and writes /etc while it is pushed.
: > "$T/bad"
(
	while [ ! -e "$T/stop" ]; do
		for look in "getent passwd mirror" "getent hosts otherhost.test" \
		    "id nobody" "touch /etc/busy"; do
			# shellcheck disable=SC2086
			timeout -k 1 "$LIMIT" $look > /dev/null 2>&1 ||
			    echo "$look: $?" >> "$T/bad"
		done
	done
) &
busy=$!
bad='' i=0
while [ "$i" -lt 6 ]; do
	i=$((i + 1))
	drop
	echo "line $i" >> /etc/motd
	cfg commit -m "line $i" > /dev/null || bad="$bad commit:$i"
	drop
	[ $((i % 2)) = 0 ] || continue
	await "the mirror" is_at "$(generation)" || bad="$bad mirror:$i"
	run cfg mirror verify
	[ "$rc" = 0 ] || bad="$bad verify:$i:$rc:$err"
done
: > "$T/stop"
wait "$busy"
is "commits, pushes and verifies while /etc is busy" "$bad" ""
is "nobody waited in vain" "$(sort "$T/bad" | uniq -c)" ""
ok "what pushes ends" await "its end" none

# The daemon dies in between; what pushes does not need it.
sshd_stop "$S"
echo more >> /etc/motd
cfg commit -m more > /dev/null
last=$(generation)
kill_view
sshd_start "$S" "$port" || diag "sshd does not start again"
ok "the next start" view
ok "pushes what was left" await "the mirror" is_at "$last"
cfg revert . > /dev/null
have=$(snap /etc)

power_cut
is "below, the machine's own /etc was never touched" "$(snap /etc)" "$before"
ok "the copy is sound" "$CFG" -s "$copy" verify
mount -t tmpfs -o mode=755 cfgfs-ram /run/cfgfs
cp "$copy" "$STORE"
ok "a start from the copy alone" view
is "brings all of it back" "$(snap /etc)" "$have"
umount /etc
await "the daemon's end" sys_none
done_testing
