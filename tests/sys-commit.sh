#!/bin/sh
# sys-commit.sh: what status, commit and revert promise, through the view.
# shellcheck source=tests/sys.sh
. "$(dirname "$0")/sys.sh"
need_root
need_fuse

pending() { cfg status | sed -n 's/^\([ADMTm] [^	]*\).*/\1/p'; }
sum() { sha256sum < "$STORE"; }

ok "a box starts" new_box 1M
like "nothing is pending at first" "$(cfg status)" '^nothing pending'
ok "status -q says so by exit 0" cfg status -q

# What other ways lose, each by an ordinary program, without a terminal.
rm "$MNT/passwd.old"
chmod 600 "$MNT/rc.d/sshd"
chown 7:8 "$MNT/ssh/sshd_config"
ln -s /usr/share/zoneinfo/UTC "$MNT/localtime"
mkdir "$MNT/empty"
echo x > "$MNT/.shrc"
echo x > "$MNT/a name with spaces"
sed -i s/NO/YES/ "$MNT/rc.conf"
is "all that save_cfg loses is pending" "$(pending)" "A .shrc
A a name with spaces
A empty
A localtime
D passwd.old
M rc.conf
m rc.d/sshd
m ssh/sshd_config"
not_ok "status -q says so by exit 1" cfg status -q
is "and that is exit 1" "$rc" 1
ok "status itself says it in words" cfg status
like "with who did it" "$(cfg status rc.conf)" '^M rc.conf	root: sed, '
like "for programs, too" "$(cfg --json status rc.conf)" \
    '"path": ?"rc.conf","change":"M","who":\[\{"uid":0,"user":"root",'

before=$(sum)
like "commit -n says what would be" "$(cfg commit -n)" \
    '^8 paths, [0-9]+ bytes of content, would be generation 1$'
is "and writes nothing" "$(sum)" "$before"
not_ok "nor is anything less pending" cfg status -q

ok "some paths alone" cfg commit -m "mode alone" rc.d/sshd
like "are one generation" "$out" '^generation 1: 1 path, [0-9]+ bytes$'
like "the others stay, with who did it" "$(cfg status)" \
    '^M rc.conf	root: sed, '
is "all of them" "$(pending | wc -l)" 7
ok "all the rest" cfg commit -m "the rest"
like "is another" "$out" '^generation 2: 7 paths, '
like "nothing is pending then" "$(cfg status)" \
    '^nothing pending since generation 2'
before=$(sum)
ok "a commit of nothing is no failure" cfg commit
is "it says so" "$out" "nothing pending"
is "and writes nothing, too" "$(sum)" "$before"

snap "$MNT" > "$T/want"
echo lost > "$MNT/lost"
power_cut
ok "after a power cut" boot
snap "$MNT" > "$T/have"
ok "all is there to the last bit, and what was not committed is gone" \
    cmp "$T/want" "$T/have"

# Back to what the base has: it follows it from then on.
sed -i s/YES/NO/ "$MNT/rc.conf"
cfg commit > /dev/null
echo 'new="image"' >> "$BASE/rc.conf"
ok "an upgraded base" cfg restore --base "$BASE" --store "$STORE" "$T/up"
is "is followed by what was equal to the old one" \
    "$(cat "$T/up/rc.conf")" "$(cat "$BASE/rc.conf")"
sed -i '$d' "$BASE/rc.conf"

# Directories move as a whole.
mv "$MNT/rc.d" "$MNT/rc.new"
echo y > "$MNT/rc.new/more"
is "a renamed directory" "$(pending)" "D rc.d
D rc.d/sshd
A rc.new
A rc.new/more
A rc.new/sshd"
ok "is given back as it was" cfg revert rc.d rc.new
like "revert says what it did" "$out" '^5 paths reverted$'
is "nothing of it stays pending" "$(pending)" ""

# Revert, one kind after another.
ln "$MNT/ssh/sshd_config" "$MNT/sshd.link"
ln "$MNT/mail/aliases" "$MNT/aliases.link"
setfattr -n trusted.note -v here "$MNT/rc.d/sshd"
cfg commit > /dev/null
snap "$MNT" > "$T/want"
echo x >> "$MNT/rc.conf"
chmod 777 "$MNT/ssh"
rm -r "$MNT/mail"
rm "$MNT/localtime"
echo file > "$MNT/localtime"
ln "$MNT/passwd" "$MNT/passwd.2"
rm "$MNT/fifo"
rm "$MNT/sshd.link"
cp -p "$MNT/ssh/sshd_config" "$MNT/sshd.link"
setfattr -x trusted.note "$MNT/rc.d/sshd"
mkdir -p "$MNT/new/deep"
before=$(pending)
like "revert -n names them" "$(cfg revert -n .)" 'would be reverted$'
is "and touches nothing" "$(pending)" "$before"
ok "revert of a path below a removed directory" cfg revert mail/aliases
ok "brings that directory back" test -f "$MNT/mail/aliases"
ok "revert of all" cfg revert .
snap "$MNT" > "$T/have"
ok "makes all as persisted" cmp "$T/want" "$T/have"
is "and leaves nothing pending" "$(pending)" ""
ok "a path where nothing differs" cfg revert rc.conf
is "is no failure" "$out" "0 paths reverted"

# Ignore rules.
mkdir "$MNT/cfgfs"
printf '*.lease\n' > "$MNT/cfgfs/ignore"
echo x > "$MNT/em0.lease"
echo x > "$MNT/.rc.conf.swp"
is "what the patterns name never counts" "$(pending)" "A cfgfs
A cfgfs/ignore"
cfg commit > /dev/null
rm -r "$MNT/cfgfs"
is "and is not forgotten" "$(pending)" "D cfgfs
D cfgfs/ignore
A em0.lease"
cfg revert . > /dev/null
ok "the patterns are back" test -f "$MNT/cfgfs/ignore"
rm -f "$MNT/.rc.conf.swp"

# Without the daemon, the tree below is /etc.
kill_view
await "the dead mount's end" test -f "$MNT/rc.conf"
echo unseen >> "$MNT/passwd"
run cfg status
like "status says that no daemon runs" "$err" 'does not run'
like "and sees what no one journaled" "$out" '^M passwd'
ok "commit works all the same" cfg commit
ok "and another start" run_view
is "finds nothing pending" "$(pending)" ""

# After a start that can't know what changed, the first look that compares
# everything leaves a journal that names what it found.
kill_view
await "the dead mount's end" test -f "$MNT/rc.conf"
echo unseen >> "$MNT/passwd"
printf 'SET\n' > "$MNT/.profile"
touch -r "$BASE/.profile" "$MNT/.profile"
run_view
echo seen >> "$MNT/rc.conf"
scans() { grep -al cfgfs "$STATE"/journal.*; }
like "a start on a tree that is there is to compare everything" "$(scans)" \
    journal
setpriv --reuid 65534 --regid 65534 --clear-groups \
    "$CFG" -m "$MNT" status > /dev/null 2>&1
like "only root's look changes that" "$(scans)" journal
ok "while another has the lease status goes on" \
    "$TOP/tests/viewtool" freeze "$STATE" \
    "'$CFG' -m '$MNT' status > '$T/first'"
like "and compares everything" "$(cat "$T/first")" '^M passwd$'
like "and leaves the journal alone" "$(scans)" journal
is "the first when it is free says the same" "$(cfg status)" \
    "$(cat "$T/first")"
is "and nothing is to be compared without need any more" "$(scans)" ""
is "a file of the old length and time is found by what it holds" \
    "$(pending)" "M .profile
M passwd
M rc.conf"
like "with who did it" "$(cfg status rc.conf)" '^M rc.conf	root: '
ok "the lease is free" cfg commit
power_cut
ok "after a power cut" boot
echo more >> "$MNT/passwd"
like "diff does the same" "$(cfg diff --name-only)" '^passwd$'
is "for the journal" "$(scans)" ""
cfg revert . > /dev/null

# What is in a shared mapping, and only there.
mkfifo "$T/keep"
"$TOP/tests/viewtool" map "$MNT/rc.conf" mapped > "$T/mapped" < "$T/keep" &
exec 8> "$T/keep"
await "the mapping" grep -q mapped "$T/mapped"
is "a change in a shared mapping is pending at once" "$(pending)" "M rc.conf"
ok "and is committed" cfg commit
like "as it was mapped" "$(cfg show :rc.conf)" '^mapped'
is "all of it" "$(cfg status -q; echo $?)" 0
exec 8>&-
wait $!

# Refusals: one line each.
fails_with 64 '^usage: cfg commit' cfg commit -x
fails_with 2 'cfg: status: .*does not serve' \
    timeout 20 "$CFG" -m "$T/nowhere" status
fails_with 2 'cfg: commit: /nowhere: ' cfg commit /nowhere
chmod 755 "$SYS_DIR"
fails_with 2 'cfg: commit: .*(not permitted|denied)' \
    setpriv --reuid 65534 --regid 65534 --clear-groups \
    "$CFG" -m "$MNT" commit
fails_with 2 'cfg: revert: .*(not permitted|denied)' \
    setpriv --reuid 65534 --regid 65534 --clear-groups \
    "$CFG" -m "$MNT" revert rc.conf

# Another writer.
echo x > "$MNT/y"
( flock -x 9; touch "$T/held"; exec sleep 60 ) 9< "$STORE" &
holder=$!
await "the other writer" test -f "$T/held"
fails_with 2 'cfg: commit: .*in use by another writer' cfg commit
kill "$holder"
wait "$holder" 2> /dev/null
ok "the next one goes" cfg commit

# A full store: one line, nothing lost, everything still pending.
head -c 2000000 /dev/urandom > "$MNT/big"
before=$(sum)
fails_with 2 'cfg: commit: .*No space left' cfg commit
is "nothing was written" "$(sum)" "$before"
is "all is still pending" "$(pending)" "A big"
rm "$MNT/big"
ok "less goes" cfg commit

# A store that is gone, and back.
mv "$STORE" "$STORE.away"
echo x > "$MNT/x"
fails_with 2 'cfg: commit: .*No such file' cfg commit
mv "$STORE.away" "$STORE"
ok "a store that is back takes the commit" cfg commit x
done_testing
