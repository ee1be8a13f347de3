#!/bin/sh
# sys-diff.sh: cfg diff through the mounted view: the right difference of
# any two states, in every form, hidden from whom it must be.  TAP.
# shellcheck source=tests/sys.sh
. "$(dirname "$0")/sys.sh"
need_root
need_fuse

# No line of the text matches.
unlike() {
	if printf '%s\n' "$2" | grep -Eq -e "$3"; then
		sys_say 0 "$1"
	else
		sys_say 1 "$1"
	fi
}

ok "a box" new_box

run cfg diff
is "nothing pending, nothing printed" "$rc$out" 0

cp -Rp "$BASE" "$T/was"
sed -i 's/NO/YES/' "$MNT/rc.conf"
printf 'new\n' > "$MNT/with blank"
printf 'a\0b' > "$MNT/bin"
rm "$MNT/ssh/sshd_config"
chmod 700 "$MNT/rc.d/sshd"
chown 0:5 "$MNT/passwd"
rm "$MNT/fifo"
ln -s there "$MNT/lnk"
mkdir "$MNT/dir"
printf 'x\n' > "$MNT/dir/in"
ln "$MNT/dir/in" "$MNT/dir/in2"
rm -r "$MNT/mail"
printf 'now a file\n' > "$MNT/mail"
weird=$(printf 'new\nline')
printf 'w\n' > "$MNT/$weird"

run cfg diff
is "differences are exit 1" "$rc" 1
like "a changed line" "$out" '^\+sshd_enable="YES"$'
like "a new file, its name quoted" "$out" '^diff --git "a/with blank" "b/with blank"$'
like "a binary one only differs" "$out" '^Binary files /dev/null and b/bin differ$'
like "a deleted one" "$out" '^deleted file mode 100644$'
like "a mode" "$out" '^new mode 100700$'
like "an owner" "$out" '^new owner 0:5$'
like "a fifo" "$out" '^deleted fifo mode 010644$'
like "a link" "$out" '^new file mode 120000$'
like "a directory" "$out" '^new directory mode 040755$'
like "a hard link" "$out" '^new hard link b/dir/in2$'
like "what a directory held that is a file now" "$out" '^-root: admin$'
like "who" "$out" '^changed by root with sed, '
like "a newline in a name" "$out" '^diff --git "a/new.nline" '

# git and patch make the running tree of the base.
for with in git patch; do
	rm -rf "$T/t"
	cp -Rp "$T/was" "$T/t"
	cfg diff rc.conf 'with blank' ssh rc.d lnk dir "$weird" \
	    > "$T/d"
	cd "$T/t" || exit 2
	if [ $with = git ]; then
		ok "git apply takes it" git apply "$T/d"
	else
		ok "patch takes it" patch -s -p1 -i "$T/d"
	fi
	cd "$T" || exit 2
	for f in rc.conf 'with blank' dir/in "$weird"; do
		ok "$with: the content of $f" cmp "$T/t/$f" "$MNT/$f"
	done
	not_ok "$with: a deleted file is gone" test -e "$T/t/ssh/sshd_config"
	is "$with: a link" "$(readlink "$T/t/lnk")" there
	ok "$with: a mode" test -x "$T/t/rc.d/sshd"
done

run cfg diff --name-only
is "names alone" "$out" 'bin
dir
dir/in
dir/in2
fifo
lnk
mail
mail/aliases
"new\nline"
passwd
passwd.old
rc.conf
rc.d/sshd
ssh/sshd_config
with blank'
run cfg diff --stat rc.conf
is "counted" "$out" 'M rc.conf | 2 +-
1 path, 1 line added, 1 removed'
run cfg diff -U 0 "$MNT/rc.conf"
unlike "no lines around" "$out" '^ hostname'
like "-U 0" "$out" '^@@ -2 \+2 @@$'
run cfg --json diff
like "JSON says who" "$out" '"path": "rc.conf", .*"program": "sed"'
json_ok() { cfg --json diff | perl -MJSON::PP -0777 -e 'decode_json(<STDIN>)'; }
ok "JSON is JSON" json_ok
run cfg diff --color=always rc.conf
like "colours" "$out" "$(printf '\033')\[32m\+sshd"

# States.
ok "a commit" cfg commit -m one
run cfg diff
is "committed: no difference" "$rc$out" 0
run cfg diff @base --name-only
is "against the base, it is still there" "$(printf '%s\n' "$out" |
    grep -c .)" 15
printf 'more\n' >> "$MNT/rc.conf"
run cfg diff @base rc.conf
like "base against running: the committed" "$out" '^\+sshd_enable="YES"$'
like "and the pending" "$out" '^\+more$'
run cfg diff @base @0 rc.conf
unlike "base against head: not the pending" "$out" more
printf 'root: me\n' > "$MNT/fifo"
ok "another commit" cfg commit -m two
run cfg diff @1 @2 --name-only
is "two generations" "$out" 'fifo
rc.conf'
run cfg diff @2 @1 rc.conf
like "the other way round" "$out" '^-more$'
run cfg diff @running @1 --name-only
is "from running" "$out" 'fifo
rc.conf'
run cfg diff @base @running --name-only ssh
is "to running" "$out" ssh/sshd_config
printf 'x\n' > "$MNT/@1"
run cfg diff --name-only -- @1
is "a path that looks like a generation" "$out" @1
rm "$MNT/@1"
fails_with 2 'diff: @7: ' cfg diff @7
fails_with 2 'not a path below' cfg diff /usr/lib
fails_with 2 'not a path below' cfg diff "$MNT/../x"

# Without mount or daemon.
run cfg -s "$STORE" diff --base "$BASE" --name-only
is "a store alone: the last generation" "$out" 'fifo
rc.conf'
run cfg -s "$STORE" diff @base @1 --base "$BASE" ssh
like "with the base: what it had" "$out" '^-Port 22$'
run cfg -s "$STORE" diff @base @1 ssh
like "without: that it can't say" "$out" 'as in the base, which is not at hand'
run cfg -s "$STORE" diff @1 @2 rc.conf
like "both in the store: just the difference" "$out" '^\+more$'
unlike "and nothing of the rest" "$out" '^\+hostname'

# Nothing in a file steers the terminal; and what is hidden stays so.
ok "the view stops" stop_view
chgrp 12345 "$STORE"
chmod 640 "$STORE"
ok "and starts, the store open to a group" run_view
ok "a commit begins another journal" cfg commit
printf 'secret\n' >> "$MNT/master.passwd"
printf 'open\n' >> "$MNT/passwd"
printf '\033[2Jescape\n' > "$MNT/esc"
if command -v script > /dev/null; then
	run script -qec "$CFG -m $MNT diff esc" /dev/null
	like "on a terminal, escapes are shown" "$out" '\^\[\[2Jescape'
	unlike "and not sent" "$out" "$(printf '\033')\[2J"
else
	skip "no script(1)"
fi
mkdir -m 700 "$MNT/private"
printf 'key\n' > "$MNT/private/key"
chmod 644 "$MNT/private/key"
diff_as() {
	setpriv --reuid 4321 --regid "$1" --clear-groups \
	    "$CFG" -m "$MNT" diff
}
run diff_as 12345
is "another user sees differences" "$rc" 1
like "what is open to all" "$out" '^\+open$'
like "that there are others" "$out" 'content hidden: permission denied'
unlike "but not what they are" "$out" 'secret|key$'
run diff_as 4321
is "who may not read the store sees nothing" "$rc$out" 2
done_testing
