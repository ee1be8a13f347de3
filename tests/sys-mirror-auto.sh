#!/bin/sh
# sys-mirror-auto.sh: mirrors are pushed in the background: a commit waits
# for nothing and fails for nothing, status tells, and what could not be
# sent is sent when it can be, after a reboot, too.
# shellcheck source=tests/sys.sh
. "$(dirname "$0")/sys.sh"
need_root
need_fuse
[ -x "$TOP/tools/cfg-mirror" ] || skip_all "no libssh2"
# shellcheck source=tests/sshd.sh
. "$TOP/tests/sshd.sh"

HOME=$T/home
export HOME
mkdir -m 700 "$HOME"
unset SSH_AUTH_SOCK
S=$T/s
port=$(free_port)
sshd_start "$S" "$port" || skip_all "sshd does not start"
there=$S/root/store
url=sftp://mirror@127.0.0.1:$port/store

# until_ SECONDS COMMAND...: wait for a state that another process makes.
until_() {
	until_n=$(($1 * 20))
	shift
	while ! "$@" > "$T/until" 2>&1; do
		until_n=$((until_n - 1))
		[ "$until_n" -gt 0 ] || { cat "$T/until"; return 1; }
		sleep 0.05
	done
}
has() { cfg status | grep -Eq "$1"; }
is_at() { [ "$("$CFG" -s "$there/$1" log -n 1 | sed 's/  .*//')" = "@$2" ]; }
pushers() { pgrep -f 'mirror auto' > "$T/pgrep"; }
none() { ! pushers; }

new_box 1M > /dev/null
mkdir "$MNT/cfgfs"
cp "$S/key" "$S/known_hosts" "$MNT/cfgfs/"
cfg mirror add --name one "$url/one" > /dev/null
ok "a commit" cfg commit -m first
ok "is mirrored by itself" until_ 20 is_at one 1
ok "status says so" until_ 20 has '^mirror one: generation 1, 20'
ok "and nothing is left running" until_ 20 none

# The other host goes away.
sshd_stop "$S"
echo 2 > "$MNT/two"
began=$(date +%s)
ok "a commit while the other host is down" cfg commit -m second
[ $(($(date +%s) - began)) -lt 5 ]
is "waits for nothing" "$?" 0
like "and is made" "$out" '^generation 2: '
ok "status says what is wrong, and since when" until_ 20 has \
    '^mirror one: 1 generation not mirrored since 20.*: .*Connection refused$'
echo 3 > "$MNT/two"
cfg commit -m third > /dev/null
ok "another one is counted" until_ 20 has \
    '^mirror one: 2 generations not mirrored since 20'
is "one process tries again" "$(pgrep -fc 'cfg.*mirror auto')" 1
run cfg mirror status
is "for scripts, too" "$rc" 1
sshd_start "$S" "$port"
ok "it comes back, and gets what it lacks" until_ 40 is_at one 3
ok "status says so" until_ 20 has '^mirror one: generation 3, 20'
ok "and nothing is left running" until_ 20 none
ok "the copy is sound" "$CFG" -s "$there/one" verify

# A commit wakes a process that waits.
sshd_stop "$S"
echo 4 > "$MNT/two"
cfg commit > /dev/null
until_ 20 has 'Connection refused' || diag "no failure seen"
sshd_start "$S" "$port"
echo 5 > "$MNT/two"
cfg commit > /dev/null
ok "the next commit is a reason to try at once" until_ 4 is_at one 5

# Several mirrors, one of which is wrong.
cfg mirror add --name bad "sftp://mirror@127.0.0.1:1/x" > /dev/null
cfg mirror add --name two "$url/two" > /dev/null
cfg mirror add --name hand --manual "$url/hand" > /dev/null
cfg commit -m mirrors > /dev/null
ok "one that is wrong keeps no other back" until_ 20 is_at two 6
ok "is named" until_ 20 has '^mirror bad: .*Connection refused'
ok "one that is pushed by hand is left alone" test ! -e "$there/hand"
cfg mirror remove bad > /dev/null
cfg commit > /dev/null
ok "when it is gone, all is done" until_ 30 none

# A reboot, with something left to do.
sshd_stop "$S"
echo 8 > "$MNT/two"
cfg commit > /dev/null
until_ 20 has '^mirror one: 1 generation not mirrored' || diag "no failure"
power_cut
sshd_start "$S" "$port"
ok "after a power cut" boot
ok "the start pushes what is left" until_ 30 is_at one 8
ok "to all of them" until_ 30 is_at two 8

# Without the daemon, too; and who began it may go.
# shellcheck disable=SC2016
run setsid sh -c 'echo 9 > "$1/two"; "$2" -m "$1" commit; kill -9 $$; :' sh \
    "$MNT" "$CFG"
is "a commit from a session that ends" "$rc" 137
ok "is mirrored" until_ 30 is_at one 9
stop_view
done_testing
