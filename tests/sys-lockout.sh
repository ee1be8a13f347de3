#!/bin/sh
# sys-lockout.sh: who locks himself out of a box in a trial gets in again
# when its time is over.  The box is a network namespace with an sshd and an
# nftables whose configuration is in the view; the administrator sits in
# another one, and has nothing but SSH.
. "$(dirname "$0")/sys.sh"
need_root
need_fuse
# shellcheck source=tests/sshd.sh
. "$TOP/tests/sshd.sh"

for p in ip nft nsenter ssh sshd; do
	command -v "$p" > /dev/null || skip_all "no $p"
done

# ---- two hosts and a wire
S=$T/sshd
KEEPER="cfg.* -m $MNT trial keep"
nets() {
	ip netns add box && ip netns add adm &&
	    ip -n box link add eth0 type veth peer name eth0 netns adm &&
	    ip -n box addr add 192.0.2.1/24 dev eth0 &&
	    ip -n adm addr add 192.0.2.2/24 dev eth0 &&
	    ip -n box link set eth0 up && ip -n adm link set eth0 up &&
	    ip -n box link set lo up
}
in_box() { nsenter --net=/run/netns/box "$@"; }
nets > "$T/nets" 2>&1 || skip_all "no network namespaces: $(tail -1 "$T/nets")"
printf 'table inet t {\n}\n' > "$T/nft"
in_box nft -f "$T/nft" 2> /dev/null || skip_all "no nftables here"

# ssh_ PORT COMMAND: a login from the other host, which is given up where
# no answer comes for two seconds.
ssh_() {
	ssh_port=$1
	shift
	nsenter --net=/run/netns/adm timeout -k 5 "$LIMIT" ssh -F "$T/ssh" \
	    -p "$ssh_port" box "$@" < /dev/null
}
shut_out() { ! ssh_ 22 true; }
rules() {
	cat <<X
flush ruleset
table inet filter {
	chain input {
		type filter hook input priority 0; policy accept;
		$1
	}
}
X
}

# ---- the box
mkdir -p "$S" /run/sshd
if ! sshd_user || ! sshd_make "$S"; then
	skip_all "no keys can be made"
fi
base_tree() {
	mkdir -p "$BASE/ssh" "$BASE/cfgfs/hooks/post-rollback"
	cat > "$BASE/ssh/sshd_config" <<X
Port 22
HostKey $S/host_ed25519
PidFile $S/pid
AuthorizedKeysFile $S/authorized_keys
StrictModes no
UsePAM no
UseDNS no
PasswordAuthentication no
KbdInteractiveAuthentication no
X
	rules 'tcp dport 23 drop' > "$BASE/nftables.conf"
	cat > "$BASE/cfgfs/config" <<X
reload nftables.conf nft -f %r/nftables.conf
reload ssh sh -c 'kill -HUP \$(cat $S/pid)'
X
	cat > "$BASE/cfgfs/hooks/post-rollback/log" <<X
#!/bin/sh
{ echo "gen \$CFG_GENERATION: \$CFG_MESSAGE"; cat; } >> $T/rolled
X
	chmod 755 "$BASE/cfgfs/hooks/post-rollback/log"
}
cat > "$T/ssh" <<X
Host box
	HostName 192.0.2.1
	User root
	IdentityFile $S/key
	IdentitiesOnly yes
	BatchMode yes
	UserKnownHostsFile $T/known
	StrictHostKeyChecking yes
	HostKeyAlias box
	CheckHostIP no
	ConnectTimeout 2
	ServerAliveInterval 1
	ServerAliveCountMax 2
	LogLevel ERROR
X
echo "box $(cut -d ' ' -f 1,2 "$S/host_ed25519.pub")" > "$T/known"

new_box || skip_all "no box"
in_box nft -f "$MNT/nftables.conf"
in_box "$(command -v sshd)" -D -e -f "$MNT/ssh/sshd_config" \
    > "$S/log" 2>&1 < /dev/null &
until_ok "the administrator gets in" 20 ssh_ 22 true
sshd=$(cat "$S/pid")
# Else the first commits are of the first one's state.
ok "and commits" ssh_ 22 "echo box > $MNT/hostname && $CFG -m $MNT commit"

# What he does, line by line.  The programs are those under test.
by_ssh() {
	{ printf 'set -e\nPATH=%s\nM=%s\n' "$PATH" "$MNT"; cat; } > "$T/todo"
	rm -f "$T/begun" "$T/rolled"
	run ssh_ "$1" sh "$T/todo"
}
has() { cmp -s "$MNT/$1" "$BASE/$1"; }
keeps() { [ "$(pgrep -f "$KEEPER" | wc -l)" = "$1" ]; }
head_is() { "$CFG" -s "$STORE" log -n 1 | grep -q "^@$1 "; }
# as_before PATH: what all that ran out have in common.
as_before() {
	ok "the file is as before" has "$1"
	is "the hook has been told" "$(cat "$T/rolled")" \
	    "gen 1: a trial has run out
$1"
	ok "the head is the one before" head_is 1
	is "nothing is pending" "$(cfg status | head -1)" \
	    "nothing pending since generation 1"
	is "it is known how it ended" "$(cfg trial)" \
	    "no trial runs; the last one: it ran out, and was taken back"
	until_ok "nobody waits any more" 10 keeps 0
}

# ---- the firewall
rules 'tcp dport 22 drop' > "$T/drop"
by_ssh 22 <<X
cp $T/drop \$M/nftables.conf
cfg -m \$M commit --trial 8s --confirm-if 'ssh -F $T/ssh box true'
touch $T/begun
nft -f \$M/nftables.conf
sleep 60
X
is "firewall: the session that made it is cut off" "$rc" 255
ok "firewall: once the trial had begun" test -e "$T/begun"
ok "firewall: no other gets in" shut_out
not_ok "firewall: it is not taken back early" has nftables.conf
until_ok "firewall: in time one gets in again" 30 ssh_ 22 true
like "firewall: by the rules of before" "$(in_box nft list ruleset)" \
    'tcp dport 23 drop'
as_before nftables.conf

# ---- sshd itself
by_ssh 22 <<X
sed -i 's/^Port 22/Port 2222/' \$M/ssh/sshd_config
cfg -m \$M commit --trial 9s
kill -HUP \$(cat $S/pid)
X
is "sshd: the trial has begun" "$rc" 0
until_ok "sshd: it listens elsewhere" 5 ssh_ 2222 true
run ssh_ 22 true
like "sshd: and not where it did" "$err" 'Connection refused'
until_ok "sshd: in time it is where it was" 30 ssh_ 22 true
run ssh_ 2222 true
like "sshd: and nowhere else" "$err" 'Connection refused'
as_before ssh/sshd_config

# ---- the session dies with all its processes
cat > "$T/todo" <<X
PATH=$PATH
cp $T/drop $MNT/nftables.conf
cfg -m $MNT commit --trial 5s
nft -f $MNT/nftables.conf
touch $T/begun
sleep 60
X
rm -f "$T/begun" "$T/rolled"
ssh_ 22 -tt "sh $T/todo" > "$T/session" 2>&1 &
until_ok "killed: the trial has begun" 20 test -e "$T/begun"
sessions=$(sshd_tree "$sshd" | grep -vx "$sshd")
keeper=$(pgrep -f "$KEEPER")
# shellcheck disable=SC2086
kill -9 $sessions
wait $!
ok "killed: who waits for the end is none of sshd's" keeps 1
is "killed: and the same as before" "$(pgrep -f "$KEEPER")" "$keeper"
ok "killed: nobody gets in" shut_out
until_ok "killed: in time one gets in again" 30 ssh_ 22 true
as_before nftables.conf

# ---- a login that works is what confirms it
rules 'tcp dport 24 drop' > "$T/good"
by_ssh 22 <<X
cp $T/good \$M/nftables.conf
cfg -m \$M commit --trial 1m -m 'no more 24' \
    --confirm-if 'ssh -F $T/ssh box true'
nft -f \$M/nftables.conf
X
is "a login that works: the trial has begun" "$rc" 0
until_ok "a login that works: confirms it" 30 head_is 2
like "a login that works: with its message" \
    "$("$CFG" -s "$STORE" log -n 1)" 'no more 24$'
is "a login that works: the rules are those of the trial" \
    "$("$CFG" -s "$STORE" show @head:nftables.conf)" "$(cat "$T/good")"
is "a login that works: nothing is pending" "$(cfg status | head -1)" \
    "nothing pending since generation 2"
not_ok "a login that works: nothing was taken back" test -e "$T/rolled"
until_ok "a login that works: nobody waits any more" 10 keeps 0
kill "$sshd"
done_testing
