#!/bin/sh
# ops.sh: what each operation costs, on a RAM disk, the kernel's overlay,
# fuse-overlayfs, bindfs and the view, interleaved, all on one CPU.
SYS_LIMIT=${SYS_LIMIT:-3600}
. "$(dirname "$0")/../sys.sh"
need_root
need_fuse

cpu=${CPU:-1}
[ "$(nproc)" -gt 1 ] || cpu=0
rounds=${ROUNDS:-15}

for d in ram lower upper work overlay fupper fwork fuse plain bind; do
	mkdir "$T/$d"
done
mount -t overlay -o "lowerdir=$T/lower,upperdir=$T/upper,workdir=$T/work" \
    bench "$T/overlay"
taskset -c "$cpu" fuse-overlayfs -o \
    "lowerdir=$T/lower,upperdir=$T/fupper,workdir=$T/fwork" "$T/fuse" \
    > /dev/null 2>&1
taskset -c "$cpu" bindfs "$T/plain" "$T/bind"
mkdir "$BASE"
"$CFG" init --size 4M "$STORE" > /dev/null
ram_up && "$CFG" restore --store "$STORE" --base "$BASE" "$MNT"
taskset -c "$cpu" "$CFGFS" -o "store=$STORE,base=$BASE,state=$STATE" "$MNT"

taskset -c "$cpu" "$TOP/tests/bench/opsbench" -r "$rounds" -t "${MS:-10}" \
    "tmpfs=$T/ram" "overlayfs=$T/overlay" "fuse-overlayfs=$T/fuse" \
    "bindfs=$T/bind" "view=$MNT" > "$T/csv" || diag "an operation failed"
sys_done=1

# Ratios to tmpfs; then the goals.
awk -F, '
BEGIN {
	n = split("stat stat_missing access open_close open_read slurp " \
	    "mmap_read readlink readdir readdir_stat", r, " ")
	for (i = 1; i <= n; i++) warm[r[i]] = 1
	n = split("create unlink save save_fsync rewrite append truncate " \
	    "rename chmod utimens mkdir_rmdir link_unlink symlink_unlink " \
	    "pwrite", r, " ")
	for (i = 1; i <= n; i++) change[r[i]] = 1
	print "| operation | tmpfs, ns | overlayfs | fuse-overlayfs |" \
	    " bindfs | view | |"
	print "|---|---|---|---|---|---|---|"
}
{ ns[$1 "," $2] = $3; x[$1 "," $2] = $4 }
!($1 in seen) { seen[$1]; order[++count] = $1 }
END {
	for (i = 1; i <= count; i++) {
		o = order[i]
		v = x[o ",view"]; k = x[o ",overlayfs"]
		a = x[o ",fuse-overlayfs"]; b = x[o ",bindfs"]
		if (a == "-") a = 1e9
		if (b == "-") b = 1e9
		best = a < b ? a : b
		note = ""
		if (o in warm) {
			all++
			if (v != "-" && v + 0 <= k + 0) fine++
			else note = "slower than overlayfs"
		}
		if (o in change) {
			m++
			sum += log(v / best)
			if (v > best * 1.1) {
				slow++
				note = "slower than the better one by " \
				    sprintf("%.0f%%", (v / best - 1) * 100)
			}
		}
		printf "| %s | %s | %s | %s | %s | **%s** | %s |\n", o,
		    ns[o ",tmpfs"], k, x[o ",fuse-overlayfs"],
		    x[o ",bindfs"], v, note
	}
	g = m ? exp(sum / m) : 0
	printf "\n- Warm reads no slower than overlayfs: %d of %d: %s.\n",
	    fine, all, all && fine == all ? "met" : "missed"
	printf "- Changes against the better of fuse-overlayfs and bindfs," \
	    " geometric mean: %.2f (goal 0.75): %s.\n", g,
	    m && g <= 0.75 ? "met" : "missed"
	printf "- Changes slower than the better one by more than a tenth:" \
	    " %d (goal 0): %s.\n", slow, !m || slow ? "missed" : "met"
}' "$T/csv"
exit 0
