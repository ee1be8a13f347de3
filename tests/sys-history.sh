#!/bin/sh
# sys-history.sh: the window into history: what was committed shows below
# .cfg as it was, nothing changes it, and nobody's walk gets there.
# shellcheck source=tests/sys.sh
. "$(dirname "$0")/sys.sh"
need_root
need_fuse

PAST=$MNT/.cfg

# A tree to its last bit, but for hard links, which show as files.
bits() {
	snap "$1" | sed 's/ = .*//'
	(cd "$1" && find . ! -type d -printf '%P %T@\n' | sort)
}

# remember N: the tree as it will be generation N, by what a boot builds.
remember() {
	cfg commit > "$T/log" || return 1
	mkdir "$T/gen$1" && mount -t tmpfs -o mode=755 cfgfs-ram "$T/gen$1" &&
	    "$CFG" restore --store "$STORE" --base "$BASE" "$T/gen$1"
}

# ---- what there is to remember
base_more() {
	base_tree
	mkdir "$BASE/many"
	(cd "$BASE/many" && seq 700 | xargs touch)
	head -c 300000 /dev/urandom > "$BASE/blob"
	setfattr -n user.who -v base "$BASE/blob"
}
mkdir -p "$BASE" && base_more
"$CFG" init --size 8M "$STORE"
ram_up
"$CFG" restore --store "$STORE" --base "$BASE" "$MNT"

ok "a view without history" run_view
not_ok "has no .cfg" ls "$PAST"
ok "and any may make one" mkdir "$PAST"
stop_view
fails_with 2 "history: $MNT has a .cfg of its own" run_view ,history
umount -l "$MNT" 2> /dev/null || true
rmdir "$PAST" 2> /dev/null
mountpoint -q "$MNT" || { umount -l /run/cfgfs; ram_up
    "$CFG" restore --store "$STORE" --base "$BASE" "$MNT"; }
fails_with 2 'history: there is no store' timeout 20 "$CFGFS" \
    -o "history,base=$BASE,state=$STATE" "$MNT"
mkdir "$T/alone"
cp "$CFGFS" "$T/alone/cfgfs"
[ -x "$(sed -n 's/^#define SBINDIR "\(.*\)"/\1/p' "$TOP/config.h")/cfg-hist" ] ||
    fails_with 2 'history: .*cfg-hist: No such file' timeout 20 \
    "$T/alone/cfgfs" -o "history,base=$BASE,state=$STATE,store=$STORE" "$MNT"
ok "a view with history" run_view ,history

is "before the first commit there is the base" "$(ls "$PAST")" "@base
@head"
is "which the head is" "$(readlink "$PAST/@head")" @base
is "as it is" "$(bits "$PAST/@base")" "$(bits "$BASE")"

cd "$MNT" || exit 2
rm -r rc.d passwd.old
echo 'sshd_enable="YES"' >> rc.conf
chmod 4711 .profile
chown 12:34 ssh/sshd_config
ln -s /nowhere/at/all dangling
mkdir -m 2750 keys
echo key > keys/one
ln keys/one keys/two
mknod null c 1 3
setfattr -n user.who -v "$(seq 300 | tr -d '\n')" mail/aliases
setfacl -m u:5:r keys/one
seq 100000 > blob
long=$(printf '%0255d' 7)
mkdir -p "$long/$long"
echo deep > "$long/$long/$long"
touch -d 2001-02-03T04:05:06.789 rc.conf
cd / || exit 2
ok "a commit" remember 1
is "is there at once" "$(ls "$PAST")" "@1
@base
@head"
is "and is the head" "$(readlink "$PAST/@head")" @1
is "a generation is what a boot from it gives" "$(bits "$PAST/@1")" \
    "$(bits "$T/gen1")"

cd "$MNT" || exit 2
rm -r many keys
echo 'many is a file' > many
mkdir rc.d
seq 900 > rc.d/new
: > blob
chmod 600 rc.conf
(cd mail && seq -f 'a-name-that-has-some-length-%g' 1500 | xargs touch)
cd / || exit 2
# Another generation's listing is in the kernel's cache now.
ok "another" remember 2
is "is listed, too" "$(ls "$PAST")" "@1
@2
@base
@head"
is "the head is another" "$(readlink "$PAST/@head")" @2
is "a large directory, and what took the place of another" \
    "$(bits "$PAST/@2")" "$(bits "$T/gen2")"
is "the one before is as it was" "$(bits "$PAST/@1")" "$(bits "$T/gen1")"
is "so is the base" "$(bits "$PAST/@base")" "$(bits "$BASE")"
is "by the head's name" "$(cat "$PAST/@head/rc.d/new")" "$(seq 900)"
is "a commit's time is its link's" "$(stat -c %Y "$PAST/@head")" \
    "$(cfg log --json | sed -n 's/.*"generation": 2, "time_ns": \([0-9]*\)[0-9]\{9\},.*/\1/p')"
is "no two things have one number" \
    "$(find "$MNT" "$PAST" -printf '%i\n' | sort | uniq -d |
    wc -l)" 0
for n in @0 @3 @01 @-1 @ 1 @1x @99999999999999999999; do
	not_ok "there is no $n" ls -d "$PAST/$n"
done
is "pieces are whole ones" "$(dd if="$PAST/@1/blob" bs=1000 skip=333 \
    count=5 2> /dev/null | sha256sum)" \
    "$(dd if="$T/gen1/blob" bs=1000 skip=333 count=5 2> /dev/null |
    sha256sum)"
is "there is no hole in a file" "$(cp --sparse=always "$PAST/@1/blob" \
    "$T/sparse" && sha256sum < "$T/sparse")" \
    "$(sha256sum < "$T/gen1/blob")"

# ---- taking back
ok "a file is taken back" cp -p "$PAST/@1/rc.conf" "$MNT/rc.conf"
ok "with all attributes" cp --preserve=all "$PAST/@1/mail/aliases" \
    "$MNT/mail/aliases"
ok "a directory" cp -a "$PAST/@1/keys" "$MNT/keys"
for f in rc.conf mail/aliases keys/one; do
	is "$f is as it was" "$(stat -c '%A %U:%G %s %.Y' "$MNT/$f")" \
	    "$(stat -c '%A %U:%G %s %.Y' "$T/gen1/$f")"
	is "its attributes are" "$(getfattr -dm - --absolute-names \
	    "$MNT/$f" | grep '=')" "$(getfattr -dm - --absolute-names \
	    "$T/gen1/$f" | grep '=')"
	ok "and its content" cmp "$MNT/$f" "$T/gen1/$f"
done
is "that is pending" "$(cfg diff --name-only)" "keys
keys/one
keys/two
rc.conf"

# ---- hidden
not_ok "ls -a does not show it" sh -c "ls -a '$MNT' | grep cfg"
is "find does not go there" "$(find "$MNT" -path '*.cfg*')" ""
is "nor tar" "$(tar -C "$MNT" -cf - . | tar -tf - | grep cfg)" ""
is "nor rm" "$(cp -a "$MNT/keys" "$MNT/more"; rm -r "$MNT/more" 2>&1)" ""
is "it is not pending" "$(cfg status | grep -c '\.cfg')" 0
is "by its name neither" "$(cfg diff --name-only .cfg 2>&1)" ""

# ---- nothing changes
fails_with 1 'File exists' mkdir "$PAST"
fails_with 1 'busy' rmdir "$PAST"
fails_with 1 'busy' mv -T "$PAST" "$MNT/other"
fails_with 1 'busy' mv -T "$MNT/keys" "$PAST"
fails_with 1 'Read-only' mkdir "$PAST/new"
fails_with 1 'Read-only' touch "$PAST"
fails_with 1 'Read-only' touch "$PAST/@1/rc.conf"
fails_with 1 'Read-only' chmod 600 "$PAST/@1/rc.conf"
fails_with 1 'Read-only' rm -f "$PAST/@1/rc.conf"
fails_with 1 'Read-only' rmdir "$PAST/@1/keys"
fails_with 1 'Read-only' mv -T "$PAST/@1/rc.conf" "$MNT/rc.conf"
fails_with 1 'Read-only' mv -T "$MNT/rc.conf" "$PAST/@1/rc.conf"
fails_with 1 'Read-only' ln -s x "$PAST/@1/link"
fails_with 1 'cross-device' ln "$PAST/@1/rc.conf" "$MNT/link"
fails_with 1 'Read-only' truncate -s 0 "$PAST/@1/rc.conf"
fails_with 1 'Read-only' dd if=/dev/zero of="$PAST/@1/rc.conf" count=1 \
    conv=notrunc status=none
fails_with 1 'Read-only' setfattr -n user.x -v y "$PAST/@1/rc.conf"
is "and is as it was" "$(bits "$PAST/@1")" "$(bits "$T/gen1")"
is "no try of that is in the journal" "$(cfg status | grep -c '\.cfg')" 0

# ---- who may look
fails_with 2 'Permission denied' setpriv --reuid 65534 --regid 65534 \
    --clear-groups ls "$PAST/@1"
fails_with 1 'Permission denied' setpriv --reuid 65534 --regid 65534 \
    --clear-groups cat "$PAST/@1/rc.conf"
is "the window is root's" "$(stat -c '%a %u %g' "$PAST")" "700 0 0"
ok "umount(8) ends it" stop_view
done_testing
