#!/bin/sh
# sys-peer.sh: two boxes of a pair: what one has committed is offered to the
# other, tried there and confirmed over a second connection; refused where
# the other one has something to lose; and what cuts SSH off goes back.
# shellcheck source=tests/sys.sh
. "$(dirname "$0")/sys.sh"
need_root
need_fuse
[ -x "$TOP/tools/cfg-mirror" ] || skip_all "no libssh2"
# shellcheck source=tests/sshd.sh
. "$TOP/tests/sshd.sh"
# shellcheck source=tests/peer.sh
. "$TOP/tests/peer.sh"

# ---- the first push
mkdir -p "$MNT/ssh"
cat > "$MNT/cfgfs/config" <<X
peer fw2 $url trial=30s
peer-exclude /local.conf
peer-subst *.conf fw1 fw2
peer-subst /hosts 10.0.0.1 10.0.0.2
peer-subst /hosts 10.0.0.2 10.0.0.1
X
fails_with 2 'nothing was ever committed here' push
echo 'hostname="fw1"' > "$MNT/rc.conf"
printf '10.0.0.1 me\n10.0.0.2 you\n10.0.0.12 other\n' > "$MNT/hosts"
echo secret > "$MNT/ssh/ssh_host_key"
echo fw1 > "$MNT/hostname"
echo mine > "$MNT/local.conf"
mkdir -m 750 "$MNT/d"
echo x > "$MNT/d/x"
chown 7:8 "$MNT/d/x"
chmod 640 "$MNT/d/x"
ln "$MNT/d/x" "$MNT/d/y"
ln -s 'd/x' "$MNT/link"
rm -r "$MNT/mail"
ok "a commit here" cfg commit -m 'first'
ok "what would be sent" push -n
like "is listed" "$out" '^M rc.conf$'
like "and what goes" "$out" '^D mail$'
like "and counted" "$out" '^peer fw2: [0-9]+ paths, [0-9]+ bytes of content, of generation 1$'
# shellcheck disable=SC2016
not_ok "without what never crosses" sh -c \
    'printf "%s\n" "$1" | grep -E "cfgfs|ssh_host|hostname|local.conf"' sh "$out"
is "nothing has happened there" "$(cfg2 status | head -1)" \
    "nothing pending since generation 0"
ok "the push" push fw2
is "says what is what" "$out" "peer fw2: generation 1 is its generation 1, $(echo \
    "$out" | sed 's/.*, //')"
is "nothing is pending there" "$(cfg2 status | head -1)" \
    "nothing pending since generation 1"
is "text is as it is there" "$(cat "$M2/rc.conf")" 'hostname="fw2"'
is "two names change places, a longer one stays" "$(cat "$M2/hosts")" \
    "10.0.0.2 me
10.0.0.1 you
10.0.0.12 other"
is "modes and owners" "$(stat -c '%a %u:%g %h' "$M2/d/x") $(stat -c %a "$M2/d")" \
    "640 7:8 2 750"
is "hard links" "$(stat -c %i "$M2/d/x")" "$(stat -c %i "$M2/d/y")"
is "symbolic links" "$(readlink "$M2/link")" d/x
not_ok "what was removed is gone" test -e "$M2/mail"
for f in cfgfs/config cfgfs/key ssh/ssh_host_key hostname local.conf; do
	not_ok "$f has not crossed" test -e "$M2/$f"
done
like "its log tells from whom" "$(cfg2 log -n 1)" 'from .*: first$'
ok "mirror status" cfg mirror status
is "tells what was agreed on" "$out" \
    "peer fw2 $url: generation 1 is its generation 1"
like "for programs" "$(cfg --json mirror status)" \
    '"peers":\[\{"name":"fw2","url":"[^"]*","generation":1,"its_generation":1\}\]'
ok "again" push
is "there is nothing to do" "$out" \
    "peer fw2: generation 1 is its generation 1, nothing to push"

# ---- what changed since
echo 'hostname="fw1" # 2' > "$MNT/rc.conf"
rm "$MNT/d/y"
chmod 700 "$MNT/d"
echo not > "$MNT/hostname"
cfg commit -m second > /dev/null
ok "a second push" push --json
is "for programs" "$out" \
    '{"peer":"fw2","generation":2,"its_generation":2,"paths":3,"forced":false}'
ok "a file" has2 rc.conf 'hostname="fw2" # 2'
is "a mode, and a name less" "$(stat -c %a "$M2/d") $(ls "$M2/d")" "700 x"

# ---- the other way
mkdir -p "$M2/cfgfs"
cp "$S/key" "$S/known_hosts" "$M2/cfgfs/"
sed 's/fw1 fw2/fw2 fw1/; s/peer fw2/peer fw1/' \
    "$MNT/cfgfs/config" > "$M2/cfgfs/config"
cfg2 commit -m config > /dev/null
serves "$MNT"
ok "the other way" cfg2 mirror push --peer
is "they agree: nothing goes back" "$out" \
    "peer fw1: generation 2 is its generation 2, nothing to push"
commit_two motd 'fw2 says'
commit_two pf.conf 'on fw2'
ok "what the other one has made" cfg2 mirror push --peer
is "comes here" "$(cat "$MNT/motd") $(cat "$MNT/pf.conf")" "fw2 says on fw1"
is "and both say the same" "$out" \
    "peer fw1: generation 5 is its generation 3, 2 paths"
serves "$M2"
ok "and here" push
is "nothing goes back again" "$out" \
    "peer fw2: generation 3 is its generation 5, nothing to push"

# ---- refused: commits of its own
commit_one motd one
commit_two motd two
commit_two other two
fails_with 2 "^cfg: mirror: peer fw2 has changes of its own since generation 5: motd, other \(see" push
like "for programs" "$(cfg --json mirror push --peer 2> /dev/null)" \
    '^\{"peer":"fw2","refused":true,"error":"has changes of its own'
ok "nothing was touched" has2 motd two
echo one > "$M2/motd"
rm "$M2/other"
cfg2 commit -m agree > /dev/null
ok "what both did is no conflict" push
is "and is agreed on" "$out" \
    "peer fw2: generation $(head1) is its generation $(head2), nothing to push"

# ---- refused: pending
commit_one rc.conf three
echo mine > "$M2/rc.conf"
echo elsewhere > "$M2/elsewhere"
fails_with 2 'peer fw2 has pending changes in the way: rc.conf \(see' push
fails_with 2 'peer fw2 has pending changes in the way: rc.conf \(see' push -f
ok "nothing was touched" has2 rc.conf mine
ok "resolved" cfg2 revert rc.conf
ok "then it goes" push
ok "it is there" has2 rc.conf three
is "and what was in nobody's way is still pending" \
    "$(cfg2 status | sed -n 1p | cut -f 1)" "A elsewhere"
rm "$M2/elsewhere"

# ---- refused: a trial
commit_one rc.conf four
echo t > "$M2/trial"
ok "a trial runs there" cfg2 commit --trial 1m
fails_with 2 'peer fw2 has a trial that runs' push
ok "it ends" cfg2 cancel
ok "then it goes" push

# ---- refused: its checks
mkdir -p "$M2/cfgfs/hooks/pre-commit"
cat > "$M2/cfgfs/hooks/pre-commit/no" <<'X'
#!/bin/sh
! grep -q bad "$CFG_MOUNT/rc.conf" || { echo 'a bad word'; exit 1; }
X
chmod 755 "$M2/cfgfs/hooks/pre-commit/no"
cfg2 commit -m hook > /dev/null
commit_one rc.conf bad
fails_with 2 'peer fw2 refuses it: .*a bad word' push
ok "the tree there is as before" has2 rc.conf four
is "nothing is pending" "$(cfg2 status | head -1)" \
    "nothing pending since generation $(head2)"
commit_one rc.conf good
ok "mended here, it goes" push

done_testing
