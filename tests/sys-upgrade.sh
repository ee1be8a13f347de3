#!/bin/sh
# sys-upgrade.sh: a new image, and so another base under what was
# committed: what is merged, what is left to the user, and that a boot
# gives a tree that can be used whatever there is.
# shellcheck source=tests/sys.sh
. "$(dirname "$0")/sys.sh"
need_root
need_fuse

# lines FILE WORDS...: a text, a word in a line.
lines() {
	lines_to=$1
	shift
	printf '%s\n' "$@" > "$lines_to"
}

# Every case has a name; what the image had, ...
old_base() {
	mkdir -p "$BASE/ssh" "$BASE/sub"
	for f in same clean overlap follow attr bin deleted gone away pinned \
	    alike ssh/sshd_config type touched linked; do
		lines "$BASE/$f" 1 2 3 4 5 6 7 8 9
	done
	printf '1\0002\n' > "$BASE/bin"
	ln -s one "$BASE/link"
	ln -s one "$BASE/link2"
	lines "$BASE/sub/x" 1 2 3
	chmod 750 "$BASE/sub"
}

# ... what the user made of it, ...
edits() {
	sed -i 's/^2$/mine/' "$MNT/same" "$MNT/clean" "$MNT/overlap" \
	    "$MNT/gone" "$MNT/pinned" "$MNT/ssh/sshd_config" "$MNT/touched"
	chmod 600 "$MNT/clean"
	chmod 640 "$MNT/follow"
	sed -i 's/^9$/nine/' "$MNT/alike"
	printf '1\0003\n' > "$MNT/bin"
	rm "$MNT/deleted" "$MNT/away" "$MNT/type"
	ln -s elsewhere "$MNT/type"
	echo new > "$MNT/added"
	echo new > "$MNT/added2"
	ln -sfn two "$MNT/link"
	chown -h 5 "$MNT/link2"
	chown 5 "$MNT/sub"
	rm "$MNT/linked"
	lines "$MNT/linked" mine
	ln "$MNT/linked" "$MNT/linked2"
}

# ... and what the next image has.
new_base() {
	cp -a "$BASE" "$T/new"
	BASE=$T/new
	sed -i 's/^8$/theirs/' "$BASE/clean" "$BASE/follow" "$BASE/deleted" \
	    "$BASE/pinned" "$BASE/type" "$BASE/linked"
	chmod 755 "$BASE/clean" "$BASE/sub" "$BASE/attr"
	sed -i 's/^2$/theirs/; s/^9$/also theirs/' "$BASE/overlap" \
	    "$BASE/ssh/sshd_config"
	sed -i 's/^9$/nine/' "$BASE/alike"
	printf '1\0004\n' > "$BASE/bin"
	rm "$BASE/gone" "$BASE/away"
	echo theirs > "$BASE/added"
	echo new > "$BASE/added2"
	ln -sfn three "$BASE/link"
	ln -sfn three "$BASE/link2"
	chown 7:8 "$BASE/touched"
}

states() { cfg resolve | cut -f 1; }
line() { lines "$T/line" "$@"; cmp "$T/line" "$file"; }
holds() { file=$MNT/$2; shift 2; ok "$what" line "$@"; }
is_now() {
	what=$1 file=$MNT/$2
	shift 2
	ok "$what" line "$@"
}
mode() { stat -c '%a %u:%g' "$MNT/$1"; }

base_tree() { old_base; }
ok "a box on the old image" new_box 2M
edits
ok "pins a path" cfg pin pinned
is "which is listed" "$(cfg pin)" pinned
ok "commits its edits" cfg commit -m edits
is "nothing has another base yet" "$(cfg resolve)" "nothing to resolve"
ok "nothing is pending" cfg status -q
OLD=$BASE
power_cut
rm -rf "$T/tree"
ok "the same base again" "$CFG" restore --store "$STORE" --base "$BASE" "$T/tree"
not_ok "leaves no list" test -e "$T/tree/.cfg.merge"

new_base
ram_up
run "$CFG" restore --store "$STORE" --base "$BASE" "$MNT"
is "over the new base a boot ends with 0" "$rc" 0
like "and says that there was something" "$err" \
    '5 merged, 9 in conflict'
snap "$MNT" > "$T/first"
rm -rf "$T/tree"
run "$CFG" restore --store "$STORE" --base "$BASE" "$T/tree"
snap "$T/tree" > "$T/second"
is "twice gives the same" "$(cat "$T/second")" "$(cat "$T/first")"

ok "the box on the new image" run_view
out=$(cfg status)
echo "$out" | sed 's/^/# /'
cfg resolve | sed 's/^/# /'

is_now "both edits are in a text" clean 1 mine 3 4 5 6 7 theirs 9
is "with the user's mode" "$(mode clean)" "600 0:0"
is_now "what overlaps is the user's" overlap 1 mine 3 4 5 6 7 8 9
is_now "of a mode alone the base's text is taken" follow 1 2 3 4 5 6 7 theirs 9
is "with the user's mode" "$(mode follow)" "640 0:0"
is_now "what changed in the base alone follows it" attr 1 2 3 4 5 6 7 8 9
is "with its mode" "$(mode attr)" "755 0:0"
is "the base's owner goes to what the user has" "$(mode touched)" "644 7:8"
is "an owner and a mode come together in a directory" "$(mode sub)" "755 5:0"
is "a link's target, too" "$(readlink "$MNT/link2") $(stat -c %u "$MNT/link2")" \
    "three 5"
is_now "a pinned path stays" pinned 1 mine 3 4 5 6 7 8 9
not_ok "deleted stays deleted" test -e "$MNT/deleted"
done_testing
