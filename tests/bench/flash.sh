#!/bin/sh
# flash.sh: what one small commit writes to the flash.  Several ways of
# saving one changed line of a 1 KB file, in a tree of 300 files and 3 MB,
# to a slice (a loop device on a RAM disk), 100 times; counted is what
# reaches the device, by its own statistics.
#
#	raw512, raw4k	cfg, on the raw slice, at that align
#	ro		cfg, a file on a slice mounted read-only
#	noauto		cfg, a file on a slice that fstab knows as noauto
#	f3		overwrite 512 bytes of a preallocated file; mount, umount
#	save_cfg	NanoBSD: mount, cp what differs, umount
#	lbu		Alpine: mount, a new tar.gz, rename, umount
#	git		git commit on the slice; mount, umount
SYS_LIMIT=${SYS_LIMIT:-3600}
. "$(dirname "$0")/../sys.sh"
need_root
need_fuse
commits=${COMMITS:-100}
slice=$T/slice
changed=rc.conf.local

# 300 files, 3 MB, always the same.
awk -v dir="$BASE" 'BEGIN {
	srand(7)
	n = split("sshd ntpd syslogd pf dhcpd unbound cron periodic ppp", w)
	for (i = 0; i < 300; i++) {
		d = dir (i % 3 == 1 ? "/rc.d" : i % 3 == 2 ? "/ssl" : "")
		if (i < 3) system("mkdir -p " d)
		f = i ? d "/file" i ".conf" : dir "/rc.conf.local"
		size = i ? 300 * exp(4.2 * rand()) * 2.3 : 1000
		for (k = 0; k < size; k += length(line)) {
			line = sprintf("%s_%s=\"%d.%d\"\n", w[int(rand() * n) + 1],
			    w[int(rand() * n) + 1], rand() * 1000, rand() * 250)
			printf "%s", line > f
		}
		close(f)
	}
}'

# Commit I's change: one line, in the middle of the file at $1.
change() {
	printf 'tmpsize="%06dm"\n' "$I" |
	    dd of="$1" bs=1 seek=400 conv=notrunc status=none
}

stats() {
	awk '{ print $5, $7, $16 }' "/sys/block/${dev#/dev/}/stat"
}

new_slice() {
	rm -f "$slice"
	dd if=/dev/zero of="$slice" bs=1M count=32 status=none
	loop_dev "$slice" --sector-size 512
	mkdir -p "$T/cfg"
}

# report NAME before...: the figures since then, a commit's mean.
report() {
	name=$1
	shift
	# shellcheck disable=SC2046
	set -- "$@" $(stats)
	echo "$name $1 $2 $3 $4 $5 $6 $commits" | awk '{
		printf "| %s | %.0f | %.2f | %.2f |\n", $1,
		    ($6 - $3) * 512 / $8, ($5 - $2 - ($7 - $4)) / $8,
		    ($7 - $4) / $8
	}' | tee -a "$T/table"
}

# Hundred commits by the program, as set up.
cfg_commits() {
	boot || exit 2
	# shellcheck disable=SC2046
	set -- "$1" $(stats)
	I=0
	while [ "$I" -lt "$commits" ]; do
		I=$((I + 1))
		change "$MNT/$changed"
		cfg commit -m "$I" > /dev/null || exit 2
	done
	report "$@"
	power_cut
	boot || exit 2
	grep -q "$(printf '%06dm' "$commits")" "$MNT/$changed" ||
	    echo "  (the last commit is not there)"
	power_cut
	losetup -d "$dev"
}

raw() {
	new_slice
	STORE=$dev
	"$CFG" init --align "$2" "$STORE" > /dev/null || exit 2
	cfg_commits "$1"
}

file_ro() {
	new_slice
	mkfs.ext2 -q "$dev"
	mount -t ext2 "$dev" "$T/cfg"
	STORE=$T/cfg/store
	"$CFG" init --size 1M --align 512 "$STORE" > /dev/null || exit 2
	mount -o remount,ro "$T/cfg"
	cfg_commits ro
	umount "$T/cfg"
}

file_noauto() {
	new_slice
	mkfs.ext2 -q "$dev"
	mount -t ext2 "$dev" "$T/cfg"
	STORE=$T/cfg/store
	"$CFG" init --size 1M --align 512 "$STORE" > /dev/null || exit 2
	umount "$T/cfg"
	echo "$dev $T/cfg ext2 rw,noauto 0 0" > "$T/fstab"
	mount --bind "$T/fstab" /etc/fstab
	cfg_commits noauto
	umount /etc/fstab
}

# The others: each has init_NAME and commit_NAME.
other() {
	new_slice
	mkfs.ext2 -q "$dev"
	rm -rf "$T/tree"
	cp -a "$BASE" "$T/tree"
	mount -t ext2 "$dev" "$T/cfg"
	"init_$1"
	umount "$T/cfg"
	# shellcheck disable=SC2046
	set -- "$1" $(stats)
	I=0
	while [ "$I" -lt "$commits" ]; do
		I=$((I + 1))
		change "$T/tree/$changed"
		mount -t ext2 "$dev" "$T/cfg"
		"commit_$1"
		umount "$T/cfg"
	done
	report "$@"
	losetup -d "$dev"
}

init_f3() {
	dd if=/dev/zero of="$T/cfg/log" bs=64k count=16 conv=fsync status=none
}
commit_f3() {
	dd if="$T/tree/$changed" of="$T/cfg/log" bs=512 count=1 \
	    seek="$((I - 1))" conv=notrunc,fdatasync status=none
}
overlay() { (cd "$T/tree" && ls rc.conf.local rc.d/file1[0-9]*.conf); }
init_save_cfg() { (cd "$T/tree" && overlay | cpio -pdm --quiet "$T/cfg"); }
commit_save_cfg() {
	(cd "$T/cfg" && find . -name '*.*' -type f) | while read -r f; do
		cmp -s "$T/tree/$f" "$T/cfg/$f" ||
		    cp -pf "$T/tree/$f" "$T/cfg/$f"
	done
}
tgz() { (cd "$T/tree" && overlay | tar -czf "$1" -T -); }
init_lbu() { tgz "$T/cfg/box.apkovl.tar.gz"; }
commit_lbu() {
	tgz "$T/cfg/box.new" && sync -f "$T/cfg/box.new" &&
	    mv "$T/cfg/box.new" "$T/cfg/box.apkovl.tar.gz"
}
git_in() {
	git -c user.name=b -c user.email=b -c gc.auto=0 \
	    --git-dir="$T/cfg/git" --work-tree="$T/tree" "$@"
}
init_git() { git_in init -q; git_in add -A; git_in commit -q -m 0; }
commit_git() { git_in add -A; git_in commit -q -m "$I"; }

echo "| way | bytes a commit | write requests | flushes |"
echo "|---|---|---|---|"
raw raw512 512
raw raw4k 4096
file_ro
file_noauto
for way in f3 save_cfg lbu git; do
	other "$way"
done
echo
awk -F'|' '
{ gsub(/ /, ""); bytes[$2] = $3; wr[$2] = $4; fl[$2] = $5 }
function say(what, met) { print "- " what ": " (met ? "met." : "missed.") }
END {
	say("A commit on a raw slice is one write request and one flush",
	    wr["raw512"] == 1 && fl["raw512"] == 1 && wr["raw4k"] == 1 &&
	    fl["raw4k"] == 1)
	say("of one unit (512 or 4,096 bytes; a compaction may add its own)",
	    bytes["raw512"] < 1.05 * 512 && bytes["raw4k"] < 1.05 * 4096)
	say("In a file on ext2, mounted for the commit, no more bytes than f3",
	    bytes["noauto"] > 0 && bytes["noauto"] <= bytes["f3"])
}' "$T/table"
sys_done=1
exit 0
