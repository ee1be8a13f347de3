#!/bin/sh
# Ways of use that are rare, each of which once went wrong: a base that
# has lost a directory, and what stands below it in the store.
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
done_testing
