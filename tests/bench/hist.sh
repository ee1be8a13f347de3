#!/bin/sh
# hist.sh: what it costs to go back by one file, in a small tree and in a
# large one; what a long history costs those who look at it.
SYS_LIMIT=${SYS_LIMIT:-3600}
. "$(dirname "$0")/../sys.sh"
need_root
need_fuse
rounds=${ROUNDS:-15}
timed=$TOP/tests/bench/timed.pl
histstore=$TOP/tests/bench/histstore
cc -std=c11 -O2 -D_GNU_SOURCE -o "$histstore" "$histstore.c" \
    "$TOP/sync/sync.a" "$TOP/lib/lib.a" -lz -lmd || exit 2

# files DIR N: N small files in directories of 100.
files() {
	awk -v dir="$1" -v n="$2" 'BEGIN {
		for (i = 0; i < n; i++) {
			d = dir "/d" int(i / 100)
			if (i % 100 == 0)
				system("mkdir -p " d)
			f = d "/service" i ".conf"
			for (k = 0; k < 3; k++)
				printf "option_%08d=\"value%08d\"\n", i, k > f
			close(f)
		}
	}'
}

# rollback N: in a tree of N files, one of which differs from generation 1.
rollback() {
	rm -rf "$BASE" "$STORE"
	files "$BASE" "$1"
	"$CFG" init --size 1M "$STORE" > /dev/null
	boot
	f=$MNT/d0/service7.conf
	echo one >> "$f"
	cfg commit -m one > /dev/null
	echo two >> "$f"
	cfg commit -m two > /dev/null
	perl "$timed" "$rounds" "$CFG -m $MNT rollback > $T/said" \
	    "$CFG -m $MNT rollback 1"
	power_cut
}

echo "| rollback of one file | ms | |"
echo "|---|---|---|"
small=$(rollback 100)
large=$(rollback 50000)
echo "| in a tree of 100 files | $small | |"
echo "$small $large" | awk '{ printf "| in a tree of 50,000 files | %s |" \
    " %.2f times that |\n", $2, $2 / $1 }'

"$histstore" make "$T/long" 64 10000 || exit 2
# shellcheck disable=SC2046
set -- $(perl "$timed" "$rounds" "" "$histstore heads $T/long" \
    "$CFG -s $T/long log -n 0" "$CFG -s $T/long log" \
    "$CFG -s $T/long log -n 10" \
    "$CFG -s $T/long log -n 10 etc.d/file07.conf" \
    "$CFG -s $T/long blame etc.d/file07.conf")
echo
echo "| 10,000 generations, a store of 64 MB | ms | |"
echo "|---|---|---|"
echo "| reading their headers, nothing else | $1 | |"
echo "| opening the store | $2 | |"
echo "$1 $3" | awk '{ printf "| log | %s | %.1f times the headers |\n", $2,
    $2 / $1 }'
echo "| log -n 10 | $4 | |"
echo "| log -n 10 of a path | $5 | |"
echo "| blame of a file with 250 versions | $6 | |"
sys_done=1
exit 0
