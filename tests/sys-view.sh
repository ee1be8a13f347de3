#!/bin/sh
# sys-view.sh: the view answers as the RAM disk does: the same calls are
# made on both (tests/viewops.c).
# shellcheck source=tests/sys.sh
. "$(dirname "$0")/sys.sh"
need_root
need_fuse

# ram DIR [OPTIONS]: an empty RAM disk.
ram() {
	mkdir -p "$1" && mount -t tmpfs -o "mode=755${2:-}" cfgfs-ram "$1"
}

# lay OPTIONS: a RAM disk, another with the view over it, a third for state.
lay() {
	ram "$T/plain" "$1" && ram "$T/tree" "$1" && ram "$STATE" &&
	    mkdir -p "$BASE" "$MNT" || return 1
	timeout "$LIMIT" "$CFGFS" -o \
	    "store=$T/none,base=$BASE,tree=$T/tree,state=$STATE" "$MNT"
}

lift() {
	stop_view && umount "$T/plain" "$T/tree" "$STATE"
}

# relay FILE: a program's TAP lines as ours.
relay() {
	while IFS= read -r line; do
		case $line in
		"ok "*)		sys_say 1 "${1}${line#*- }" ;;
		"not ok "*)	sys_say 0 "${1}${line#*- }" ;;
		"#"*)		echo "$line" ;;
		esac
	done < "$T/out"
}

# A test that can't fail is none: another FUSE filesystem does not pass.
ram "$T/plain"
ram "$T/tree"
ok "two plain directories answer alike" env ROUNDS=5 "$TOP/tests/viewops" \
    "$T/plain" "$T/tree"
if command -v bindfs > "$T/out"; then
	mkdir "$T/bind"
	ok "bindfs mounts" bindfs -o suid,dev "$T/tree" "$T/bind"
	not_ok "and bindfs is found to differ" env ROUNDS=5 CASE=random \
	    "$TOP/tests/viewops" "$T/plain" "$T/bind"
	umount "$T/bind"
fi
umount "$T/plain" "$T/tree"

ok "the view is mounted" lay ""
run "$TOP/tests/viewops" "$T/plain" "$MNT" "$T/tree"
printf '%s\n' "$out" > "$T/out"
relay "the view as the RAM disk: "
is "all of them were run" "$rc $(grep -c '^ok' "$T/out")" "0 22"

# The directory that is served is the mount point itself.
ok "the view goes away" lift
ram "$T/plain"
ram "$STATE"
ram "$MNT"
ok "a view is mounted over the directory that it serves" timeout "$LIMIT" \
    "$CFGFS" -o "store=$T/none,base=$BASE,state=$STATE" "$MNT"
rm "$MNT/.cfg.older"	# of a restore without a store
ok "and answers as that" env ROUNDS=3 "$TOP/tests/viewops" "$T/plain" "$MNT"
lift 2> "$T/out"
umount "$MNT" "$T/plain" "$STATE" 2> "$T/out"

ok "a RAM disk of 1 MiB is mounted" lay ",size=1m"
run env CASE=full "$TOP/tests/viewops" "$T/plain" "$MNT" "$T/tree"
printf '%s\n' "$out" > "$T/out"
relay "when it is full: "
lift

done_testing
