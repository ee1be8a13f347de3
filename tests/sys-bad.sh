#!/bin/sh
# Bad input and faults: one line that says what, which object and why,
# exit code 2, nothing lost, nothing half done.
. "$(dirname "$0")/sys.sh"
need_root
need_fuse

# fresh [SIZE]: a new box.
fresh() {
	power_cut
	rm -rf "$BASE" "$STORE"
	new_box "$@" > /dev/null || diag "no new box"
}

# What is pending is still all there, and can be committed once told.
still_pending() { [ "$(cat "$MNT/mine")" = mine ] && ! cfg status -q; }
view_of() { timeout -k 5 "$LIMIT" "$CFGFS" -o "$1" "$2"; }

# ---- stores that are none
new_box > /dev/null
echo mine > "$MNT/mine"
cfg commit -m one > /dev/null
power_cut
cp "$STORE" "$T/good"

head -c 1M /dev/urandom > "$T/noise"
: > "$T/empty"
for s in noise empty; do
	for verb in log verify; do
		fails_with 2 "$s: .*" "$CFG" -s "$T/$s" "$verb"
	done
done
fails_with 2 "none: No such file" "$CFG" -s "$T/none" log
fails_with 2 "$T: neither a file nor a disk" "$CFG" -s "$T" log

# A box whose store is lost still has its /etc; only commits fail.
ram_up
cp -a "$BASE/." "$MNT"
ok "a view comes up without a good store" view_of \
    "store=$T/noise,base=$BASE,state=$STATE" "$MNT"
echo mine > "$MNT/mine"
fails_with 2 "noise: " cfg status
fails_with 2 "noise: " cfg commit
is "and what was changed is there" "$(cat "$MNT/mine")" mine
power_cut

# ---- a newer format: both superblocks say version 99, with a right sum
cp "$T/good" "$T/newer"
newer() {
	perl -e '
	my ($f) = @ARGV;
	open(my $h, "+<", $f) or die;
	for my $off (0, (-s $h) - 512) {
		seek($h, $off, 0); read($h, my $b, 512);
		substr($b, 8, 4) = pack("V", 99);
		my $c = 0xffffffff;
		for (unpack("C508", $b)) {
			$c ^= $_;
			$c = $c & 1 ? ($c >> 1) ^ 0x82f63b78 : $c >> 1 for 1..8;
		}
		substr($b, 508, 4) = pack("V", $c ^ 0xffffffff);
		seek($h, $off, 0); print $h $b;
	}' "$1"
}
newer "$T/newer"
cp "$T/newer" "$T/newer.was"
fails_with 2 "newer: format version 99 is newer" "$CFG" -s "$T/newer" log
fails_with 2 "newer: .*a store" "$CFG" init "$T/newer"
ok "a newer store is left alone" cmp "$T/newer" "$T/newer.was"

# ---- truncated, and bits flipped: boot goes on, and says so
restored() {
	rm -rf "$T/out"
	mkdir "$T/out"
	timeout -k 5 "$LIMIT" "$CFG" restore --store "$1" --base "$BASE" "$T/out"
}
head -c 700000 "$T/good" > "$T/short"
run restored "$T/short"
like "a truncated store is said" "$err" "short: cut short"
ok "and stops no boot" test -e "$T/out/rc.conf"
bad='' damaged=0
for at in 0 100 508 4096 4100 5000 8192 8200 9000 1048064 1048100; do
	cp "$T/good" "$T/flip"
	perl -e 'open(my $h, "+<", $ARGV[0]) or die; seek($h, $ARGV[1], 0);
	    read($h, my $b, 1); seek($h, $ARGV[1], 0);
	    print $h chr(ord($b) ^ 4)' "$T/flip" "$at"
	run "$CFG" -s "$T/flip" verify
	[ "$rc" -le 2 ] || bad="$bad verify:$at"
	[ "$rc" = 0 ] || damaged=$((damaged + 1))
	run restored "$T/flip"
	[ -f "$T/out/rc.conf" ] || bad="$bad restore:$at"
	if [ -f "$T/out/mine" ] && [ "$(cat "$T/out/mine")" != mine ]; then
		bad="$bad content:$at"
	fi
done
is "a flipped bit stops no boot and gives no wrong content" "$bad" ""
ok "and verify sees damage" test "$damaged" -ge 4

# The last record alone: begun, but not whole.
mkdir "$T/next"
echo other > "$T/next/mine"
cp "$T/good" "$T/two"
"$CFG" -s "$T/two" import --base "$BASE" "$T/next" > /dev/null
at=$(cmp -l "$T/good" "$T/two" | awk '{ print $1; exit }')
head -c 32 /dev/urandom |
    dd of="$T/two" bs=1 seek="$((at + 99))" conv=notrunc 2> /dev/null
run "$CFG" -s "$T/two" verify
is "a last record that is not whole is no fault" "$rc" 0
like "but it is named" "$out" 'newest good one 1; 2 is begun and not whole'
run restored "$T/two"
like "a boot names it as well" "$rc $err" '^0 .*generation 2 is begun and not whole'
is "and has the one before" "$(cat "$T/out/mine")" mine
run "$CFG" -s "$T/two" import --base "$BASE" "$T/next"
run "$CFG" -s "$T/two" verify
is "the next commit takes its place" "$rc $out" \
    "0 0 faults, generations 1 to 2, newest good one 2"

# ---- two writers at once
fresh
echo mine > "$MNT/mine"
exec 5<> "$STORE"
flock -x 5
fails_with 2 "in use by another writer" cfg commit -m two
exec 5>&-
ok "nothing is lost by it" still_pending
ok "and the next commit is done" cfg commit -m two

# ---- the smallest slice, and one too small
fresh 64K
echo mine > "$MNT/mine"
ok "a slice of 64 KiB takes a commit" cfg commit
power_cut
boot
is "which is there after a power cut" "$(cat "$MNT/mine" 2>&1)" mine
fails_with 2 "$T/tiny: " "$CFG" init --size 32K "$T/tiny"
ok "no store is made where it would be too small" test ! -s "$T/tiny"

# ---- names and paths
fresh
long=$(printf '%0255d' 7)
nl=$(printf 'a\nb\tc')
raw=$(printf 'not\377utf8\200')
echo 1 > "$MNT/$long"
echo 2 > "$MNT/$nl"
echo 3 > "$MNT/$raw"
(
	cd "$MNT" || exit 1
	long=${long#??}
	i=0
	while [ "$i" -lt 15 ]; do
		mkdir "$long.d" || exit 1
		cd "$long.d" || exit 1
		i=$((i + 1))
	done
	echo deep > bottom
)
ok "names of 255 bytes, with newlines, no UTF-8, paths near PATH_MAX" \
    cfg commit -m names
want=$(snap "$MNT")
power_cut
boot
is "are all there after a power cut" "$(snap "$MNT")" "$want"
ok "and nothing is pending" cfg status -q

# ---- ten thousand entries, in one commit
fresh 4M
awk -v d="$MNT" 'BEGIN {
	for (i = 0; i < 100; i++) {
		system("mkdir " d "/d" i)
		for (k = 0; k < 99; k++) {
			f = d "/d" i "/f" k
			print i, k > f
			close(f)
		}
	}
}'
ok "a commit of 10,000 entries" cfg commit
power_cut
boot
is "they are there after a power cut" \
    "$(find "$MNT" -mindepth 2 -type f | grep -c '/d[0-9]*/f')" 9900

# ---- a file of 64 MiB
fresh 512M
head -c 64M /dev/urandom > "$MNT/large"
ok "a commit of a file of 64 MiB" cfg commit
sum=$(sha256sum < "$MNT/large")
power_cut
boot
is "it is there after a power cut" "$(sha256sum < "$MNT/large")" "$sum"
power_cut
rm -f "$STORE"

# ---- a full RAM disk: the caller is told, what was there stays
RAM_OPTS=,size=2m
fresh
RAM_OPTS=
echo mine > "$MNT/mine"
run sh -c "head -c 8M /dev/zero > '$MNT/fill'"
like "a full RAM disk is said to the writer" "$err" "No space left"
ok "nothing is lost by it" still_pending
rm -f "$MNT/fill"
ok "and a commit is done once there is room" cfg commit

# ---- a full slice: ENOSPC before anything is written
fresh 64K
echo mine > "$MNT/mine"
cfg commit > /dev/null
head -c 200000 /dev/urandom > "$MNT/toomuch"
cp "$STORE" "$T/was"
fails_with 2 "No space left" cfg commit
ok "nothing was written" cmp "$STORE" "$T/was"
ok "the change is still there" test -s "$MNT/toomuch"
rm "$MNT/toomuch"
echo more > "$MNT/more"
ok "what fits is committed" cfg commit
power_cut
boot
is "and there after a power cut" "$(cat "$MNT/mine" "$MNT/more" 2>&1)" \
    "mine
more"

# ---- mounting
fails_with 2 "already|served|in use" view_of \
    "store=$STORE,base=$BASE,state=$STATE" "$MNT"
fails_with 2 "already|served|in use" view_of \
    "store=$STORE,base=$BASE,state=$T/other" "$MNT"
ok "the first view goes on" test -s "$MNT/mine"
mkdir "$T/mnt2"
fails_with 2 "already|in use|another" view_of \
    "store=$STORE,base=$BASE,state=$STATE" "$T/mnt2"
ok "the first view still goes on" test -s "$MNT/mine"
power_cut
ram_up
fails_with 2 "nobase: No such file" view_of \
    "store=$STORE,base=$T/nobase,state=$STATE" "$MNT"
fails_with 2 "nobase: No such file" "$CFG" restore --store "$STORE" \
    --base "$T/nobase" "$T/out2"
fails_with 2 "nomount: No such file" view_of \
    "store=$STORE,base=$BASE,state=$STATE" "$T/nomount"
fails_with 2 "nowhere: No such file" view_of \
    "store=$STORE,base=$BASE,state=$STATE,tree=$T/nowhere" "$MNT"
run view_of "store=$STORE,nonsense=1" "$MNT"
is "an unknown option is wrong usage" "$rc" 64
like "and is named" "$err" "nonsense"

chmod 755 "$T"
fails_with 2 "root|not permitted|denied" setpriv --reuid 65534 \
    --regid 65534 --clear-groups "$CFGFS" \
    -o "store=$STORE,base=$BASE,state=$T/state2" "$MNT"

nodev() {
	unshare -m --propagation private sh -c '
		mount -t tmpfs none /dev && mknod /dev/null c 1 3 &&
		mknod /dev/urandom c 1 9 && exec "$@"' sh "$@"
}
"$CFG" restore --store "$STORE" --base "$BASE" "$MNT"
fails_with 2 "/dev/fuse" nodev "$CFGFS" \
    -o "store=$STORE,base=$BASE,state=$STATE" "$MNT"
is "without /dev/fuse the running tree is there all the same" \
    "$(cat "$MNT/mine")" mine
ok "no daemon is left of all that" sys_none
done_testing
