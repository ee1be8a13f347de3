#!/bin/sh
# What cfg wear says is what the device has counted.
. "$(dirname "$0")/sys.sh"
need_root
need_fuse

field() { python3 -c 'import json,sys
v = json.load(sys.stdin)
for k in sys.argv[1].split("."):
	v = v[int(k)] if k.isdigit() else v[k]
print(v)' "$1"; }
wear() { cfg wear --json | field "$1"; }

truncate -s 1M "$T/img"
if ! loop_dev "$T/img"; then
	skip_all "no loop device"
fi
STORE=$dev
counter() { awk '{ print $7 * 512 }' "/sys/block/${dev#/dev/}/stat"; }
mkdir -p "$BASE" && base_tree
"$CFG" init "$STORE"
boot
run cfg wear
is "nothing is written yet" "$out" "nothing was written"
before=$(counter)
said=0
n=0
while [ "$n" -lt 8 ]; do
	n=$((n + 1))
	head -c $((n * 3000)) /dev/urandom > "$MNT/blob"
	echo "$n" > "$MNT/rc.conf"
	run cfg commit
	said=$((said + $(echo "$out" | sed 's/.* \([0-9]*\) bytes.*/\1/')))
done
after=$(counter)
is "the commits say what the device counts" "$said" $((after - before))
is "the ledger has the same" "$(wear bytes)" "$said"
is "in blocks" "$(wear blocks)" $((said / 4096))
is "and so has what is noted since the start" "$(wear start.bytes)" "$said"
is "with what the device counted" "$(wear start.device)" "$said"
is "so it adds nothing" "$(wear amplification)" 1.0
is "all commits are there" "$(wear commits)" 8
is "the dearest path comes first" "$(wear paths.0.path)" blob
is "the paths have all of it" "$(cfg wear --json | python3 -c 'import json,sys
print(sum(p["bytes"] for p in json.load(sys.stdin)["paths"]))')" "$said"
like "a day's line" "$(cfg wear)" '^20[0-9-]+  8 commits, [0-9]+ areas? begun, [0-9.]+ KB in [0-9]+ blocks$'
a=$(wear years)
b=$(cfg wear --endurance 6000 --json | field years)
ok "twice the cycles last twice as long: $a, $b" \
    awk -v a="$a" -v b="$b" 'BEGIN { exit !(a > 0 && b > 1.9 * a && b < 2.1 * a) }'
power_cut
boot
is "a boot forgets only what was noted since the start" "$(wear bytes):$(wear start.bytes)" "$said:0"
is "a store alone has its ledger" "$("$CFG" -s "$STORE" wear --json | field bytes)" "$said"
fails_with 2 'x: not a number of cycles' cfg wear --endurance x
fails_with 64 '.' cfg wear now
done_testing
