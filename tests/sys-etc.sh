#!/bin/sh
# The view over the real /etc of a private namespace, with caches dropped
# and look-ups in /etc going on: nothing ever waits on itself.
. "$(dirname "$0")/sys.sh"
need_root
need_fuse
MNT=/etc
STATE=/run/cfgfs/etc
LIMIT=20

drop() { echo 3 > /proc/sys/vm/drop_caches; }

# Look users, groups, hosts and services up, and become somebody, until
# told to stop; each within its own time.
lookups() {
	n=0
	while [ ! -e "$T/stop" ]; do
		for look in "getent passwd root" "getent group root" \
		    "getent passwd 12345" "getent hosts localhost" \
		    "getent services ssh" "id nobody" \
		    "su root -s /bin/sh -c true" "ls -l /etc" "date"; do
			# shellcheck disable=SC2086
			timeout -k 1 "$LIMIT" $look > /dev/null 2>&1
			case $? in
			124|137)	echo "$look" >> "$T/hung" ;;
			esac
			n=$((n + 1))
		done
	done
	echo "$n" > "$T/looks.$1"
}

"$CFG" init --size 4M "$STORE" > /dev/null
before=$(snap /etc)
mkdir -p /run/cfgfs
ok "cfgfs over /etc itself" timeout -k 5 "$LIMIT" "$CFGFS" \
    -o "store=$STORE" /etc || done_testing
is "shows /etc as it was" "$(snap /etc)" "$before"
ok "nothing is pending" cfg status -q
like "it is the view" "$(stat -f -c %T /etc)" fuse

: > "$T/hung"
lookups 1 &
one=$!
lookups 2 &
two=$!
i=0 bad=''
while [ "$i" -lt 30 ]; do
	i=$((i + 1))
	drop
	timeout -k 5 "$LIMIT" useradd -r -M --no-log-init "user$i" \
	    2> "$T/err.$i" || bad="$bad useradd:$i"
	drop
	echo "line $i" >> /etc/motd
	drop
	cfg status > /dev/null || [ $? = 1 ] || bad="$bad status:$i"
	drop
	cfg commit -m "user $i" > /dev/null || bad="$bad commit:$i"
	drop
	cfg diff > /dev/null || [ $? = 1 ] || bad="$bad diff:$i"
	[ "$i" != 10 ] || { kill_view && timeout -k 5 "$LIMIT" "$CFGFS" \
	    -o "store=$STORE" /etc; } || bad="$bad restart"
done
: > "$T/stop"
wait "$one" "$two"
is "30 rounds of changes and commits, caches dropped each time" "$bad" ""
is "no look-up waited in vain" "$(sort "$T/hung" | uniq -c)" ""
diag "$(cat "$T/looks.1" "$T/looks.2" | tr '\n' ' ')look-ups meanwhile"
is "the users are there" "$(getent passwd | grep -c '^user[0-9]')" 30
have=$(snap /etc)

power_cut
is "below, the machine's own /etc was never touched" "$(snap /etc)" "$before"
mount -t tmpfs -o mode=755 cfgfs-ram /run/cfgfs
drop
ok "the next start" timeout -k 5 "$LIMIT" "$CFGFS" -o "store=$STORE" /etc
is "brings all of it back" "$(snap /etc)" "$have"
drop
ok "unmounting" umount /etc
await "the daemon's end" sys_none
ok "ends the daemon" sys_none
done_testing
