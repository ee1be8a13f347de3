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
	mkdir -p "$BASE/net" "$BASE/sub"
	for f in same clean overlap follow attr bin deleted gone away pinned \
	    alike net/conf type touched linked; do
		lines "$BASE/$f" 1 2 3 4 5 6 7 8 9
	done
	lines "$BASE/same2" 1
	printf '1\0002\n' > "$BASE/bin"
	ln -s one "$BASE/link"
	ln -s one "$BASE/link2"
	lines "$BASE/sub/x" 1 2 3
	chmod 750 "$BASE/sub"
}

# ... what the user made of it, ...
edits() {
	sed -i 's/^2$/mine/' "$MNT/same" "$MNT/clean" "$MNT/overlap" \
	    "$MNT/gone" "$MNT/pinned" "$MNT/net/conf" "$MNT/touched"
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
	    "$BASE/net/conf"
	sed -i 's/^9$/nine/' "$BASE/alike"
	printf '1\0004\n' > "$BASE/bin"
	rm "$BASE/gone" "$BASE/away"
	echo theirs > "$BASE/added"
	echo new > "$BASE/added2"
	ln -sfn three "$BASE/link"
	ln -sfn three "$BASE/link2"
	chown 7:8 "$BASE/touched"
}

line() { lines "$T/line" "$@"; cmp "$T/line" "$file"; }
# is_now PROMISE FILE WORDS...
is_now() {
	what=$1 file=$MNT/$2
	shift 2
	ok "$what" line "$@"
}
mode() { stat -c '%a %u:%g' "$MNT/$1"; }
# state PATH: what the list says of it.
state() { cfg resolve | sed -n "s|^\([a-z]*\) $1\(	.*\)*\$|\1|p"; }
restore() { "$CFG" restore --store "$STORE" --base "$BASE" "$@" 2> "$T/err"; }

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
ok "the same base again" restore "$T/tree"
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
like "status tells of what was merged" "$(cfg status)" '^merged clean$'
like "and of what was not" "$(cfg status)" \
    '^conflict net/conf	.*cfg resolve'
like "in JSON, too" "$(cfg --json status)" \
    '"path": *"clean","state": *"merged"'
like "resolve tells why" "$(cfg resolve)" '^conflict gone	.*no longer'
like "in JSON, too" "$(cfg --json resolve)" '"state": "conflict", "why": "gone"'
is "which is all of them" "$(cfg resolve | sed 's/	.*//' | tr '\n' ',')" \
    "$(echo conflict added,conflict bin,merged clean,conflict deleted,\
merged follow,conflict gone,conflict link,merged link2,conflict linked,\
conflict net/conf,conflict overlap,merged sub,merged touched,\
conflict type, | sed 's/, */,/g')"
is "only what was merged is pending" "$(cfg diff --name-only | tr '\n' ' ')" \
    "clean follow link2 sub touched "

is_now "both edits are in a text" clean 1 mine 3 4 5 6 7 theirs 9
is "with the user's mode" "$(mode clean)" "600 0:0"
is_now "what overlaps is the user's" overlap 1 mine 3 4 5 6 7 8 9
is_now "of a mode alone the base's text is taken" follow 1 2 3 4 5 6 7 theirs 9
is "with the user's mode" "$(mode follow)" "640 0:0"
is_now "what changed in the base alone follows it" attr 1 2 3 4 5 6 7 8 9
is "with its mode" "$(mode attr)" "755 0:0"
is "the base's owner goes to what the user has" "$(mode touched)" "644 7:8"
is "an owner and a mode come together in a directory" "$(mode sub)" "755 5:0"
is "a link's target, too" \
    "$(readlink "$MNT/link2") $(stat -c %u "$MNT/link2")" "three 5"
is_now "a pinned path stays" pinned 1 mine 3 4 5 6 7 8 9
not_ok "deleted stays deleted" test -e "$MNT/deleted"
is "what the base has no more stays" "$(sed -n 2p "$MNT/gone")" mine
is "so does what is of another type there" "$(readlink "$MNT/type")" elsewhere
is "and a file of two names" "$(stat -c %h "$MNT/linked")" 2
not_ok "what both deleted is gone" test -e "$MNT/away"

# ---- verify --boot
run cfg verify --boot
is "the next boot would give just that" "$rc $(echo "$out" | tail -1 |
    cut -f 1)" "0 conflict type"
like "and would merge" "$out" '^merged clean$'
run cfg verify --boot --base "$OLD"
is "with the old image's base it would give something else" "$rc" 1
like "which is shown" "$out" '^-theirs$'
is "without the list" "$(echo "$out" | grep -c cfg.merge)" 0
is "nothing of that is left" "$(find "$STATE" -name 'boot.*')" ""
fails_with 2 'nowhere' "$CFG" -m "$MNT" verify --boot --base "$T/nowhere"
fails_with 64 usage "$CFG" -m "$MNT" verify --base "$OLD"

# ---- resolve
ok "mine" cfg resolve --mine overlap deleted
is "is noted" "$(state overlap) $(state deleted)" "mine mine"
like "status says so" "$(cfg status)" '^mine overlap$'
run cfg status -q
is "and that a power cut would lose it" "$rc" 1
ok "theirs" cfg resolve --theirs gone added bin link type
not_ok "takes away what the base has no more" test -e "$MNT/gone"
is "gives what the base has" "$(cat "$MNT/added")" theirs
is "of any kind" "$(readlink "$MNT/link") $(stat -c %F "$MNT/type")" \
    "three regular file"
ok "mine again" cfg resolve --mine bin
is "takes that back" "$(od -An -c "$MNT/bin" | tr -d ' ')" '1\03\n'
ok "the merged text" cfg resolve --merged net/conf
is_now "has both, marked" net/conf 1 "<<<<<<< yours" mine \
    "||||||| old base" 2 ======= theirs ">>>>>>> new base" \
    3 4 5 6 7 8 "also theirs"
fails_with 2 'linked: changed in the base.*--mine or --theirs' \
    "$CFG" -m "$MNT" resolve --merged linked
fails_with 2 'same: the base has nothing else' \
    "$CFG" -m "$MNT" resolve --mine same
fails_with 2 'not a path below' "$CFG" -m "$MNT" resolve --mine ../x
fails_with 64 usage "$CFG" -m "$MNT" resolve --mine
fails_with 64 usage "$CFG" -m "$MNT" resolve --mine --theirs same
fails_with 64 usage "$CFG" -m "$MNT" resolve same
edit() { EDITOR=$1 timeout 20 "$CFG" -m "$MNT" resolve --edit net/conf; }
fails_with 2 'conflicts in it still: nothing is taken' edit true
fails_with 2 'false failed: nothing is taken' edit false
# shellcheck disable=SC2016
ok "an editor" edit "sed -i -e '/^[<|=>]/d' -e 's/^2\$/between/'"
is_now "makes a whole of it" net/conf 1 mine between theirs 3 4 5 6 7 8 \
    "also theirs"
is "nothing of that is left" "$(find "$STATE" -name 'edit.*')" ""
ok "a merge can be taken back" cfg resolve --mine touched
is "to what was committed" "$(mode touched)" "644 0:0"
ok "reverted without a word" cfg revert type
is "it is a conflict as before" "$(state type)" conflict
ok "a merge that is reverted" cfg revert follow
like "is one, too" "$(cfg resolve)" '^conflict follow	.*taken back'

# ---- the commit
ok "one path is committed" cfg commit clean
is "its base is known now" "$(state clean)" ""
is "the others' is not" "$(state net/conf)" taken
run cfg commit -m merged
is "a commit of all ends with 0" "$rc" 0
diag "$out"
is "all that was settled is done" "$(cfg resolve | cut -f 1 | tr '\n' ' ')" \
    "conflict follow conflict linked conflict type "
ok "nothing is pending" cfg status -q
is "what follows the base has left the overlay" "$("$CFG" -s "$STORE" \
    diff --name-only @base @0 | grep -Ecx 'added2|alike|added|gone|link')" 0
ok "what is pinned has not" sh -c "'$CFG' -s '$STORE' diff --name-only \
    @base @0 | grep -qx pinned"
snap "$MNT" | grep -v cfg.merge > "$T/first"
run cfg verify --boot
is "a boot now would merge one alone" "$rc $(echo "$out" |
    grep -c '^merged')" "1 1"
power_cut
ram_up
ok "the next boot" restore "$MNT"
ok "and the view" run_view
is "has the rest open still" "$(cfg resolve | cut -f 1 | tr '\n' ' ')" \
    "merged follow conflict linked conflict type "
ok "once the merge is taken" cfg revert follow
is "is as it was" "$(snap "$MNT" | grep -v cfg.merge)" "$(cat "$T/first")"
cfg resolve --mine linked type follow > "$T/log"
ok "the rest is settled" cfg commit
is "and then nothing is open" "$(cfg resolve)" "nothing to resolve"
ok "the user's own is what a boot gives" cfg verify --boot

# ---- pins
ok "what the base has is pinned, too" cfg pin same2 attr
is "twice is once" "$(cfg pin attr; cfg pin | tr '\n' ' ')" \
    "pinned same2 attr "
ok "and let go of" cfg pin -d same2
fails_with 2 'same2 is not pinned' "$CFG" -m "$MNT" pin -d same2
fails_with 64 usage "$CFG" -m "$MNT" pin -d
fails_with 2 "can't be pinned" "$CFG" -m "$MNT" pin '#x'
ok "a pin is committed as any file" cfg commit
stop_view
cp -a "$BASE" "$T/newer"
BASE=$T/newer
echo newer > "$BASE/attr"
rm -rf "$T/tree"
ok "over a base that has it changed" restore "$T/tree"
is "it is as it was pinned" "$(sed -n 2p "$T/tree/attr")" 2
not_ok "in silence" test -e "$T/tree/.cfg.merge"

# ---- what cfgfs builds, and garbage
echo newer > "$BASE/overlap"
sed -i 's/^4$/newer/' "$BASE/clean"
power_cut
ram_up
ok "cfgfs itself fills the tree" run_view
like "and sees what was merged" "$(cfg status)" '^M clean'
is "as merged" "$(state clean) $(state overlap)" "merged conflict"
kill_view
ok "a daemon that is gone" run_view
like "changes nothing of that" "$(cfg status)" '^M clean'
for g in '' 'x' 'conflict' 'conflict overlap ' 'mine nonsense clean' \
    'merged overlap ../../etc/passwd' 'taken overlap nowhere'; do
	printf '%s\000' "$g" > "$MNT/.cfg.merge"
	is "a list with '$g' in it is none" "$(cfg resolve)" \
	    "nothing to resolve"
done
head -c 100000 /dev/urandom > "$MNT/.cfg.merge"
ok "noise for a list" cfg status
rm "$MNT/.cfg.merge"
mkfifo "$MNT/.cfg.merge"
ok "a fifo" cfg status
rm "$MNT/.cfg.merge"
mkdir "$MNT/.cfg.merge"
ok "a directory" cfg status
ok "a commit beside it" cfg commit
stop_view

# What was imported is over a base as well.
mkdir "$T/import"
sed 's/^2$/mine/' "$OLD/clean" > "$T/import/clean"
"$CFG" init "$T/import.store" > "$T/log"
ok "an import" "$CFG" -s "$T/import.store" import --base "$OLD" "$T/import"
ok "over the new base" "$CFG" restore --store "$T/import.store" \
    --base "$BASE" "$T/imported"
file=$T/imported/clean
ok "is merged" line 1 mine 3 newer 5 6 7 theirs 9

# The tree has the base already, and something in the list's place.
cp -a "$BASE" "$T/nano"
mkdir "$T/nano/.cfg.merge"
ok "the overlay alone, over another base" "$CFG" restore --store "$STORE" \
    "$T/nano"
ok "has its list" test -f "$T/nano/.cfg.merge"
snap "$T/nano" > "$T/first"
ok "and again" "$CFG" restore --store "$STORE" "$T/nano"
is "changes nothing" "$(snap "$T/nano")" "$(cat "$T/first")"
done_testing
