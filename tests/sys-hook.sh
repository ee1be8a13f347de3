#!/bin/sh
# sys-hook.sh: hooks around a commit and a restore: who runs, when, with
# what, and that none can hold the box up.
# shellcheck source=tests/sys.sh
. "$(dirname "$0")/sys.sh"
need_root
need_fuse

head_is() { cfg log -n 1 2>/dev/null | sed -n 's/^@\([0-9]*\).*/\1/p'; }

# hook NAME/FILE: an executable with the script on standard input.
hook() {
	mkdir -p "$MNT/cfgfs/hooks/${1%/*}" && {
		echo '#!/bin/sh'
		cat
	} > "$MNT/cfgfs/hooks/$1" && chmod 755 "$MNT/cfgfs/hooks/$1"
}
unhook() { rm -rf "$MNT/cfgfs/hooks"; }

ok "a box starts" new_box 1M

# ---- order, input, environment
cat > "$T/tell" <<E
{ echo "== \${0##*/} \$#"; pwd; cat; env | grep -e ^CFG -e ^PATH | sort
ls /proc/self/fd | wc -l; } >> $T/told
E
hook pre-commit/20-b < "$T/tell"
hook pre-commit/10-a < "$T/tell"
hook pre-commit/B < "$T/tell"
hook pre-commit/.hidden < "$T/tell"
hook pre-commit/30-c~ < "$T/tell"
hook pre-commit/30-c.bak < "$T/tell"
hook pre-commit/30-not < "$T/tell"
chmod 644 "$MNT/cfgfs/hooks/pre-commit/30-not"
mkdir "$MNT/cfgfs/hooks/pre-commit/40-dir"
hook post-commit/x < "$T/tell"
ok "hooks are committed as all else is" cfg commit
is "and that commit was theirs, too" "$(grep -c == "$T/told")" 4
rm "$T/told"
echo x > "$MNT/$(printf 'new\nline')"
rm "$MNT/.profile"
ok "a commit with hooks" cfg commit -m 'a message'
expect() {
	cat <<-X
	== $2 0
	/
	.profile
	"new\nline"
	CFG_GENERATION=2
	CFG_HOOK=$1
	CFG_MESSAGE=a message
	CFG_MOUNT=$MNT
	CFG_TRIAL=
	CFG_USER=root
	PATH=/sbin:/usr/sbin:/bin:/usr/bin:/usr/local/sbin:/usr/local/bin
	4
	X
}
is "runs them in order, with paths and environment" "$(cat "$T/told")" \
    "$(expect pre-commit 10-a; expect pre-commit 20-b
    expect pre-commit B; expect post-commit x)"
rm "$T/told"
ok "where nothing is pending" cfg commit
ok "none runs" test ! -e "$T/told"
echo y > "$MNT/y"
echo z > "$MNT/z"
cfg commit y > /dev/null
is "they hear of what is committed alone" \
    "$(grep -c '^[yz]$' "$T/told") $(grep -c '^y$' "$T/told")" "4 4"
rm "$T/told"
ok "commit -n" cfg commit -n
ok "runs none" test ! -e "$T/told"
unhook
cfg commit > /dev/null

# ---- veto
hook pre-commit/10-no <<'E'
echo "no, since it is late"
echo "on standard error" >&2
exit 3
E
hook pre-commit/20-after <<E
: > $T/after
E
gen=$(head_is)
run cfg commit
is "a hook can refuse" "$rc" 2
like "with its own words as they are" "$err" '^no, since it is late$'
like "on either output" "$err" '^on standard error$'
like "and is named" "$err" '^cfg: commit: hook pre-commit/10-no: exit status 3'
is "nothing is written" "$(head_is)" "$gen"
ok "those behind it do not run" test ! -e "$T/after"
ok "--force goes past it" cfg commit --force -m late
ok "and runs the others" test -e "$T/after"
like "which the message says" "$(cfg show)" 'forced: pre-commit/10-no$'
unhook
cfg commit > /dev/null
hook post-commit/fail <<'E'
exit 1
E
ok "a hook behind the commit that fails is no failure" cfg commit
like "but a warning" "$err" 'hook post-commit/fail: exit status 1'
unhook

# ---- a hook that changes what is committed
hook pre-commit/stamp <<E
echo "by \$CFG_USER" > $MNT/stamp
rm -f $MNT/motd
E
echo m > "$MNT/motd"
ok "a hook may change what is pending" cfg commit
is "and that is committed" "$(cfg show :stamp)" "by root"
not_ok "with what it removed" cfg show :motd
ok "all of it" cfg status -q
hook pre-commit/stamp <<E
echo 'if' > $MNT/rc.conf
E
run cfg commit
like "what it writes is checked" "$err" '^cfg: commit: rc.conf: sh says:$'
cfg revert rc.conf > /dev/null
hook pre-commit/stamp <<E
echo "*.lease" > $MNT/cfgfs/ignore
E
echo 1 > "$MNT/em0.lease"
echo 2 > "$MNT/stamp"
ok "a hook may change what is ignored" cfg commit
not_ok "so that this is left out" cfg show :em0.lease
ok "and not what is not" cfg show :stamp
hook pre-commit/stamp <<E
$CFG -m $MNT status -q; echo "status \$?"
$CFG -m $MNT commit
E
echo 1 > "$MNT/stamp"
run cfg commit
like "a hook may look" "$err" '^status 1$'
like "but not commit" "$err" 'not from within a pre-commit hook$'
unhook
cfg commit > /dev/null
hook post-commit/again <<E
$CFG -m $MNT status -q; echo "status \$?"
test -e $MNT/more || { : > $MNT/more; $CFG -m $MNT commit -m more; }
E
ok "the lease is free behind a commit" cfg commit
like "so a hook may look" "$err" '^status 0$'
like "and even commit" "$(cfg log -n 1)" '  more$'
unhook
cfg commit > /dev/null

# ---- time
mkdir -p "$MNT/cfgfs"
echo 'time-limit 1' > "$MNT/cfgfs/config"
cfg commit > /dev/null
hook pre-commit/deaf <<'E'
trap '' TERM
echo began
while :; do sleep 71; done
E
run cfg commit
is "a hook that takes too long refuses" "$rc" 2
like "as is said" "$err" 'hook pre-commit/deaf: took longer than 1 second'
like "with what it said" "$err" '^began$'
is "and it is gone, children and all" "$(pgrep -f 'sleep 71')" ""
hook pre-commit/deaf <<'E'
sleep 72 &
echo left
E
ok "one that leaves a child" cfg commit
is "does not leave it" "$(pgrep -f 'sleep 72')" ""
unhook
echo 'time-limit 30' > "$MNT/cfgfs/config"
cfg commit > /dev/null
hook pre-commit/slow <<E
: > $T/began
while [ ! -e $T/go ]; do sleep 0.05; done
E
echo 1 > "$MNT/while"
cfg commit > "$T/out" 2>&1 &
pid=$!
await "the hook" test -e "$T/began"
ok "while a hook takes its time, files can be written" \
    timeout 5 sh -c "echo 2 > '$MNT/while'; mv '$MNT/while' '$MNT/while2'"
ok "and read" timeout 5 cat "$MNT/while2"
ok "and looked at" timeout 5 "$CFG" -m "$MNT" status
: > "$T/go"
wait "$pid"
is "then the commit goes on" "$?" 0
is "with what is there then" "$(cfg show :while2)" 2
ok "all of it" cfg status -q
rm "$T/began" "$T/go"
echo 3 > "$MNT/while2"
"$CFG" -m "$MNT" commit > "$T/out" 2>&1 &
pid=$!
await "the hook" test -e "$T/began"
kill -TERM "$pid"
wait "$pid" 2> /dev/null
is "whoever ends the commit ends the hook" "$(pgrep -f pre-commit/slow)" ""
unhook

# ---- whose hooks
hook pre-commit/10-theirs <<E
: > $T/ran
E
theirs=$MNT/cfgfs/hooks/pre-commit/10-theirs
chown 65534 "$theirs"
ok "a hook that is not root's" cfg commit
like "is not run, as is said" "$err" '10-theirs: not run: it is not root'
chown 0 "$theirs"
chmod 775 "$theirs"
ok "nor one that others may write to" cfg commit
like "as is said, too" "$err" '10-theirs: not run: others may write to it'
chmod 755 "$theirs"
chmod 1777 "$MNT/cfgfs/hooks"
ok "nor one in such a directory" cfg commit
like "as is said of that" "$err" 'cfgfs/hooks: not run: others may write to it'
ok "none of them ran" test ! -e "$T/ran"
chmod 755 "$MNT/cfgfs/hooks"
ok "after that" cfg commit
ok "it runs" test -e "$T/ran"
unhook

# ---- restore
hook post-restore/x <<E
echo "\$CFG_HOOK \$CFG_MOUNT \$CFG_GENERATION \$(head -1 \$CFG_MOUNT/rc.conf)" \
    > $T/restored
grep -c . >> $T/restored
echo made > \$CFG_MOUNT/made
exit 5
E
cfg commit > /dev/null
gen=$(head_is)
ok "a hook that fails does not stop a restore" "$CFG" restore \
    --store "$STORE" --base "$BASE" "$T/tree"
like "and is told of" "$err" 'cfg: restore: hook post-restore/x: exit status 5'
is "it knows the tree and the generation" "$(head -1 "$T/restored")" \
    "post-restore $T/tree $gen hostname=\"box\""
ok "it reads what was put over the base" \
    test "$(tail -1 "$T/restored")" -gt 5
is "and may write there" "$(cat "$T/tree/made")" made
rm "$T/restored"
ok "--no-hooks" "$CFG" restore --no-hooks --store "$STORE" --base "$BASE" \
    "$T/tree2"
ok "runs none" test ! -e "$T/restored"
power_cut
ok "a boot goes on" boot 2> /dev/null
is "and so does the box" "$(cat "$MNT/made")" made
done_testing
