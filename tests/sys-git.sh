#!/bin/sh
# sys-git.sh: the history of a store in git: each generation is a commit
# with the files of that generation, whatever became of what.
# shellcheck source=tests/sys.sh
. "$(dirname "$0")/sys.sh"
need_root
need_fuse

# tree DIR: what git can say of it.
tree() {
	(cd "$1" && find . \( -type f -o -type l \) ! -path './.git/*' |
	    sort | while IFS= read -r f; do
		if [ -L "$f" ]; then
			printf '%s -> %s\n' "$f" "$(readlink "$f")"
		else
			printf '%s %s %s\n' "$f" \
			    "$([ -x "$f" ] && echo x || echo -)" \
			    "$(sha256sum < "$f")"
		fi
	done)
}

gen=0
# step MESSAGE: commit, and keep what the tree looks like.
step() {
	cfg commit -m "$1" > /dev/null || return 1
	gen=$((gen + 1))
	tree "$MNT" > "$T/want.$gen"
}

ok "a box starts" new_box 1M
mkdir -p "$MNT/deep/er" && echo 1 > "$MNT/deep/er/f"
step "a tree"
echo 2 > "$MNT/deep/er/f" && chmod 755 "$MNT/rc.conf"
step "a mode and a content"
chmod 700 "$MNT/deep"
step "a directory's mode alone"
rm -r "$MNT/rc.d"
step "a directory of the base goes"
mkdir "$MNT/rc.d" && cp -p "$BASE/rc.d/sshd" "$MNT/rc.d/" &&
    chmod "$(stat -c %a "$BASE/rc.d")" "$MNT/rc.d"
step "and comes back"
rm -r "$MNT/deep" && echo file > "$MNT/deep"
step "a directory becomes a file"
rm "$MNT/deep" && mkdir "$MNT/deep" && ln -s ../rc.conf "$MNT/deep/l"
step "a file becomes a directory"
printf 'x' > "$MNT/a b" && printf 'y' > "$MNT/q\"uote" &&
    printf 'z' > "$MNT/tail "
step "names"
mkdir "$MNT/empty" && rm "$MNT/deep/l" && rmdir "$MNT/deep" &&
    echo f > "$MNT/deep"
step "an empty directory, and a file again"
rm "$MNT/deep" && mkdir "$MNT/deep"
step "a file becomes an empty directory"
mkfifo "$MNT/pipe"
step "what git has no form for"

git init -q "$T/git"
run cfg export --git "$T/stream"
is "the export is done" "$rc" 0
like "what git can't have is counted" "$err" '^cfg: export: [0-9]+ left out: git'
# shellcheck disable=SC2016
ok "git takes it" sh -c 'git -C "$1/git" fast-import --quiet < "$1/stream"' \
    sh "$T"
is "a commit for each generation, and the base" \
    "$(git -C "$T/git" rev-list --count main)" $((gen + 1))
bad=
i=$gen
while [ "$i" -gt 0 ]; do
	rm -rf "$T/co" && mkdir "$T/co" &&
	    git -C "$T/git" archive "main~$((gen - i))" | tar -xf - -C "$T/co"
	tree "$T/co" > "$T/have"
	cmp -s "$T/want.$i" "$T/have" || {
		bad="$bad $i"
		diff "$T/want.$i" "$T/have" | head -5 | sed 's/^/# /'
	}
	i=$((i - 1))
done
is "each has the files of its generation" "$bad" ""
like "the message is the commit's" "$(git -C "$T/git" log -1 --format=%s main)" \
    '^what git has no form for$'
ok "the same again" cfg export --git "$T/again"
ok "is the same stream" cmp "$T/stream" "$T/again"
ok "without the base it is the overlay" \
    "$CFG" -s "$STORE" export --git "$T/over"
not_ok "and has nothing of the base" grep -q '^base$' "$T/over"
fails_with 64 'usage' "$CFG" -s "$STORE" export --git - --gen 1
done_testing
