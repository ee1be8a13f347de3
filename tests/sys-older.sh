#!/bin/sh
# sys-older.sh: a store that could not be read when the box started, and can
# be now: nothing commits the old over the new by itself.
. "$(dirname "$0")/sys.sh"
need_root
need_fuse

new_box
echo one > "$MNT/motd"
ok "one" cfg commit -m one
echo two > "$MNT/motd"
ok "two" cfg commit -m two
cp "$STORE" "$T/good"
stop_view

# The tree that a boot builds of what it can read, and the view over it.
start_with() {
	umount "$MNT" 2> /dev/null
	ram_up
	run "$CFG" restore --store "$1" --base "$BASE" "$MNT"
	is "restored from ${1##*/}" "$rc" "$2"
	run_view
}
pending() { cfg status | grep -c '^[ADMTm] '; }
older() {
	start_with "$T/none" 1
	ok "all that is missing is pending" [ "$(pending)" -gt 0 ]
}
told() { cfg status 2>&1 > "$T/said" | grep -c "$how"; }
how='restored from generation 0, .* its head is 2: .cfg rollback. goes there'

older
is "status says why" "$(told)" 1
fails_with 2 "$how" cfg commit -m oops
fails_with 2 "$how" cfg commit --trial 10m
fails_with 2 "$how" cfg commit motd
ok "what it would be can be asked" cfg commit -n
ok "the store is what it was" cmp "$STORE" "$T/good"
ok "back to the head" cfg rollback
is "it is there" "$(cat "$MNT/motd")" two
is "nothing else is pending, nor is what was said of it" "$(pending)" 0
is "and status has no more to say" "$(told)" 0
echo three > "$MNT/motd"
ok "from then on it is as ever" cfg commit -m three
cp "$T/good" "$STORE"

stop_view
older
mkdir -p "$MNT/cfgfs"
echo 'on-shutdown commit' > "$MNT/cfgfs/config"
fails_with 2 "$how" cfg commit --shutdown
ok "no shutdown has written to the store" cmp "$STORE" "$T/good"
ok "who wants the old has it" cfg commit --force -m old
ok "and a trial then" cfg commit -m more
is "as the next generation" "$(cfg log -n 1 | cut -c1-2)" @3
stop_view
cp "$T/good" "$STORE"

# A store that lost all is begun anew: what runs is what it has.
older
stop_view
rm "$STORE"
"$CFG" init --size 1M "$STORE"
run_view
echo new > "$MNT/motd"
ok "a new store takes what runs" cfg commit -m new
ok "again" cfg status -q
echo newer > "$MNT/motd"
ok "and again" cfg commit -m newer

# Where cfgfs builds the tree, it compares all with a head that came back.
stop_view
umount "$MNT"
ram_up
: > "$STORE"
ok "a view whose store is empty" run_view
cp "$T/good" "$STORE"
is "knows what it lacks" "$(cfg status | sed -n 's/^\(.\) motd.*/\1/p')" D
done_testing
