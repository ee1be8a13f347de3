#!/bin/sh
# time.sh: how long restore, commit, status and diff take beside what else
# does such a job; what cfgfs holds in memory; how large the programs are.
SYS_LIMIT=${SYS_LIMIT:-3600}
. "$(dirname "$0")/../sys.sh"
need_root
need_fuse
rounds=${ROUNDS:-15}
timed=$TOP/tests/bench/timed.pl

# files DIR N BYTES: N files in directories of 100.
files() {
	awk -v dir="$1" -v n="$2" -v size="$3" 'BEGIN {
		for (i = 0; i < n; i++) {
			d = dir "/d" int(i / 100)
			if (i % 100 == 0)
				system("mkdir -p " d)
			f = d "/service" i ".conf"
			for (k = 0; k < size; k += 32)
				printf "option_%08d=\"value%08d\"\n", i, k > f
			close(f)
		}
	}'
}

# row WHAT OURS THEIRS LIMIT: ours at most LIMIT times theirs.
row() {
	echo "$2 $3 $4" | awk -v what="$1" '{
		printf "| %s | %s | %s | %.2f | %s | %s |\n", what, $1, $2,
		    $1 / $2, $3, $1 <= $2 * $3 ? "met" : "missed"
	}'
}

resident() { awk '$1 == "VmRSS:" { print $2 }' "/proc/$1/status"; }

echo "| what | ours, ms | theirs, ms | ratio | at most | |"
echo "|---|---|---|---|---|---|"

# Restore of 300 files, 3 MB.
files "$BASE" 300 10000
"$CFG" init --size 1M "$STORE" > /dev/null
mkdir "$T/out"
# shellcheck disable=SC2046
set -- $(perl "$timed" "$rounds" "rm -rf $T/out; mkdir $T/out" \
    "$CFG restore --store $STORE --base $BASE $T/out" \
    "cp -Rp $BASE/. $T/out")
row "restore of 300 files, 3 MB; cp -Rp" "$1" "$2" 1.5

# A one-file commit to a store in a file, on a disk (not in RAM), beside cp
# and sync of that file to the same disk.
disk=$(mktemp -d "$SYS_DIR/own/disk.XXXXXX")
STORE=$disk/store
"$CFG" init --size 1M "$STORE" > /dev/null
boot
memory=$(resident "$(view_pid)")
f=$MNT/d0/service1.conf
# shellcheck disable=SC2046
set -- $(perl "$timed" "$rounds" "echo \$round.\$which >> $f" \
    "$CFG -m $MNT commit -m bench" \
    "cp $f $disk/copy && sync $disk/copy")
row "commit of one file, process start to exit; cp and sync" "$1" "$2" 1
power_cut

# Status and diff, one pending change in 50,000 files.
rm -rf "$BASE"
files "$BASE" 50000 100
boot
before=$(resident "$(view_pid)")
began=$(date +%s%N)
cfg commit > /dev/null	# the first look after a start compares all
scan=$((($(date +%s%N) - began) / 1000000))
cp -a "$BASE" "$T/repo"
git -C "$T/repo" init -q
git -C "$T/repo" add -A
git -C "$T/repo" -c user.name=b -c user.email=b commit -q -m base
echo more >> "$MNT/d7/service700.conf"
echo more >> "$T/repo/d7/service700.conf"
# shellcheck disable=SC2046
set -- $(perl "$timed" "$rounds" "" "$CFG -m $MNT status" \
    "git -C $T/repo status --porcelain")
row "status, one change in 50,000 files; git status" "$1" "$2" 0.05
# shellcheck disable=SC2046
set -- $(perl "$timed" "$rounds" "" "$CFG -m $MNT diff" \
    "git -C $T/repo diff")
row "diff, one change in 50,000 files; git diff" "$1" "$2" 0.05
echo "| the first look after a start, which compares all 50,000 | $scan |" \
    "| | | |"

find "$MNT" > /dev/null
walked=$(resident "$(view_pid)")
known=$(find "$MNT" | wc -l)
echo
echo "| size | | goal | |"
echo "|---|---|---|---|"
echo "$memory" | awk '{ printf "| cfgfs resident, 300 files | %d KB |" \
    " 4,096 KB | %s |\n", $1, $1 < 4096 ? "met" : "missed" }'
echo "$before $walked $known" | awk '{
	b = ($2 - $1) * 1024 / $3
	printf "| growth for a known path, %d of them | %.0f bytes | 300 |" \
	    " %s |\n", $3, b, b <= 300 ? "met" : "missed" }'
for p in "$CFGFS" "$CFG"; do
	strip -o "$T/stripped" "$p"
	size=$(stat -c %s "$T/stripped")
	echo "$size" | awk -v p="$(basename "$p")" '{
		printf "| %s, stripped | %d bytes | 150,000 | %s |\n", p, $1,
		    $1 < 150000 ? "met" : "missed" }'
done
sys_done=1
exit 0
