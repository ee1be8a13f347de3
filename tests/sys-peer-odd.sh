#!/bin/sh
# sys-peer-odd.sh: pushes to a peer that go wrong: what cuts SSH off goes
# back, as does what a power cut ends; an answer that is lost; an older card;
# a wrong host key; garbage on either side.
# shellcheck source=tests/sys.sh
. "$(dirname "$0")/sys.sh"
need_root
need_fuse
[ -x "$TOP/tools/cfg-mirror" ] || skip_all "no libssh2"
# shellcheck source=tests/sshd.sh
. "$TOP/tests/sshd.sh"
# shellcheck source=tests/peer.sh
. "$TOP/tests/peer.sh"

# ---- what cuts SSH off
mkdir "$M2/cfgfs"
echo "reload /sshd.conf $T/reload" > "$M2/cfgfs/config"
echo "peer fw2 $url trial=10s" > "$MNT/cfgfs/config"
commit_one rc.conf good
ok "a first push" push
cat > "$T/reload" <<X
#!/bin/sh
grep -q closed "$M2/sshd.conf" || exit 0
kill -9 \$(cat "$S/sshd")
X
chmod 755 "$T/reload"
cfg2 commit -m reload > /dev/null
commit_one sshd.conf closed
fails_with 2 'peer fw2: what it tries is not confirmed, and goes back by itself in 10s: .*refused' push
is "it is tried there" "$(cat "$M2/sshd.conf" 2> /dev/null)" closed
before=$(head2)
until_ok "and goes back by itself" 20 test ! -e "$M2/sshd.conf"
is "nothing was committed" "$(head2)" "$before"
sshd_up
commit_one sshd.conf open
ok "mended, it goes" push
ok "it is there" has2 sshd.conf open

# ---- the power of the peer goes in the trial
sed -i 's/trial=10s/trial=5m/' "$MNT/cfgfs/config"
commit_one sshd.conf closed
run push
is "not confirmed" "$rc" 2
for p in $(pgrep -f "cfg.* -m $M2 trial keep") $(cat "$D2/lock"); do
	kill -9 "$p"
done
umount -l "$M2"
! mountpoint -q "$M2" || umount -l "$M2"
rm -r "$D2"
boot2
ok "a boot gives what it had" has2 sshd.conf open
sshd_up
commit_one sshd.conf open2
ok "the next push goes" push
ok "it is there" has2 sshd.conf open2

# ---- the answer to the confirmation is lost
commit_one rc.conf lost
cat > "$T/serve" <<X
#!/bin/sh
echo x >> $T/calls
[ "\$(wc -l < $T/calls)" = 2 ] || exec "$CFG" -m "$M2" peer serve
# The hello is that long.
"$CFG" -m "$M2" peer serve | head -c 49
X
fails_with 2 'whether it has confirmed its trial is not known, the next push tells' push
ok "it has" has2 rc.conf lost
confirmed_lost() { [ "$("$CFG" -s "$S2" show @head:rc.conf)" = lost ]; }
until_ok "and confirmed it" 5 confirmed_lost
serves "$M2"
commit_one rc.conf found
ok "the next push knows" push
ok "what was confirmed" has2 rc.conf found
is "and one tag is left" "$(cfg tag | grep -c '^peer.fw2')" 1

# ---- another generation was agreed on: an older card
cp "$S2" "$T/card"
commit_one rc.conf newer
ok "a push" push
"$CFG" -m "$M2" tag | grep '^peer' > "$T/tags"
is "the peer has one tag for it" "$(wc -l < "$T/tags")" 1
is "and so have we" "$(cfg tag | grep -c '^peer.fw2')" 1
umount "$M2"
umount -l "$M2"
rm -r "$D2"
cp "$T/card" "$S2"
boot2
ok "an older card" has2 rc.conf found
commit_one rc.conf newest
fails_with 2 'peer fw2 agreed on something else than is known here, its generation [0-9]+ \(' push
ok "by force" push -f
like "says so" "$out" '^peer fw2: generation .* 1 path, over what it had$'
ok "and it is there" has2 rc.conf newest
commit_one rc.conf last
ok "from then on it goes as ever" push

# ---- words
fails_with 2 'nosuch: there is no peer of that name' push nosuch
fails_with 2 'not ssh://' push sftp://h/x
fails_with 64 . cfg mirror status --peer
cp "$MNT/cfgfs/known_hosts" "$T/kh"
ssh-keygen -q -t ed25519 -N '' -f "$T/otherkey"
sed "s|ssh-ed25519 .*|$(cut -d ' ' -f 1,2 "$T/otherkey.pub")|; /ecdsa/d" \
    "$T/kh" > "$MNT/cfgfs/known_hosts"
commit_one rc.conf again
fails_with 2 'peer fw2: .*key' push
cp "$T/kh" "$MNT/cfgfs/known_hosts"

# ---- garbage, both ways
cat > "$T/serve" <<X
#!/bin/sh
echo 'Welcome to this shell, and have a good day'
cat > /dev/null
X
fails_with 2 'peer fw2: .*not cfgfs that answers' push
cat > "$T/serve" <<X
#!/bin/sh
exit 0
X
fails_with 2 'peer fw2: ' push
head -c 5000 /dev/urandom > "$T/noise"
printf 'GET / HTTP/1.0\r\n\r\n' >> "$T/noise"
run sh -c '"$1" -m "$2" peer serve < "$3"' sh "$CFG" "$M2" "$T/noise"
is "noise is no peer" "$rc" 2
# A frame that is well-formed, but out of order.
printf '\000\000\000\000O' > "$T/noise"
run sh -c '"$1" -m "$2" peer serve < "$3"' sh "$CFG" "$M2" "$T/noise"
is "nor is one without a hello" "$rc" 2
like "and it is told" "$out" 'no hello came first'
is "nothing has changed there" "$(cfg2 status | head -1)" \
    "nothing pending since generation $(head2)"
done_testing
