#!/bin/sh
# sys-mirror.sh: a copy of the store on another host, whose server can do
# nothing but SFTP: pushed, extended, read there and here, verified, cloned
# to a new box; resumed where a connection was cut.
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
url=sftp://mirror@127.0.0.1:$port/store/box

# far VERB ARG...: on the store alone, as a script would.
far() {
	far_v=$1
	shift
	timeout -k 5 "$LIMIT" "$CFG" -s "$STORE" mirror "$far_v" \
	    --key "$S/key" --known-hosts "$S/known_hosts" "$@"
}
head_of() { "$CFG" -s "$1" log -n 1 | sed -n 's/^@\([0-9]*\) .*/\1/p'; }

ok "a box starts" new_box 1M
echo one > "$MNT/one"
cfg commit -m one > /dev/null
ok "a first push" far push "$url"
is "says what it did" "$out" "$url: generation 1, 1 generation in $(echo \
    "$out" | sed 's/.* in \([0-9]*\) bytes/\1/') bytes"
ok "the copy is a store" "$CFG" -s "$there/box" verify
is "with what was committed" "$("$CFG" -s "$there/box" show :one)" one
is "nobody else may read it" "$(stat -c %a "$there/box")" 600
is "nothing else is left there" "$(ls -A "$there")" box
ok "again" far push "$url"
is "there is nothing to do" "$out" "$url: up to date, generation 1"

echo two > "$MNT/one"
cfg commit -m two > /dev/null
ok "one more commit" far push --json "$url"
like "is one unit" "$out" '"generation":2,"was":1,"sent":512,'
like "in few round trips" "$out" '"waits":[1-6],'
echo three > "$MNT/one"
cfg commit -m three > /dev/null
rm "$MNT/one"
cfg commit -m four > /dev/null
ok "two more" far push "$url"
like "are two" "$out" ': generation 4, 2 generations in 1024 bytes$'
is "the history is there" \
    "$("$CFG" -s "$there/box" log | sed 's/  .*  / /')" \
    "$("$CFG" -s "$STORE" log | sed 's/  .*  / /')"
ok "the copy is the store, byte by byte" cmp "$STORE" "$there/box"

# Here as there, by its URL; key and known hosts as a user has them.
mkdir -m 700 "$HOME/.ssh"
cp "$S/key" "$HOME/.ssh/id_ed25519"
cp "$S/known_hosts" "$HOME/.ssh/known_hosts"
is "log, by its URL" "$("$CFG" -s "$url" log)" "$("$CFG" -s "$STORE" log)"
is "show" "$("$CFG" -s "$url" show 2:one)" two
ok "verify" "$CFG" -s "$url" verify
run "$CFG" -s "$url" diff @2 @3
is "diff" "$rc $(echo "$out" | tail -1)" "1 +three"
mkdir "$T/plain"
ok "export" "$CFG" -s "$url" export --base "$BASE" --gen 3 "$T/plain"
is "and what it wrote" "$(cat "$T/plain/one")" three

# Areas come and go; the copy follows, also when it was away for long.
i=0
while [ $i -lt 30 ]; do
	i=$((i + 1))
	head -c 60000 /dev/urandom > "$MNT/noise"
	cfg commit -m "noise $i" > /dev/null || break
	case $i in
	3|4|9|20|30)
		run far push "$url"
		[ "$rc" = 0 ] || { diag "$i: $err"; break; } ;;
	esac
done
is "30 commits of noise" "$i" 30
is "the copy has them" "$(head_of "$there/box")" 34
ok "and is sound" "$CFG" -s "$there/box" verify
ok "verify says so, too" far verify "$url"
is "in a line" "$out" "$url: 0 faults, 0 generations behind"

# A dead box, and a new one.
snap "$MNT" > "$T/want"
ok "a clone" "$CFG" mirror clone --key "$S/key" \
    --known-hosts "$S/known_hosts" "$url" "$T/new"
is "says what it has" "$out" "$T/new: generation 34"
ok "is sound" "$CFG" -s "$T/new" verify
is "with the history" "$("$CFG" -s "$T/new" log | wc -l)" \
    "$("$CFG" -s "$STORE" log | wc -l)"
ok "a new box from it" "$CFG" restore --store "$T/new" --base "$BASE" \
    "$T/tree"
snap "$T/tree" > "$T/have"
ok "is the old one to the last bit" cmp "$T/want" "$T/have"
fails_with 2 'is there already' "$CFG" mirror clone "$url" "$T/new"

# Pull: what the mirror has and an older card lacks.
cp "$STORE" "$T/card"
echo new > "$MNT/new"
cfg commit > /dev/null
far push "$url" > /dev/null
ok "an older card takes what it lacks" "$CFG" -s "$T/card" mirror pull \
    --key "$S/key" --known-hosts "$S/known_hosts" "$url"
like "and says so" "$out" ': generation 35 is here$'
ok "it is the store again" cmp "$STORE" "$T/card"

# A configured mirror.
mkdir "$MNT/cfgfs"
cp "$S/key" "$S/known_hosts" "$MNT/cfgfs/"
ok "add" cfg mirror add --name backup --manual "$url"
is "is a line" "$(cat "$MNT/cfgfs/config")" "mirror backup $url manual"
like "is pending like all else" "$(cfg status)" '^A cfgfs/config	'
ok "push, by its name" cfg mirror push backup
is "and it is up to date" "$out" "backup: up to date, generation 35"
cfg commit > /dev/null
like "status tells how far it is" "$(cfg status)" \
    '^mirror backup: 1 generation not mirrored$'
run cfg mirror status
is "mirror status exits 1 then" "$rc" 1
ok "push, without a name" cfg mirror push
ok "mirror status" cfg mirror status
like "says since when" "$out" "^backup $url: generation 36, 20"
like "for programs" "$(cfg --json status)" \
    '"mirrors":\[\{"name":"backup",.*"behind":0,.*"error":""\}\]'
fails_with 2 'nosuch: there is no mirror of that name' cfg mirror push nosuch
fails_with 2 'backup: there is a mirror of that name' \
    cfg mirror add --name backup "$url"
ok "remove" cfg mirror remove backup
is "takes the line out" "$(cat "$MNT/cfgfs/config")" ""
done_testing
