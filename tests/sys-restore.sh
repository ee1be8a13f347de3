#!/bin/sh
# sys-restore.sh: what boot gets from cfg restore, whatever the store is
# like: a tree that can be used.
# shellcheck source=tests/sys.sh
. "$(dirname "$0")/sys.sh"
need_root
need_fuse

ok "a box starts" new_box 1M
# Every kind of entry, and every kind of change.
rm "$MNT/passwd.old" "$MNT/.profile"
rm -r "$MNT/mail"
echo 'Port 23' > "$MNT/ssh/sshd_config"
mkdir -p "$MNT/new/empty" "$MNT/sticky"
chmod 1777 "$MNT/sticky"
ln -s nowhere "$MNT/new/dangling"
mkfifo -m 640 "$MNT/new/fifo"
mknod -m 660 "$MNT/new/null" c 1 3
printf x > "$MNT/new/suid"
chown 3:4 "$MNT/new/suid"
chmod 6755 "$MNT/new/suid"
ln "$MNT/new/suid" "$MNT/new/suid.link"
setfattr -n trusted.note -v hello "$MNT/new/suid"
printf x > "$MNT/$(printf 'new\nline \377')"
setfacl -m u:5:r "$MNT/rc.conf"
setfacl -d -m u:6:rwx "$MNT/new"
ok "one commit" cfg commit -m first
snap "$MNT" > "$T/first"
cp "$STORE" "$T/before"
echo second > "$MNT/second"
ok "and another" cfg commit -m second
snap "$MNT" > "$T/want"
stop_view
cp "$STORE" "$T/good"

same() { snap "$1" | cmp - "$2"; }
restore() { "$CFG" restore --store "$STORE" --base "$BASE" "$@"; }

ok "restore makes the tree anew" restore "$T/tree"
ok "equal to the last bit" same "$T/tree" "$T/want"
is "times, too" "$(stat -c '%n %Y' "$T/tree/rc.conf" "$T/tree/ssh" |
    sed 's/.* //')" "$(stat -c %Y "$BASE/rc.conf" "$BASE/ssh")"
fails_with 2 'not empty' restore "$T/tree"
echo old > "$T/tree/old"
mkdir "$T/tree/held"
mount -t tmpfs none "$T/tree/held"
echo safe > "$T/tree/held/safe"
ok "-f empties it first" restore -f "$T/tree"
is "but not what is mounted in it" "$(cat "$T/tree/held/safe")" safe
umount "$T/tree/held"
rmdir "$T/tree/held"
ok "and all is as before" same "$T/tree" "$T/want"

# NanoBSD: the tree has the base already.
cp -a "$BASE" "$T/nano"
ok "the overlay alone" "$CFG" restore --store "$STORE" "$T/nano"
ok "gives the same" same "$T/nano" "$T/want"
ok "and again" "$CFG" restore --store "$STORE" "$T/nano"
ok "changes nothing" same "$T/nano" "$T/want"

# Where the base of a new image lacks a directory.
cp -a "$BASE" "$T/base2"
rm -r "$T/base2/ssh"
run "$CFG" restore --store "$STORE" --base "$T/base2" "$T/tree2"
is "what has no directory now is left out" "$rc" 0
like "and named" "$err" 'left out.*ssh/sshd_config'
ok "not the rest" test -p "$T/tree2/new/fifo"

# Never stop the boot.
damaged() {
	rm -rf "$T/tree"
	run restore "$T/tree"
	is "$1: ends with 1" "$rc" 1
	like "$1: is said" "$err" 'not as it was committed last'
	ok "$1: gives $2" same "$T/tree" "$3"
}
snap "$BASE" > "$T/base.snap"
rm "$STORE"
damaged "no store" "the base" "$T/base.snap"
head -c 1M /dev/zero > "$STORE"
damaged "zeros" "the base" "$T/base.snap"
head -c 1M /dev/urandom > "$STORE"
damaged "noise" "the base" "$T/base.snap"
: > "$STORE"
damaged "an empty file" "the base" "$T/base.snap"
rm "$STORE"
mkdir "$STORE"
damaged "a directory" "the base" "$T/base.snap"
rmdir "$STORE"

# The last commit rots: its predecessor is there still.
cp "$T/good" "$STORE"
at=$(cmp -l "$T/before" "$T/good" | awk 'NR == 1 { print $1 - 1 }')
printf '\377\377\377\377' | dd of="$STORE" bs=1 conv=notrunc \
    seek=$((at / 4096 * 4096 + 20)) 2>/dev/null
rm -rf "$T/tree"
run restore "$T/tree"
if [ "$rc" = 0 ]; then
	# Nothing vouched for it: it passes for a commit cut short.
	ok "a lost last commit gives the one before" \
	    same "$T/tree" "$T/first"
else
	is "a rotten last commit is said" "$rc" 1
	ok "and gives the one before" same "$T/tree" "$T/first"
fi

cp "$T/good" "$STORE"
fails_with 2 'cfg: restore: open .*nobase' \
    "$CFG" restore --store "$STORE" --base "$T/nobase" "$T/t3"
fails_with 2 'cfg: restore: .*root directory' \
    "$CFG" restore --store "$STORE" --base "$BASE" /
fails_with 64 '^usage: cfg restore' "$CFG" restore "$T/t3"
mkdir "$T/small"
mount -t tmpfs -o size=16k none "$T/small"
fails_with 2 'cfg: restore: .*No space left' restore "$T/small"
umount "$T/small"

# Databases that programs make come anew.
if [ -x /sbin/ldconfig ] && lib=$(find /lib /usr/lib -name 'libz.so.1' \
    2>/dev/null | head -1) && [ -n "$lib" ]; then
	mkdir -p "$T/libs" "$BASE/ld.so.conf.d"
	cp "$lib" "$T/libs/libz.so.1"
	echo 'include /etc/ld.so.conf.d/*.conf' > "$BASE/ld.so.conf"
	rm -rf "$T/tree"
	ok "a base with ld.so.conf" restore "$T/tree"
	not_ok "nothing of it changed: no cache" test -f "$T/tree/ld.so.cache"
	ok "the box again" run_view
	mkdir -p "$MNT/ld.so.conf.d"
	echo 'include /etc/ld.so.conf.d/*.conf' > "$MNT/ld.so.conf"
	echo "$T/libs" > "$MNT/ld.so.conf.d/mine.conf"
	ok "a library directory is committed" cfg commit
	stop_view
	rm -rf "$T/tree"
	ok "restored" restore "$T/tree"
	like "its cache is made from the tree's own files" \
	    "$(/sbin/ldconfig -p -C "$T/tree/ld.so.cache")" "$T/libs/"
	not_ok "and nothing else is left there" \
	    test -e "$T/tree/.ld.so.conf.cfg"
else
	skip "no ldconfig here"
fi
# Nobody has restored yet: cfgfs fills the empty RAM disk that it is
# mounted on.
BASE=$T/fill-base MNT=$T/fill STORE=$T/fill-store
STATE=/run/cfgfs/$(echo "${MNT#/}" | tr / -)
ok "a box of its own" new_box
echo filled > "$MNT/rc.conf"
rm "$MNT/.profile"
ok "commits" cfg commit
snap "$MNT" > "$T/fill-want"
power_cut
ok "after a power cut a RAM disk" ram_up
ok "empty as it is, is mounted on" run_view
snap "$MNT" > "$T/fill-have"
ok "has all that was committed" cmp "$T/fill-want" "$T/fill-have"
is "and nothing is pending" "$(cfg status -q; echo $?)" 0
stop_view

done_testing
