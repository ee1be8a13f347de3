# peer.sh: two boxes of a pair for the system tests, $MNT and $M2 ($S2 is
# its store, $D2 its state directory), the second one behind a real sshd.
# Sourced behind sys.sh and sshd.sh; both boxes run then.
# shellcheck shell=sh disable=SC2154,SC2034
LIMIT=90
HOME=$T/home
export HOME
mkdir -m 700 "$HOME"
unset SSH_AUTH_SOCK
S=$T/s
port=$(free_port)
url=ssh://root@127.0.0.1:$port

# The other box: it has the same base.
M2=$T/mnt2
S2=$T/store2
D2=/run/cfgfs/$(echo "${M2#/}" | tr / -)
cfg2() { timeout -k 5 "$LIMIT" "$CFG" -m "$M2" "$@" < /dev/null; }
boot2() {
	mkdir -p "$M2"
	mount -t tmpfs -o mode=755 cfgfs-ram2 "$M2" &&
	    "$CFG" restore --store "$S2" --base "$BASE" "$M2" &&
	    timeout -k 5 "$LIMIT" "$CFGFS" \
	    -o "store=$S2,base=$BASE,state=$D2" "$M2" < /dev/null
}
head1() { "$CFG" -s "$STORE" log -n 1 | sed -n 's/^@\([0-9]*\) .*/\1/p'; }
head2() { "$CFG" -s "$S2" log -n 1 | sed -n 's/^@\([0-9]*\) .*/\1/p'; }
has2() { [ "$(cat "$M2/$1" 2> /dev/null)" = "$2" ]; }
push() { cfg mirror push --peer "$@"; }
# A change here: commit_one PATH TEXT
commit_one() { echo "$2" > "$MNT/$1" && cfg commit -m "$1" > /dev/null; }
commit_two() { echo "$2" > "$M2/$1" && cfg2 commit -m "$1" > /dev/null; }

# Who answers: serves MOUNT
serves() {
	printf '#!/bin/sh\nexec "%s" -m "%s" peer serve\n' "$CFG" "$1" \
	    > "$T/serve"
	chmod 755 "$T/serve"
}
sshd_up() {
	SSHD_SHELL=yes sshd_start "$S" "$port" "Subsystem cfgfs $T/serve"
}

new_box 2M || skip_all "no box"
"$CFG" init --size 2M "$S2"
boot2 || skip_all "no second box"
serves "$M2"
sshd_up || skip_all "sshd does not start"

mkdir -p "$MNT/cfgfs"
cp "$S/key" "$S/known_hosts" "$MNT/cfgfs/"
