#!/bin/sh
# A trial commit: what boots is the confirmed generation, whatever ends the
# trial: confirm, cancel, its time, a power cut, killed programs.
. "$(dirname "$0")/sys.sh"
need_root
need_fuse
LIMIT=90

has() { [ "$(cat "$MNT/$1" 2>/dev/null)" = "$2" ]; }
keepers() { pgrep -f "cfg.* -m $MNT trial keep" | wc -l; }
one_keeper() { [ "$(keepers)" = 1 ]; }
no_keeper() { [ "$(keepers)" = 0 ]; }

new_box
echo one > "$MNT/rc.conf"
ok "a first commit" cfg commit -m first
mkdir -p "$MNT/cfgfs/hooks/post-rollback" "$MNT/cfgfs/hooks/post-commit"
cat > "$MNT/cfgfs/hooks/post-rollback/log" <<X
#!/bin/sh
{ echo "gen \$CFG_GENERATION"; cat; } >> $T/rolled
X
cat > "$MNT/cfgfs/hooks/post-commit/log" <<X
#!/bin/sh
{ echo "gen \$CFG_GENERATION"; cat; } >> $T/committed
X
chmod 755 "$MNT"/cfgfs/hooks/*/log
printf 'reload rc.conf touch %s\n' "$T/reloaded" > "$MNT/cfgfs/config"
ok "hooks and a rule" cfg commit -m hooks
rm -f "$T/committed"

# ---- confirmed
echo two > "$MNT/rc.conf"
run cfg commit --trial 60s -m 'try two'
is "a trial commit" "$rc" 0
like "it says how long it is" "$out" '^trial: 1 path, [0-9]+ bytes.*taken back in 1m unless'
is "one process waits for its end" "$(keepers)" 1
is "the store's head is the one before" "$("$CFG" -s "$STORE" show | head -1)" "generation 2"
run cfg status
like "status counts down" "$out" '^TRIAL by .*: (1m|[0-9]+s) left, then back to generation 2'
like "what is on trial is pending" "$out" '^M rc.conf'
run cfg status --json
like "and as JSON" "$out" '"trial":\{"seconds_left":[0-9]+,"user":"[^"]*","generation":2\}'
# shellcheck disable=SC2016
ok "which is JSON" sh -c 'cfg -m "$1" status --json | python3 -m json.tool' sh "$MNT"
fails_with 2 'a trial of .* runs for another .*: confirm or cancel' cfg commit
run cfg show @trial
like "the trial can be looked at" "$out" '^the trial$'
like "with its message" "$out" '^    try two$'
run cfg diff @head @trial
like "and compared" "$out" '^\+two$'
run cfg trial
like "cfg trial says what runs" "$out" '^trial by .* left, then back to generation 2$'
not_ok "no hook has run yet" test -e "$T/committed"
run cfg confirm
is "confirm" "$rc" 0
is "says the generation" "$out" "generation 3: the trial is confirmed"
is "the head is the trial" "$("$CFG" -s "$STORE" show @head:rc.conf)" two
like "with its message and paths" "$("$CFG" -s "$STORE" show)" '^    try two$'
is "nothing is pending" "$(cfg status | head -1)" "nothing pending since generation 3"
is "post-commit has run for it" "$(cat "$T/committed")" "gen 3
rc.conf"
fails_with 2 'no trial runs; the last one: confirmed, as generation 3' cfg confirm
fails_with 2 'no trial runs' cfg cancel
until_ok "nobody waits any more" 5 no_keeper

# ---- cancelled
echo three > "$MNT/rc.conf"
mkdir "$MNT/new"
echo x > "$MNT/new/file"
ok "another" cfg commit --trial 10m
run cfg cancel
is "cancel" "$rc" 0
ok "the tree is as before" has rc.conf two
not_ok "what was added is gone" test -e "$MNT/new"
is "nothing is pending" "$(cfg status | head -1)" "nothing pending since generation 3"
is "post-rollback has run" "$(sort "$T/rolled")" "gen 3
new
new/file
rc.conf"
ok "and the rule" test -e "$T/reloaded"
run cfg diff @head @trial
like "what it was is still to be had" "$out" '^\+three$'
ok "and to be brought back" cfg rollback @trial
ok "as it was" has rc.conf three
ok "and dropped again" cfg rollback

# ---- run out; by nobody's terminal
rm -f "$T/reloaded" "$T/rolled"
echo four > "$MNT/rc.conf"
# shellcheck disable=SC2016
setsid sh -c '"$1" -m "$2" commit --trial 3s; kill -HUP 0' sh "$CFG" "$MNT" \
    > /dev/null 2>&1
ok "on trial" has rc.conf four
echo later > "$MNT/motd"
until_ok "it runs out, and is taken back" 10 has rc.conf two
until_ok "the rule has run" 5 test -e "$T/reloaded"
is "what came later is gone, too" "$(cfg status | head -1)" "nothing pending since generation 3"
fails_with 2 'no trial runs; the last one: it ran out, and was taken back' cfg confirm

# ---- of some paths; prolonged
echo five > "$MNT/rc.conf"
echo mine > "$MNT/motd"
ok "a trial of one path" cfg commit --trial 2s rc.conf
ok "prolonged, with another path" cfg commit --trial 5s hosts rc.conf
sleep 2.5
ok "the first time does not count" has rc.conf five
until_ok "the second does" 10 has rc.conf two
ok "what was not on trial stays" has motd mine
run cfg trial
is "cfg trial says that none runs" "$rc" 1
# shellcheck disable=SC2016
ok "pending as before" sh -c 'cfg -m "$1" status | grep -q "^[AM] motd"' sh "$MNT"
ok "dropped" cfg revert motd

# ---- confirmed by a condition
echo six > "$MNT/rc.conf"
ok "a condition" cfg commit --trial 60s --confirm-if "test -e $T/alive"
sleep 1
is "that does not hold yet" "$("$CFG" -s "$STORE" show @head:rc.conf)" two
touch "$T/alive"
# shellcheck disable=SC2016
until_ok "confirms it" 10 sh -c 'test "$("$1" -s "$2" show @head:rc.conf)" = six' sh "$CFG" "$STORE"
until_ok "and ends the wait" 10 no_keeper
run cfg trial
like "as the log says" "$out" 'confirmed, as generation 4'

# ---- the process that waits is killed
echo seven > "$MNT/rc.conf"
ok "a trial" cfg commit --trial 4s
pkill -9 -f "cfg.* -m $MNT trial keep"
until_ok "nobody waits" 5 no_keeper
run cfg status
is "a look at the status begins it again" "$(keepers)" 1
until_ok "in time" 10 has rc.conf six

# ---- the daemon is killed
echo eight > "$MNT/rc.conf"
ok "a trial" cfg commit --trial 3s
kill_view
until_ok "without the daemon it is taken back as well" 15 has rc.conf six
run_view
is "and nothing is pending" "$(cfg status 2>/dev/null | head -1)" "nothing pending since generation 4"

# ---- both are killed
echo eight > "$MNT/rc.conf"
ok "a trial" cfg commit --trial 5s
pkill -9 -f "cfg.* -m $MNT trial keep"
until_ok "nobody waits" 5 no_keeper
kill_view
run_view
until_ok "the next start has somebody wait again" 3 one_keeper
until_ok "in time" 10 has rc.conf six

# ---- the power
echo nine > "$MNT/rc.conf"
ok "a trial" cfg commit --trial 10m
power_cut
boot
ok "a boot gives the last confirmed generation" has rc.conf six
fails_with 2 'no trial runs' cfg confirm
run cfg diff @head @trial
like "what was on trial is still in the store" "$out" '^\+nine$'
echo ten > "$MNT/rc.conf"
ok "a trial" cfg commit --trial 10m
ok "confirmed" cfg confirm
power_cut
boot
ok "is what the next boot gives" has rc.conf ten

# ---- words
fails_with 2 'soon: not a time such as' cfg commit --trial soon
fails_with 64 '.' cfg commit --confirm-if true
run cfg commit --trial 1m
is "nothing pending is no trial" "$rc $out $err" "0 nothing pending "
run cfg trial
is "none runs" "$rc" 1
done_testing
