#!/bin/sh
# What a clean shutdown commits, a list of paths, and how much history is
# kept.
. "$(dirname "$0")/sys.sh"
need_root
need_fuse

new_box
mkdir -p "$MNT/cfgfs"
conf() { printf '%s\n' "$@" > "$MNT/cfgfs/config"; cfg commit -m conf cfgfs > /dev/null; }
head_gen() { "$CFG" -s "$STORE" show @head | head -1; }
pending() { cfg status | sed -n 's/^[ADMTm] //p' | cut -f 1; }

# ---- a shutdown
conf 'autocommit hosts on-shutdown' 'autocommit keys/ on-shutdown' \
    'autocommit keys/secret never' 'autocommit rc.conf quiet 1h'
ok "nothing pending is nothing to do" cfg commit --shutdown
is "nothing was written" "$(head_gen)" "generation 1"
mkdir "$MNT/keys"
echo a > "$MNT/keys/a"
echo s > "$MNT/keys/secret"
echo h > "$MNT/hosts"
echo r > "$MNT/rc.conf"
echo m > "$MNT/motd"
run cfg commit --shutdown -m 'going down'
is "something is left" "$rc" 1
like "which is named" "$err" 'not committed, and lost by a shutdown: motd, rc.conf$'
is "the rest is committed, never is not" "$(pending)" "keys/secret
motd
rc.conf"
like "with its message" "$("$CFG" -s "$STORE" show)" '^    going down$'
conf 'on-shutdown ignore' 'autocommit rc.conf on-shutdown'
echo r2 > "$MNT/rc.conf"
echo m2 > "$MNT/motd"
conf 'on-shutdown ignore'
echo m3 > "$MNT/motd"
run cfg commit --shutdown
is "what is to be ignored is no word worth" "$rc:$err" "0:"
like "nor a commit" "$(pending)" '^motd$'
conf 'on-shutdown commit' 'autocommit keys/secret never'
echo m4 > "$MNT/motd"
echo s2 > "$MNT/keys/secret"
ok "all is committed" cfg commit --shutdown
is "but what is never" "$(pending)" keys/secret
echo 'on-shutdown what' > "$MNT/cfgfs/config"
fails_with 2 'config:1: on-shutdown warn' cfg commit --shutdown
fails_with 64 '.' cfg commit --shutdown rc.conf
conf
ok "all is committed" cfg commit

# ---- a list of paths
echo 1 > "$MNT/a b"
echo 1 > "$MNT/b"
echo 1 > "$MNT/c"
# shellcheck disable=SC2016
ok "paths from standard input" sh -c 'printf "a b\0%s/b\0" "$2" |
    "$1" -m "$2" commit --paths-from -' sh "$CFG" "$MNT"
is "and no others" "$(pending)" c
: > "$T/none"
fails_with 2 'none: it names no path' cfg commit --paths-from "$T/none"
printf '../x\0' > "$T/none"
fails_with 2 'not a path below' cfg commit --paths-from "$T/none"
fails_with 2 'open .*missing: No such file' cfg commit --paths-from "$T/missing"

# ---- history
many() {
	i=0
	while [ "$i" -lt 70 ]; do
		i=$((i + 1))
		echo "$i" > "$MNT/count"
		cfg commit > /dev/null || return 1
	done
}
new_store() {
	power_cut && rm -f "$STORE" && "$CFG" init --size 256K "$STORE" && boot
}
ok "another store" new_store
ok "many commits" many
not_ok "the oldest is gone" "$CFG" -s "$STORE" show @5
ok "another store" new_store
mkdir -p "$MNT/cfgfs"
conf 'keep 70'
ok "as many" many
ok "it is kept where that is said" "$CFG" -s "$STORE" show @5
done_testing
