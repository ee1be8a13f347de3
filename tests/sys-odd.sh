#!/bin/sh
# Ways of use that are rare, each of which once went wrong: a base that
# has lost a directory, and what stands below it in the store; the mount
# point by another name.
. "$(dirname "$0")/sys.sh"
need_root
need_fuse

mkdir -p "$BASE/opt"
ok "a box starts" new_box
echo mine > "$MNT/opt/mine"
ok "a file in a directory of the base is committed" cfg commit

# The next image has no such directory.
power_cut
rm -r "$BASE/opt"
boot 2> /dev/null
is "without the directory nothing is pending" "$(cfg status --json |
    sed 's/.*"pending":\(\[[^]]*\]\).*/\1/')" "[]"
mkdir "$MNT/opt"
echo new > "$MNT/opt/new"
ok "a directory of that name is committed" cfg commit
have=$(snap "$MNT")
power_cut
ok "the box starts again" boot
is "what was lost with the old one stays so" "$(snap "$MNT")" "$have"
ok "and nothing is pending" cfg status -q

# The mount point by other names.
ln -s "$MNT" "$T/link"
echo zz > "$MNT/zz"
for m in "$MNT/" "$T/link" "$T/link/" "$T/../t/mnt"; do
	ok "-m $m" "$CFG" -m "$m" status
	like "says the same" "$out" '^A zz	'
	like "a path by it, too" \
	    "$("$CFG" -m "$m" diff --name-only "$T/link/zz" 2>&1)" '^zz$'
done
like "-m relative, from inside" "$(cd "$MNT/ssh" && "$CFG" -m ../../link \
    diff --name-only ../zz 2>&1)" '^zz$'
fails_with 2 'not a path below' cfg status "$T/link/../zz"
fails_with 2 'does not serve it' timeout 20 "$CFG" -m "$T/base" status
done_testing
