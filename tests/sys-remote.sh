#!/bin/sh
# sys-remote.sh: a store on another host: made, mounted, committed to, booted
# from; a copy here for when the network is not there.
# shellcheck source=tests/sys.sh
. "$(dirname "$0")/sys.sh"
need_root
need_fuse
[ -x "$TOP/tools/cfg-mirror" ] || skip_all "no libssh2"
# shellcheck source=tests/sshd.sh
. "$TOP/tests/sshd.sh"

HOME=$T/home
export HOME
mkdir -m 700 "$HOME" "$HOME/.ssh"
unset SSH_AUTH_SOCK
S=$T/s
port=$(free_port)
sshd_start "$S" "$port" || skip_all "sshd does not start"
there=$S/root/store/box
url=sftp://mirror@127.0.0.1:$port/store/box

new_box 1M > /dev/null
stop_view
# The image has what it needs to reach the other host.
mkdir -p "$BASE/cfgfs"
cp "$S/key" "$S/known_hosts" "$BASE/cfgfs/"
cp "$S/key" "$HOME/.ssh/id_ed25519"
cp "$S/known_hosts" "$HOME/.ssh/known_hosts"

ok "init" "$CFG" init --size 256K "$url"
is "makes it of the size that was asked for" "$(stat -c %s "$there")" 262144
ok "it is an empty store" "$CFG" -s "$url" verify
fails_with 2 'holds a store; --force overwrites it' "$CFG" init "$url"

STORE=$url
ok "a box boots from it" boot
echo x > "$MNT/file"
rm "$MNT/rc.d/sshd"
ok "commits go there" cfg commit -m far
is "and are there" "$("$CFG" -s "$there" show :file)" x
ok "with the same commit point" "$CFG" -s "$there" verify
ok "log" cfg log
like "tells of it" "$out" '^@1 .* far$'
echo y > "$MNT/file"
like "what is pending is compared with it" "$(cfg diff)" '^-x'
cfg commit -m more > /dev/null
snap "$MNT" > "$T/want"
power_cut
ok "after a power cut it boots from there" boot
snap "$MNT" > "$T/have"
ok "to the last bit" cmp "$T/want" "$T/have"

# Many commits, areas change.
i=0
while [ $i -lt 20 ]; do
	i=$((i + 1))
	head -c 20000 /dev/urandom > "$MNT/noise"
	cfg commit -m "noise $i" > /dev/null || break
done
is "20 commits of noise" "$i" 20
ok "are all sound" "$CFG" -s "$there" verify

# Gone: a commit fails, in one line, and nothing is lost.
sshd_stop "$S"
echo z > "$MNT/file"
fails_with 2 'Connection refused' cfg commit
is "the tree is as it was" "$(cat "$MNT/file")" z
sshd_start "$S" "$port"
ok "and when it is back, the commit is made" cfg commit
is "as it should be" "$("$CFG" -s "$there" show :file)" z

# A copy here, for when there is no network.
ok "restore, with a copy here" "$CFG" restore --store "$url" \
    --copy "$T/copy" --base "$BASE" "$T/tree1"
ok "the copy is a store" "$CFG" -s "$T/copy" verify
is "and has all" "$("$CFG" -s "$T/copy" log)" "$("$CFG" -s "$there" log)"
echo zz > "$MNT/file"
cfg commit > /dev/null
ok "the next one brings it up to date" "$CFG" restore --store "$url" \
    --copy "$T/copy" --base "$BASE" "$T/tree2"
is "from the newest" "$(cat "$T/tree2/file")" zz
sshd_stop "$S"
run "$CFG" restore --store "$url" --copy "$T/copy" --base "$BASE" "$T/tree3"
is "without the network the copy is taken, and that is said" "$rc" 1
like "in words" "$err" 'Connection refused; from '
is "it is whole" "$(cat "$T/tree3/file")" zz
run "$CFG" restore --store "$url" --base "$BASE" "$T/tree4"
is "without a copy the base is what boots" "$rc" 1
ok "and is whole" test -f "$T/tree4/rc.d/sshd"
sshd_start "$S" "$port"

# A line of the configuration instead of an option.
echo "store = $url" > "$BASE/cfgfs/config"
ok "restore, by the base's configuration" "$CFG" restore --base "$BASE" \
    "$T/tree5"
is "from there" "$(cat "$T/tree5/file")" zz
echo "store = ftp://x" > "$BASE/cfgfs/config"
run "$CFG" restore --base "$BASE" "$T/tree6"
like "a line that is wrong is named" "$err" 'cfgfs/config:1: '
done_testing
