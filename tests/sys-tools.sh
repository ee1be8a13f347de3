#!/bin/sh
# sys-tools.sh: init, log, show, verify, import, export, and what cfg says
# of itself.  TAP.
# shellcheck source=tests/sys.sh
. "$(dirname "$0")/sys.sh"
need_root

# On a store alone: no mount, no daemon.
on() { timeout -k 5 "$LIMIT" "$CFG" -s "$STORE" "$@" < /dev/null; }

# No line of the text matches.
unlike() {
	if printf '%s\n' "$2" | grep -Eq -e "$3"; then
		sys_say 0 "$1"
	else
		sys_say 1 "$1"
	fi
}

json_ok() { perl -MJSON::PP -0777 -e 'decode_json(<STDIN>)' < "$T/json"; }

# ---- cfg itself
fails_with 64 'no such verb' "$CFG" nonsense
ok "the version" "$CFG" -V
run "$CFG"
is "no verb is wrong usage" "$rc" 64
run "$CFG" log --nonsense
is "so is a bad option" "$rc" 64
like "and the verb's usage is shown" "$err" '^usage: cfg log '
ok "help of a verb" "$CFG" diff --help
run sh -c '"$CFG" --help > /dev/full'
is "what can not be printed is a failure" "$rc" 2
fails_with 2 '^cfg: log: /nowhere: cfgfs does not serve it' \
    "$CFG" -m /nowhere log

# ---- init
ok "a new file" "$CFG" init "$STORE"
is "of 1 MiB" "$(stat -c %s "$STORE")" 1048576
is "that only its owner reads" "$(stat -c %a "$STORE")" 600
fails_with 2 'holds a store' "$CFG" init "$STORE"
ok "but by force" "$CFG" init --force "$STORE"
fails_with 2 'takes at least 64K' "$CFG" init --size 32K "$T/small"
ok "64 KiB will do" "$CFG" init --size 64K "$T/small"
is "which is its size" "$(stat -c %s "$T/small")" 65536
fails_with 2 'has its size' "$CFG" init --size 1M --force "$T/small"
ok "options of geometry" "$CFG" init --size 2M --align 512 --areas 3 "$T/geom"
not_ok "impossible ones" "$CFG" init --align 1000 "$T/bad"
not_ok "leave nothing behind" test -e "$T/bad"
for s in 0 -1 1T 99999999999999999999 1MB; do
	run "$CFG" init --size "$s" "$T/bad"
	is "--size $s is wrong usage" "$rc" 64
done
fails_with 2 'No such file or directory' "$CFG" init "$T/no/such"
fails_with 2 '.' "$CFG" init "$T"
printf 'letters\n' > "$T/letter"
fails_with 2 "holds a file's content" "$CFG" init "$T/letter"
is "which stays" "$(cat "$T/letter")" letters

# Devices, and what they hold.
truncate -s 4M "$T/disk"
if loop_dev "$T/disk"; then
	ok "an empty device" "$CFG" init "$dev"
	ok "holds a store then" "$CFG" -s "$dev" verify
	fails_with 2 'holds a store' "$CFG" init "$dev"
	for fs in ext2 ext4; do
		mkfs.$fs -q -F "$dev" 2> /dev/null
		fails_with 2 'ext2, ext3 or ext4 file system' \
		    "$CFG" init "$dev"
		ok "$fs is as it was" e2fsck -fn "$dev"
	done
	wipefs -aq "$dev"
	mkswap -q "$dev" > /dev/null 2>&1
	fails_with 2 'swap space' "$CFG" init "$dev"
	wipefs -aq "$dev"
	# As newfs, mkfs.fat, mkfs.xfs and partitioners leave them.
	plant() {
		dd if=/dev/zero of="$dev" bs=64k count=4 2> /dev/null
		# shellcheck disable=SC2059
		printf "$2" | dd of="$dev" bs=1 seek="$1" conv=notrunc \
		    2> /dev/null
	}
	for m in '66908:\031\001\124\031:UFS2' '9564:\124\031\001\000:UFS1' \
	    '82:FAT32   :FAT32' '54:FAT16   :FAT' '0:XFSB:XFS' \
	    '0:hsqs:squashfs' '512:EFI PART:GPT' '510:\125\252:MBR'; do
		bytes=${m#*:}
		plant "${m%%:*}" "${bytes%:*}"
		fails_with 2 "${m##*:}" "$CFG" init "$dev"
	done
	ok "by force" "$CFG" init --force "$dev"
else
	skip "no loop devices"
fi

# ---- import: NanoBSD's plain tree
mkdir -p "$BASE"
base_tree
mkdir -p "$T/cfg/ssh" "$T/cfg/.ignore" "$T/cfg/.snap" "$T/cfg/lost+found"
cp -p "$BASE/rc.conf" "$T/cfg/"
printf 'Port 2222\n' > "$T/cfg/ssh/sshd_config"
printf 'new\n' > "$T/cfg/resolv.conf"
printf 'x' > "$T/cfg/pwd.db"
printf 'x' > "$T/cfg/rc.conf~"
touch "$T/cfg/.ignore/x" "$T/cfg/.snap/x"
chown 3:4 "$T/cfg/resolv.conf"
ln "$T/cfg/resolv.conf" "$T/cfg/resolv.two"
ln -s nowhere "$T/cfg/a link"
mkfifo "$T/cfg/pipe"
weird=$(printf 'esc\033[2J\377\nline')
printf 'w\n' > "$T/cfg/$weird"
ok "import" on import --base "$BASE" "$T/cfg"
like "is one generation" "$out" '^generation 1: '
run on show --base "$BASE"
is "with what differs from the base" \
    "$(printf '%s\n' "$out" | sed -n 's/^\([AMDTmB] \)/\1/p')" \
    'A a link
A "esc\033[2J\377\nline"
A pipe
A resolv.conf
A resolv.two
M ssh/sshd_config'
like "and says of what" "$out" "import of $T/cfg"
run on import --base "$BASE" "$T/cfg"
is "again: nothing to import" "$rc $out" "0 nothing to import"
is "so no generation" "$(on log | wc -l)" 1
fails_with 2 'no base' "$CFG" -s "$STORE" import "$T/cfg"
fails_with 2 'No such file' on import --base "$BASE" "$T/none"
fails_with 2 'No such file' on import --base "$T/none" "$T/cfg"

# What became equal to the base follows it again.
cp -p "$BASE/ssh/sshd_config" "$T/cfg/ssh/"
ok "a file that became the base's" on import --base "$BASE" "$T/cfg"
run on show --base "$BASE"
like "follows the base again" "$out" '^B ssh/sshd_config'

# ---- show, log, verify
run on show @1:resolv.conf
is "a content" "$rc$out" 0new
run on show ":a link"
is "a link's target" "$out" nowhere
run on show --base "$BASE" @2:ssh/sshd_config
is "one of the base" "$out" 'Port 22'
fails_with 2 '--base tells' on show @2:ssh/sshd_config
fails_with 2 'No such file' on show --base "$BASE" @2:nothing
fails_with 2 'Is a directory' on show --base "$BASE" @2:ssh
fails_with 2 'generations' on show @9
fails_with 2 'not a generation' on show yesterday
run on log
like "newest first" "$(printf '%s\n' "$out" | head -1)" '^@2 .* import of '
run on log -n 1
is "-n" "$(printf '%s\n' "$out" | wc -l)" 1
run on log pipe
is "of one path" "$(printf '%s\n' "$out" | sed 's/ .*//')" @1
run on log --base "$BASE"
like "how many" "$out" '^@1 .* A5 M1 '
for v in log show verify; do
	on --json $v > "$T/json"
	ok "JSON of $v" json_ok
done
run on verify
is "a sound store" "$rc" 0
like "says its newest good generation" "$out" 'newest good one 2$'
unlike "names never steer the terminal" "$(on show; on log; on diff)" \
    "$(printf '\033')"

# ---- export
ok "export" on export --base "$BASE" "$T/out"
fails_with 2 'not empty' on export "$T/out"
is "modes and owners" "$(stat -c '%U:%u:%g:%a:%h' "$T/out/resolv.conf")" \
    "$(stat -c '%U:%u:%g:%a:%h' "$T/cfg/resolv.conf")"
is "contents" "$(cat "$T/out/$weird")" w
ok "a fifo" test -p "$T/out/pipe"
is "times" "$(stat -c %y "$T/out/pipe")" "$(stat -c %y "$T/cfg/pipe")"
not_ok "nothing of the base" test -e "$T/out/ssh"
ok "an older one" on export --gen @1 --base "$BASE" "$T/out1"
is "has what it had" "$(cat "$T/out1/ssh/sshd_config")" 'Port 2222'
is "below a directory like the base's" "$(stat -c %a "$T/out1/ssh")" \
    "$(stat -c %a "$BASE/ssh")"
ok "an archive" on export --tar "$T/a.tar"
mkdir "$T/x"
ok "that tar reads" tar -xpf "$T/a.tar" -C "$T/x"
snap "$T/out" > "$T/s1"
snap "$T/x" > "$T/s2"
ok "and gives the same tree" cmp "$T/s1" "$T/s2"
on export --tar - > "$T/b.tar"
ok "to standard output" cmp "$T/a.tar" "$T/b.tar"
run on export
is "to nowhere is wrong usage" "$rc" 64
fails_with 2 'No space left' on export --tar /dev/full

# ---- damage
cp "$STORE" "$T/bad"
perl -e 'open F, "+<", $ARGV[0] or die; local $/; my $s = <F>;
    my $at = index($s, "\0\0", 300000) ; seek F, 0, 0;
    for (my $i = 4096; $i < length $s; $i += 4096) {
	seek F, $i, 0; print F "rotten"; }' "$T/bad"
run "$CFG" -s "$T/bad" verify
is "damage is exit 1" "$rc" 1
printf 'nonsense' > "$T/nostore"
truncate -s 1M "$T/nostore"
fails_with 2 'not a cfgfs store' "$CFG" -s "$T/nostore" verify
fails_with 2 'No such file' "$CFG" -s "$T/none" log

# ---- deletions, and an instance that runs
if [ -c /dev/fuse ]; then
	STORE=$T/store2
	rm -rf "$BASE"
	# Names that mean something to a shell, and their neighbours.
	mkdir "$BASE"
	nl=$(printf 'new\nline')
	for f in 'a b' 'st*r' 'q?' 'b[r' 'b]r' 'back\slash' "$nl" -dash; do
		printf 'x\n' > "$BASE/$f"
	done
	for f in axb star qx bxr backxslash newxline; do
		printf 'x\n' > "$BASE/$f"
	done
	ok "a box" new_box
	printf 'y\n' > "$MNT/rc.conf"
	rm -r "$MNT/ssh" "$MNT/passwd.old"
	(cd "$MNT" && rm 'a b' 'st*r' 'q?' 'b[r' 'b]r' 'back\slash' "$nl" \
	    ./-dash)
	ok "deletions are committed" cfg commit -m del
	cfg export --remove-list "$T/list" "$T/out2"
	like "and listed for etc.remove" "$(cat "$T/list")" '^./passwd.old$'
	run cfg export "$T/out3"
	like "or it is said that they are missing" "$err" '10 deletions left out'
	# As rc.initdiskless does it: base, then /cfg, then the list.
	snap "$MNT" > "$T/s2"
	for shell in sh dash bash; do
		command -v $shell > /dev/null || continue
		rm -rf "${T:?}/boot"
		cp -Rp "$BASE" "$T/boot"
		cp -Rp "$T/out2/." "$T/boot"
		# shellcheck disable=SC2016
		$shell -c 'cd "$1" && rm -rf `cat "$2"`' sh "$T/boot" "$T/list"
		snap "$T/boot" > "$T/s1"
		ok "a stock boot ($shell) gives what is persisted" \
		    cmp "$T/s1" "$T/s2"
	done

	mkdir "$T/in"
	printf 'imported\n' > "$T/in/rc.conf"
	ok "import under a running view" cfg import "$T/in"
	like "says that it changed nothing there" "$out" 'is as it was'
	like "which is so" "$(cat "$MNT/rc.conf")" '^y$'
	run cfg diff rc.conf
	like "the difference is pending" "$out" '^-imported$'
	ok "revert" cfg revert rc.conf
	is "takes over what was imported" "$(cat "$MNT/rc.conf")" imported
	ok "then nothing is pending" cfg status -q
else
	skip "no /dev/fuse"
fi

done_testing
