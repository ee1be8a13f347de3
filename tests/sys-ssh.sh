#!/bin/sh
# sys-ssh.sh: an SSH connection to a real sshd, from a process that gave
# everything else up: keys, agents, passphrases; known, unknown, changed
# and revoked hosts; servers that stall, refuse, or are none.
. "$(dirname "$0")/sys.sh"
need_root
# shellcheck source=tests/sshd.sh
. "$TOP/tests/sshd.sh"

CAT=$TOP/tests/sshcat
[ -x "$CAT" ] || skip_all "no libssh2"
ONPTY=$TOP/tests/onpty
HOME=$T/home
export HOME
mkdir -m 700 "$HOME" "$HOME/.ssh"
unset SSH_AUTH_SOCK

S=$T/s
port=$(free_port)
sshd_start "$S" "$port" || skip_all "sshd does not start"
url=sftp://mirror@127.0.0.1:$port/store/x
known=$S/known_hosts

# cat ARG...: with the host known.
cat_() { timeout -k 5 "$LIMIT" "$CAT" --known "$known" "$@" "$url"; }

# ---- keys
run cat_ --key "$S/key"
is "an ed25519 key is enough" "$rc $(echo "$out" | head -1)" "0 SFTP 3"
like "the socket's bytes are counted" "$out" '^[0-9]{4,} in, [0-9]{4,} out$'
is "and it is confined" "$(echo "$out" | grep -c 'not confined')" 0

ssh-keygen -q -t ecdsa -N '' -f "$T/ecdsa"
ssh-keygen -q -t ecdsa -b 521 -N '' -f "$T/ecdsa521"
ssh-keygen -q -t ecdsa -m PEM -N '' -f "$T/pem"
ssh-keygen -q -t ed25519 -N secret -f "$T/locked"
ssh-keygen -q -t ecdsa -m PEM -N secret -f "$T/lockedpem"
ssh-keygen -q -t rsa -N '' -f "$T/rsa"
ssh-keygen -q -t ed25519 -N '' -f "$T/wrong"
ssh-keygen -q -t ed25519 -N '' -f "$T/other"
cat "$T/ecdsa.pub" "$T/ecdsa521.pub" "$T/pem.pub" "$T/locked.pub" \
    "$T/lockedpem.pub" "$T/rsa.pub" >> "$S/authorized_keys"

for k in ecdsa ecdsa521 pem; do
	ok "a key of another kind: $k" cat_ --key "$T/$k"
done
fails_with 2 'mirror@127.0.0.1:[0-9]+: no key is accepted \(tried: .*wrong\)' \
    cat_ --key "$T/wrong"
fails_with 2 'locked: it needs a passphrase, and nobody can be asked' \
    cat_ --key "$T/locked"
run cat_ --key "$T/rsa"
if [ "$rc" = 0 ]; then
	ok "an RSA key, by a libssh2 that can" true
else
	like "an RSA key is passed over, and that is said" "$err" \
	    "rsa: this libssh2 \(1\.[0-9.]+\) can't use RSA keys with SHA-2; use ed25519"
fi
echo 'no key' > "$T/junk"
chmod 600 "$T/junk"
fails_with 2 'junk: no private key that can be read' cat_ --key "$T/junk"
cp "$S/key" "$T/open"
chmod 640 "$T/open"
fails_with 2 'open: others may read it' cat_ --key "$T/open"
fails_with 2 'nowhere: No such file' cat_ --key "$T/nowhere"
fails_with 2 'not a regular file' cat_ --key "$T"
head -c 70000 /dev/zero > "$T/large"
chmod 600 "$T/large"
fails_with 2 'larger than 65536 bytes' cat_ --key "$T/large"

# Without --key: the configuration's, then the user's own.
mkdir "$T/conf"
cp "$T/wrong" "$T/conf/key"
cp "$T/ecdsa" "$HOME/.ssh/id_ecdsa"
cp "$known" "$T/conf/known_hosts"
ok "keys are tried in order, known hosts are found" \
    timeout "$LIMIT" "$CAT" --conf "$T/conf" "$url"
rm "$HOME/.ssh/id_ecdsa"
cp "$S/key" "$T/conf/key"
ok "names are relative to the configuration" \
    timeout "$LIMIT" "$CAT" --conf "$T/conf" --key key \
    --known known_hosts "$url"
rm -r "$T/conf"

# ---- an agent
eval "$(ssh-agent -s)" > /dev/null
fails_with 2 'no key is accepted \(tried: none\)' cat_
for i in 1 2 3; do
	ssh-keygen -q -t ed25519 -N '' -C "spare $i" -f "$T/spare$i"
	ssh-add -q "$T/spare$i"
done
ssh-add -q "$T/rsa"
fails_with 2 'tried: spare 1, spare 2, spare 3' cat_
ssh-add -q "$S/key"
ok "an agent's ed25519 key" cat_
ssh-add -q -D
ssh-add -q "$T/ecdsa"
ok "an agent's ecdsa key" cat_
SSH_ASKPASS_REQUIRE=force SSH_ASKPASS=$T/askpass
export SSH_ASKPASS SSH_ASKPASS_REQUIRE
printf '#!/bin/sh\necho secret\n' > "$T/askpass"
chmod 755 "$T/askpass"
ssh-add -q -D
ssh-add -q "$T/locked" 2> /dev/null < /dev/null
ok "an agent's key whose file has a passphrase" cat_
ssh-add -q -D
for i in 1 2 3 4 5 6 7 8 9; do
	ssh-keygen -q -t ed25519 -N '' -C "many $i" -f "$T/many$i"
	ssh-add -q "$T/many$i"
done
fails_with 2 'tried: many 1, .*; then it closed the connection' cat_
kill "$SSH_AGENT_PID"
unset SSH_AUTH_SOCK SSH_AGENT_PID

# ---- a passphrase, on a terminal
# pty [EXPECT SEND]... -- ARG...
pty() {
	timeout -k 5 "$LIMIT" "$ONPTY" "$@"
}
run pty "Passphrase of $T/locked: " secret -- "$CAT" --known "$known" \
    --key "$T/locked" --ask "$url"
like "a passphrase is asked for" "$rc $out" 'SFTP 3'
is "and is not shown" "$(echo "$out" | grep -c secret)" 0
like "the terminal is as before" "$out" 'echo is on'
run pty "Passphrase" wrong "Passphrase" secret -- "$CAT" --known "$known" \
    --key "$T/lockedpem" --ask "$url"
like "once more where it was wrong; in a PEM file" "$rc $out" 'SFTP 3'
run pty "Passphrase" no "Passphrase" nono "Passphrase" nonono -- "$CAT" \
    --known "$known" --key "$T/locked" --ask "$url"
is "three times in all" "$rc $(echo "$out" | grep -c Passphrase)" "2 3"
like "then it is passed over" "$out" 'locked: no passphrase that fits'
run pty "Passphrase" "^C" -- "$CAT" --known "$known" --key "$T/locked" \
    --ask "$url"
is "^C ends it at the prompt" "$rc" 130
like "with the terminal as before" "$out" 'echo is on'
run pty "Passphrase" "^Z" "Passphrase" secret -- "$CAT" --known "$known" \
    --key "$T/locked" --ask "$url"
like "^Z stops it, with the terminal as before" "$out" 'stopped, echo is on'
like "and then it asks again" "$out" 'SFTP 3'

# ---- the host's key
print=$(ssh-keygen -l -f "$S/host_ed25519.pub" | cut -d ' ' -f 2)
: > "$T/none"
fails_with 2 "127.0.0.1:$port: unknown host key ssh-ed25519 $(echo "$print" |
    sed 's/[+/]/./g'); " "$CAT" --known "$T/none" --key "$S/key" "$url"
run pty "yes/no)? " no -- "$CAT" --known "$T/none" --key "$S/key" --ask "$url"
like "an unknown host is asked about" "$rc $out" "not accepted"
like "its fingerprint is shown" "$out" "key is $(echo "$print" |
    sed 's/[+/]/./g')"
is "and not learnt where the answer is no" "$(wc -c < "$T/none")" 0
run pty "yes/no)? " "^C" -- "$CAT" --known "$T/none" --key "$S/key" --ask \
    "$url"
is "nor at ^C" "$rc $(wc -c < "$T/none")" "130 0"
printf '# no newline at the end' > "$T/none"
run pty "yes/no)? " maybe "yes or no: " yes -- "$CAT" --known "$T/none" \
    --key "$S/key" --ask "$url"
like "where it is yes, the connection goes on" "$rc $out" "SFTP 3"
is "and the key is learnt, on a line of its own" "$(tail -1 "$T/none")" \
    "[127.0.0.1]:$port $(cut -d ' ' -f 1,2 "$S/host_ed25519.pub")"
known=$T/none
ok "so that it is known the next time" cat_ --key "$S/key"
rm -f "$HOME/.ssh/known_hosts"
run pty "yes/no)? " yes -- "$CAT" --key "$S/key" --ask "$url"
ok "it is learnt in ~/.ssh where nothing else is said" \
    timeout "$LIMIT" "$CAT" --key "$S/key" "$url"
ssh-keygen -q -H -f "$T/none" > "$T/log" 2>&1
is "names may be hashed" "$(grep -c "$port" "$T/none")" 0
ok "and are known" cat_ --key "$S/key"

echo "[127.0.0.1]:$port $(cut -d ' ' -f 1,2 "$T/other.pub")" > "$T/changed"
known=$T/changed
fails_with 2 "127.0.0.1:$port: HOST KEY HAS CHANGED: it shows ssh-ed25519 " \
    cat_ --key "$S/key"
run pty -- "$CAT" --known "$known" --key "$S/key" --ask "$url"
like "loudly, on a terminal" "$out" "^WARNING: 127.0.0.1:$port SHOWS ANOTHER"
is "and nobody is asked" "$rc $(echo "$out" | grep -c yes/no)" "2 0"
{
	grep ed25519 "$S/known_hosts"
	echo "@revoked * $(cut -d ' ' -f 1,2 "$S/host_ed25519.pub")"
} > "$T/revoked"
known=$T/revoked
fails_with 2 'HOST KEY IS REVOKED' cat_ --key "$S/key"

# The server has two keys: the one that is known is asked for.
grep ecdsa "$S/known_hosts" > "$T/ecdsaonly"
known=$T/ecdsaonly
ok "the type that is known is asked for" cat_ --key "$S/key"
known=$S/known_hosts

fails_with 2 'nowhere: No such file' \
    "$CAT" --known "$T/nowhere" --key "$S/key" "$url"

ssh-keygen -q -t rsa -N '' -f "$T/hostrsa"
echo "[127.0.0.1]:$port $(cut -d ' ' -f 1,2 "$T/hostrsa.pub")" > "$T/rsaonly"
known=$T/rsaonly
fails_with 2 'known by its RSA key alone, and this libssh2|KEY HAS CHANGED' \
    cat_ --key "$S/key"
known=$S/known_hosts

# ---- much at once
run cat_ --key "$S/key" --bulk
like "both directions go on while buffers are full" "$rc $out" 'bulk: all'

# ---- servers
sshd_stop "$S"
fails_with 2 '^sshcat: 127.0.0.1: Connection refused' cat_ --key "$S/key"
SSHD_SFTP=no
sshd_start "$S" "$port"
SSHD_SFTP=
fails_with 2 'it has no SFTP, or not for this user' cat_ --key "$S/key"
sshd_stop "$S"
sshd_start "$S" "$port" "AuthenticationMethods keyboard-interactive" \
    "PubkeyAuthentication no" "KbdInteractiveAuthentication yes" &&
    fails_with 2 'keys are not accepted there, only' cat_ --key "$S/key"
sshd_stop "$S"
sshd_start "$S" "$port" "Ciphers aes128-cbc" &&
    fails_with 2 'no common algorithms' cat_ --key "$S/key"
sshd_stop "$S"

E=$T/e
SSHD_KEYS=ecdsa
sshd_start "$E" "$port"
SSHD_KEYS=
fails_with 2 'HOST KEY HAS CHANGED: it shows ecdsa.*known by another' \
    cat_ --key "$S/key"
known=$E/known_hosts
ok "a server with an ecdsa key alone" cat_ --key "$E/key"
sshd_stop "$E"
R=$T/r
SSHD_KEYS=rsa
sshd_start "$R" "$port"
SSHD_KEYS=
: > "$T/unknown"
known=$T/unknown
run cat_ --key "$R/key"
if printf '%s\n' "$err" | grep -q 'unknown host key ssh-rsa'; then
	ok "a server with an RSA key alone, by a libssh2 that can" true
else
	like "a server with an RSA key alone, unknown: why not" "$err" \
	    "no common host key algorithm: it has rsa-sha2-512,rsa-sha2-256; this libssh2 .*ed25519"
fi
sshd_stop "$R"

# serve PORT ACT: one connection after the other: `stall` says nothing,
# `line` stops behind its first line, `http` is something else, `close`
# closes at once, `flood` sends for ever, `full` takes no connection.
serve() {
	perl -MIO::Socket::INET -e '
	my ($port, $act) = @ARGV;
	my $l = IO::Socket::INET->new(LocalAddr => "127.0.0.1",
	    LocalPort => $port, Listen => $act eq "full" ? 1 : 5,
	    ReuseAddr => 1) or die;
	$| = 1; $SIG{PIPE} = "IGNORE";
	my @kept;
	if ($act eq "full") {
		# Until there is no room for one that is not accepted.
		while (my $c = IO::Socket::INET->new(PeerAddr => "127.0.0.1",
		    PeerPort => $port, Timeout => 0.2)) {
			push @kept, $c;
		}
		print "ready\n";
		sleep 1000;
	}
	print "ready\n";
	while (my $c = $l->accept) {
		$c->autoflush(1);
		push @kept, $c if $act =~ /stall|line/;
		print $c "SSH-2.0-slow\r\n" if $act eq "line";
		print $c "HTTP/1.1 400 Bad Request\r\n\r\n" if $act eq "http";
		if ($act eq "flood") {
			print $c "x" x 1000, "\n" or last for 1 .. 1e9;
		}
		close $c unless $act =~ /stall|line/;
	}' "$1" "$2" > "$T/serve" 2>&1 &
	served=$!
	await "a server" grep -q ready "$T/serve"
}
unserve() { kill -9 "$served"; wait "$served" 2> /dev/null; }

known=$T/none
serve "$port" stall
fails_with 2 'no answer for 1 seconds \(-110\)' cat_ --key "$S/key" --seconds 1
unserve
serve "$port" full
fails_with 2 '127.0.0.1: no answer \(-110\)' cat_ --key "$S/key" --seconds 1
unserve
serve "$port" line
fails_with 2 'no answer for 1 seconds' cat_ --key "$S/key" --seconds 1
unserve
serve "$port" flood
fails_with 2 'not an SSH server|no answer' cat_ --key "$S/key" --seconds 1
unserve
serve "$port" http
fails_with 2 "127.0.0.1:$port: not an SSH server" cat_ --key "$S/key"
unserve
serve "$port" close
fails_with 2 "127.0.0.1:$port: closed the connection" cat_ --key "$S/key"
unserve
fails_with 2 'no such host|looked up' "$CAT" --known "$T/none" \
    --key "$S/key" sftp://mirror@nowhere.invalid/x
done_testing
