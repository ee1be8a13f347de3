#!/bin/sh
# Tags: names for generations, which outlive the areas that these were
# written in.
. "$(dirname "$0")/sys.sh"
need_root
need_fuse

new_box 64K
echo good > "$MNT/rc.conf"
printf 'secret\n' > "$MNT/key"
chmod 600 "$MNT/key"
ln -s rc.conf "$MNT/link"
rm "$MNT/aliases"
ok "a good state" cfg commit -m 'all is well'
snap "$MNT" > "$T/good"
ok "is named" cfg tag @head rescue
is "and listed" "$(cfg tag)" "rescue	1"
like "in JSON, too" "$(cfg --json tag)" '^\[\{"tag":"rescue","generation":1\}\]$'
like "and shown" "$(cfg show rescue)" '^generation 1 \(rescue\)$'

# More than the whole store holds.
i=0
while [ $i -lt 60 ]; do
	head -c 700 /dev/urandom | od -An -tx1 > "$MNT/rc.conf"
	echo "$i" > "$MNT/n$((i % 3))"
	rm -f "$MNT/link"
	cfg commit -m "change $i" > "$T/log" 2>&1 || break
	i=$((i + 1))
done
is "sixty commits later" "$i" 60
not_ok "the one after it is gone" cfg show 2
like "it is still there" "$(cfg log | tail -1)" '^@1 \(rescue\) .*all is well'
is "with its content" "$(cfg show rescue:rc.conf)" good
is "by its number, too" "$(cfg show @1:rc.conf)" good
like "and can be compared" "$(cfg diff @rescue @head rc.conf)" '^-good$'
ok "the store is sound" cfg verify
ok "back to it" cfg rollback rescue
snap "$MNT" > "$T/now"
ok "all is as it was" cmp "$T/good" "$T/now"
ok "and committed" cfg commit
like "as what it is" "$(cfg log -n 1)" 'rollback to generation 1'

ok "on the store alone" "$CFG" -s "$STORE" tag @-1 before
is "two names" "$(cfg tag | cut -f 1 | tr '\n' ' ')" "before rescue "
ok "a name moves" cfg tag @head before
is "to another" "$(cfg tag | head -1)" "before	62"
ok "and goes" cfg tag -d before
is "one name" "$(cfg tag)" "rescue	1"
power_cut
boot
is "the other one stays" "$(cfg tag)" "rescue	1"

# More kept by the configuration than the areas hold.
mkdir -p "$MNT/cfgfs"
echo 'keep 40' > "$MNT/cfgfs/config"
i=0
while [ $i -lt 60 ]; do
	echo "$i" > "$MNT/rc.conf"
	cfg commit -m "kept $i" > "$T/log" 2>&1 || break
	i=$((i + 1))
done
cfg log | grep -c '  kept ' > "$T/n"
ok "the log has those that are kept" test "$(cat "$T/n")" -ge 5
is "from the newest on, none is missing" "$(cfg log | sed -n 's/^@[0-9]* .*  kept //p')" \
    "$(seq 59 -1 $((60 - $(cat "$T/n"))))"
diag "$(cat "$T/n") of 60"

fails_with 2 'nope: no such tag' cfg tag -d nope
fails_with 2 '9x: not the name of a tag' cfg tag @head 9x
fails_with 2 'a b: not the name' cfg tag @head 'a b'
fails_with 2 '@base: no commit made it' cfg tag @base factory
fails_with 2 '@77: the store has generations' cfg tag @77 x
fails_with 64 . cfg tag onlyone
ok "dropped" cfg tag -d rescue
i=0
while [ $i -lt 40 ]; do
	head -c 700 /dev/urandom | od -An -tx1 > "$MNT/rc.conf"
	cfg commit > "$T/log" 2>&1 || break
	i=$((i + 1))
done
not_ok "it is kept no longer" cfg show @1
done_testing
