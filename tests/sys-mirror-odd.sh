#!/bin/sh
# sys-mirror-odd.sh: mirrors on servers that are not as OpenSSH's, or have
# had things taken away; addresses of all forms; what comes at the same
# time as a push: another push, a commit, its end.
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
host=sftp://mirror@127.0.0.1:$port
known=$S/known_hosts

# again LINE...: the server with these lines of configuration.
again() {
	sshd_stop "$S"
	rm -rf "${there:?}"/*
	sshd_start "$S" "$port" "$@"
}
mirror() {
	mirror_v=$1
	shift
	timeout -k 5 "$LIMIT" "$CFG" -s "$STORE" mirror "$mirror_v" \
	    --key "$S/key" --known-hosts "$known" "$@"
}
commit() {
	head -c "${1:-100}" /dev/urandom > "$T/in/f"
	"$CFG" -s "$STORE" import --base "$BASE" "$T/in" > /dev/null
}
sum() { sha256sum < "$1"; }
gone() { ! pgrep -f "[m]irror push.*$port/"; }

mkdir -p "$BASE" "$T/in"
base_tree
"$CFG" init --size 1M "$STORE" > /dev/null
commit

# all_of URL COPY: what a mirror is for.
all_of() {
	ok "a first push" mirror push "$1"
	is "makes one file" "$(ls -A "${2%/*}")" "${2##*/}"
	commit
	ok "a second one" mirror push "$1"
	like "sends what is new" "$out" ', 1 generation in (512|[1-4][0-9]{3}) '
	ok "the copy is the store" cmp "$STORE" "$2"
	echo junk > "$2"
	ok "over something else, if it is to be" mirror push -f "$1"
	is "in one file again" "$(ls -A "${2%/*}")" "${2##*/}"
	ok "verify" mirror verify "$1"
	rm -f "$T/clone"
	ok "clone" "$CFG" mirror clone --key "$S/key" --known-hosts "$known" \
	    "$1" "$T/clone"
	is "which has all" "$("$CFG" -s "$T/clone" log)" \
	    "$("$CFG" -s "$STORE" log)"
}

# ---- another server, by another author
ges=
for f in /usr/libexec/gesftpserver /usr/lib/gesftpserver \
    /usr/local/libexec/gesftpserver; do
	[ ! -x "$f" ] || ges=$f
done
if [ -n "$ges" ]; then
	again "ForceCommand $ges" "ChrootDirectory none"
	all_of "$host$there/box" "$there/box"
else
	skip "no gesftpserver"
fi

# ---- OpenSSH's, less what it has of its own
again "ForceCommand internal-sftp -P posix-rename,fsync,limits"
all_of "$host/store/box" "$there/box"
commit
run mirror push --json "$host/store/box"
like "that the server has no fsync is said" "$err" 'no fsync: a power cut'
like "for programs, too" "$out" '"fsync":false'
run mirror push -f "$host/store/box"
is "and only where something was written" "$rc $err" "0 "

# Some let nobody set modes or sizes.
again "ForceCommand internal-sftp -P setstat,fsetstat"
run mirror push "$host/store/box"
if [ "$rc" = 0 ]; then
	ok "without SETSTAT it is pushed" "$CFG" -s "$there/box" verify
else
	is "without SETSTAT one line says so" "$rc $(echo "$err" | wc -l)" \
	    "2 1"
	diag "$err"
fi

# ---- a server that only reads; then as it was
again "ForceCommand internal-sftp -R"
before=$(sum "$STORE")
fails_with 2 'permission denied|Permission denied' mirror push \
    "$host/store/box"
is "nothing is there, and nothing changed here" \
    "$(ls -A "$there") $(sum "$STORE")" " $before"

# ---- addresses
six=
! grep -qs ' lo$' /proc/net/if_inet6 || six="ListenAddress ::1"
again "ForceCommand internal-sftp -d /store" ${six:+"$six"}
ok "a path relative to where the server puts the user" \
    mirror push "$host/~/box"
ok "is there" cmp "$STORE" "$there/box"
if [ -n "$six" ]; then
	sed 's/127.0.0.1/::1/' "$S/known_hosts" > "$T/known6"
	known=$T/known6
	commit
	ok "an IPv6 address" mirror push "sftp://mirror@[::1]:$port/store/box"
	ok "is the same host" cmp "$STORE" "$there/box"
	known=$S/known_hosts
else
	skip "no IPv6"
fi
cp "$S/known_hosts" "$T/hashed"
ssh-keygen -q -H -f "$T/hashed" > /dev/null 2>&1
is "known hosts may be hashed" "$(grep -c 127 "$T/hashed")" 0
known=$T/hashed
ok "and are known" mirror push "$host/store/box"
known=$S/known_hosts
ok "a name with blanks and percents" mirror push "$host/store/a%20b%25c"
ok "is that" cmp "$STORE" "$there/a b%c"
mkdir "$there/dir"
chown mirror: "$there/dir"
fails_with 2 'dir: ' mirror push "$host/store/dir"
fails_with 2 'dir: ' mirror push -f "$host/store/dir"
ok "a directory is left alone" test -d "$there/dir"
fails_with 2 'no/box|[Nn]o such' mirror push "$host/store/no/box"
rm -rf "${there:?}"/*

# ---- at the same time
# slow BYTES: a push in the background through a slow line; its end is in
# $T/slow.rc.
slow() {
	: > "$T/proxy"
	"$TOP/tests/proxy" --rate "$1" 0 "$port" > "$T/proxy" 2>&1 &
	proxy=$!
	await "the proxy" grep -q ready "$T/proxy"
	p=$(sed -n 's/^ready //p' "$T/proxy")
	sed "s/]:$port /]:$p /" "$S/known_hosts" > "$T/known"
	rm -f "$T/slow.rc"
	(
		"$CFG" -s "$STORE" mirror push --key "$S/key" --known-hosts \
		    "$T/known" "sftp://mirror@127.0.0.1:$p/store/box" \
		    > "$T/slow.out" 2> "$T/slow.err"
		echo $? > "$T/slow.rc"
	) &
}
fast() { kill "$proxy" && wait "$proxy" 2> /dev/null; }
begun() { [ "$(stat -c %s "$there/box.new" 2> /dev/null || echo 0)" -gt "$1" ]; }
ended() { [ -s "$T/slow.rc" ]; }
clients() { pgrep -f "[m]irror push.*:$p/" > /dev/null; }
no_clients() { ! clients; }

i=0
while [ $i -lt 6 ]; do
	i=$((i + 1))
	commit 60000
done
slow 200000
ok "a long push" await "its begin" begun 30000
ok "does not keep a commit" commit
await "its end" ended
is "nor does that keep the push" "$(cat "$T/slow.rc" "$T/slow.err")" 0
ok "what it made is a store" "$CFG" -s "$there/box" verify
fast
ok "and the next one sends the rest" mirror push "$host/store/box"
is "all of it" "$("$CFG" -s "$there/box" log)" "$("$CFG" -s "$STORE" log)"

for sig in TERM HUP KILL; do
	rm -f "$there/box" "$there/box.new"
	slow 200000
	await "its begin" begun 30000
	before=$(sum "$STORE")
	# shellcheck disable=SC2046
	kill -$sig $(pgrep -f "[m]irror push.*:$p/")
	await "its end" ended
	ok "a push that SIG$sig ends" await "the end of all" no_clients
	is "leaves no copy that counts, and the store as it was" \
	    "$(ls "$there") $(sum "$STORE")" "box.new $before"
	fast
done
# Who asked for it alone: then it may go on or end, and soon does either.
rm -f "$there/box.new"
slow 200000
await "its begin" begun 30000
# shellcheck disable=SC2046
kill -KILL $(pgrep -o -f "[m]irror push.*:$p/")
ok "where only one process is killed, the other ends" await "it" no_clients
# shellcheck disable=SC2016
ok "with a whole copy or none" sh -c '[ ! -e "$2" ] || "$1" -s "$2" verify' \
    sh "$CFG" "$there/box"
fast
rm -f "$there/box" "$there/box.new"
slow 200000
await "its begin" begun 30000
sshd_stop "$S"
await "its end" ended
is "a server that dies under it is one line" \
    "$(cat "$T/slow.rc") $(wc -l < "$T/slow.err")" "2 1"
fast
sshd_start "$S" "$port" || diag "sshd does not start again"
ok "the next one goes on" mirror push "$host/store/box"
ok "and makes a store" "$CFG" -s "$there/box" verify
is "with all there is" "$("$CFG" -s "$there/box" log)" \
    "$("$CFG" -s "$STORE" log)"

# Four at once, a few times: each is done or says why, and no copy is bad.
bad='' round=0
while [ $round -lt 3 ]; do
	round=$((round + 1))
	commit 3000
	[ $round != 3 ] || rm -f "$there/box"
	pids=
	for i in 1 2 3 4; do
		mirror push "$host/store/box" > "$T/out.$i" 2> "$T/err.$i" &
		pids="$pids $!"
	done
	i=0
	for pid in $pids; do
		i=$((i + 1))
		wait "$pid"
		c=$?
		[ $c = 0 ] || { [ $c = 2 ] &&
		    [ "$(wc -l < "$T/err.$i")" = 1 ]; } ||
			bad="$bad; $round.$i: $c $(cat "$T/err.$i")"
		[ ! -s "$T/err.$i" ] || diag "$round.$i: $(cat "$T/err.$i")"
	done
	run mirror push "$host/store/box"
	[ "$rc" = 0 ] || bad="$bad; after $round: $rc $err"
	run "$CFG" -s "$there/box" verify
	[ "$rc" = 0 ] || bad="$bad; verify $round: $rc $out"
	[ "$("$CFG" -s "$there/box" log)" = "$("$CFG" -s "$STORE" log)" ] ||
		bad="$bad; log $round"
done
is "four pushes at once do no harm" "$bad" ""
ok "nor is anything left behind" await "the end of all" gone
done_testing
