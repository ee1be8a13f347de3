#!/bin/sh
# sys-mirror-seal.sh: a copy that who keeps it can check and not read.
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
there=$S/root/store/box
url=sftp://mirror@127.0.0.1:$port/store/box
new_box 1M > /dev/null
mkdir "$MNT/cfgfs"
cp "$S/key" "$S/known_hosts" "$MNT/cfgfs/"
clone() {
	"$CFG" mirror clone --key "$S/key" --known-hosts "$S/known_hosts" "$@"
}

ok "add, with a key that is not there" cfg mirror add --name safe --manual \
    --encrypt seal.key "$url"
like "makes it, and says what that means" "$err" 'keep a copy elsewhere'
is "for nobody else" "$(stat -c %a "$MNT/cfgfs/seal.key")" 600
like "it is in the configuration" "$(cat "$MNT/cfgfs/config")" \
    ' encrypt=seal.key manual$'
echo 'SECRET=WORD' > "$MNT/secret"
cfg commit -m 'a telling message' > /dev/null
ok "push" cfg mirror push
# Records are masked in clear, too: what must not be there is their bytes.
hex() { od -An -v -tx1 "$1" | tr -d ' \n'; }
piece=$(dd if="$STORE" bs=1 skip=8300 count=32 2> /dev/null | od -An -v -tx1 |
    tr -d ' \n')
is "a piece of the commit" "$(hex "$STORE" | grep -c "$piece")" 1
is "is nowhere in the copy" "$(hex "$there" | grep -c "$piece")" 0
echo two > "$MNT/secret"
cfg commit -m two > /dev/null
ok "one more commit" cfg mirror push --json
like "is sent alone" "$out" '"was":1,"sent":[0-9]{1,4},'
cfg mirror push > /dev/null
i=0
while [ $i -lt 12 ]; do
	i=$((i + 1))
	head -c 60000 /dev/urandom > "$MNT/noise"
	cfg commit -m "noise $i" > /dev/null || break
	[ $((i % 4)) != 0 ] || cfg mirror push > /dev/null || break
done
is "areas come and go" "$i" 12
ok "verify" cfg mirror verify
is "finds nothing" "$out" "safe: 0 faults, 0 generations behind"
ok "who keeps it can check it" "$CFG" mirror check "$there"
is "in a line" "$out" "$there: 0 faults"
fails_with 2 'not a cfgfs store|sealed' "$CFG" -s "$there" log

ok "with the key it is all there" clone --encrypt "$MNT/cfgfs/seal.key" \
    "$url" "$T/clone"
ok "soundly" "$CFG" -s "$T/clone" verify
run clone --encrypt "$MNT/cfgfs/seal.key" "$url" "$T/a\"b" --json
like "and says it as JSON, whatever the name" "$out" \
    '^\{"store":"[^"]*/a\\"b","generation":[0-9]+\}$'
is "history and all" "$("$CFG" -s "$T/clone" log)" \
    "$("$CFG" -s "$STORE" log)"
cfg mirror add --name other --manual --encrypt other.key "$url" > /dev/null
fails_with 2 'other: .*: sealed with another key$' cfg mirror push other
fails_with 2 'sealed with another key$' clone \
    --encrypt "$MNT/cfgfs/other.key" "$url" "$T/no"
fails_with 2 'not a cfgfs store|sealed' clone "$url" "$T/no"
is "nothing was made" "$(ls "$T/no" 2> /dev/null)" ""
fails_with 2 'a sealed copy is there, and no key was named' \
    "$CFG" -s "$STORE" mirror push --key "$S/key" \
    --known-hosts "$S/known_hosts" "$url"

# Damage is found there, without the key, and mended from here.
size=$(stat -c %s "$there")
printf 'XX' | dd of="$there" bs=1 seek=$((size / 3)) conv=notrunc 2> /dev/null
printf 'XX' | dd of="$there" bs=1 seek=6000 conv=notrunc 2> /dev/null
run "$CFG" mirror check "$there"
is "damage is found without the key" "$rc" 1
run cfg mirror verify safe
is "and with it" "$rc" 1
ok "the next push mends it" cfg mirror push safe
ok "soundly" cfg mirror verify safe
ok "for its keeper, too" "$CFG" mirror check "$there"

# Cut at many places: what is there opens.
bad=''
for at in 2500 3500 6000 20000 60000; do
	head -c 60000 /dev/urandom > "$MNT/noise"
	cfg commit > /dev/null
	"$TOP/tests/proxy" --cut-out "$at" 0 "$port" > "$T/proxy" &
	proxy=$!
	until p=$(sed -n 's/^ready //p' "$T/proxy") && [ -n "$p" ]; do :; done
	sed "s/:$port /:$p /" "$S/known_hosts" > "$T/known"
	run cfg mirror push --key "$S/key" --known-hosts "$T/known" \
	    --encrypt "$MNT/cfgfs/seal.key" \
	    "sftp://mirror@127.0.0.1:$p/store/box"
	kill "$proxy"
	[ "$rc" = 2 ] || bad="$bad; $at: $rc $out"
	rm -f "$T/cut"
	run clone --encrypt "$MNT/cfgfs/seal.key" "$url" "$T/cut"
	[ "$rc" = 0 ] && "$CFG" -s "$T/cut" verify > /dev/null ||
		bad="$bad; $at: clone $rc $err"
done
is "a push that is cut leaves what opens" "$bad" ""
ok "and the next one heals it" cfg mirror push safe
ok "to what it should be" cfg mirror verify safe
done_testing
