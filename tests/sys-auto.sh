#!/bin/sh
# Commits that make themselves: when, of what, and when not.
. "$(dirname "$0")/sys.sh"
need_root
need_fuse
LIMIT=60

conf() {
	printf '%s\n' "$@" > "$MNT/cfgfs/config"
	cfg commit -m conf cfgfs > /dev/null
}
gen() { "$CFG" -s "$STORE" show @head | sed -n '1s/generation //p'; }
held() { [ "$("$CFG" -s "$STORE" show "@head:$1" 2>/dev/null)" = "$2" ]; }
gen_is() { [ "$(gen)" = "$1" ]; }
autos() { pgrep -f "cfg.* -m $MNT auto" | wc -l; }
one_auto() { [ "$(autos)" = 1 ]; }
no_auto() { [ "$(autos)" = 0 ]; }
status_has() { cfg status | grep -Eq -e "$1"; }
in_gen() { "$CFG" -s "$STORE" show "@$1" | grep -Eq "^ *[AMDTm] +$2"; }

new_box
mkdir -p "$MNT/cfgfs"

# ---- nothing of it where it is not wanted
conf 'keep 5'
is "no process without a line" "$(autos)" 0

# ---- two classes, never, and what no line covers
conf 'autocommit hosts quiet 2s' 'autocommit motd quiet 1h' \
    'autocommit leases never'
is "a commit begins the process" "$(autos)" 1
g=$(gen)
echo h > "$MNT/hosts"
sh -c "echo m > '$MNT/motd'"
tee "$MNT/leases" < "$MNT/hosts" > /dev/null
dd if="$MNT/hosts" of="$MNT/rc.conf" 2> /dev/null
until_ok "status says when" 3 status_has '^hosts: committed by itself in [0-3]s'
run cfg status --json
like "as JSON, too" "$out" '"autocommit":\[\{"path": ?"hosts","seconds":[0-9]+'
# shellcheck disable=SC2016
ok "which is JSON" sh -c 'cfg -m "$1" status --json | python3 -m json.tool' sh "$MNT"
until_ok "it is committed when it is quiet" 10 held hosts h
is "alone" "$(gen)" $((g + 1))
like "with a message" "$("$CFG" -s "$STORE" show)" '^ +autocommit$'
not_ok "never is not" held leases h
not_ok "what no line covers is not" held rc.conf h
cfg revert motd leases rc.conf > /dev/null

# ---- at most, under constant change
conf 'autocommit count quiet 3s at-most 6s'
g=$(gen)
(i=0; while [ "$i" -lt 100 ]; do i=$((i + 1)); echo "$i" > "$MNT/count"; sleep 0.1; done) &
sleep 5
is "not while it changes" "$(gen)" "$g"
until_ok "but no later than that" 5 gen_is $((g + 1))
wait $!
until_ok "and the rest when it is quiet" 10 held count 100

# ---- one program's renames
cat > "$T/vipw" <<'Y'
import os, sys, time
os.chdir(sys.argv[1])
for f in "master.passwd", "passwd", "group":
    with open(f + ".new", "w") as o:
        o.write(sys.argv[2])
    time.sleep(1.2)
    os.rename(f + ".new", f)
Y
conf 'autocommit master.passwd quiet 2s' 'autocommit passwd quiet 1h' \
    'autocommit group on-shutdown'
g=$(gen)
python3 "$T/vipw" "$MNT" new
until_ok "what a program changed is committed" 10 gen_is $((g + 1))
ok "the first" held master.passwd new
ok "the second" held passwd new
ok "the last" held group new
is "in one commit" "$(gen)" $((g + 1))

# ---- nothing differs
conf 'autocommit hosts quiet 2s'
g=$(gen)
echo other > "$MNT/hosts"
echo h > "$MNT/hosts"
sleep 5
is "what came back to the head is not written" "$(gen)" "$g"

# ---- refused
conf 'autocommit hosts quiet 2s' "check hosts sh -c 'echo x >> $T/checked; grep -q good \"\$1\" || { echo not good; exit 1; }' sh %p"
g=$(gen)
rm -f "$T/checked"
echo bad > "$MNT/hosts"
until_ok "a check refuses, and status says so" 15 status_has '^autocommit refused: .*hosts: '
sleep 5
is "once" "$(wc -l < "$T/checked")" 1
is "nothing is written" "$(gen)" "$g"
echo good > "$MNT/hosts"
until_ok "a change is tried" 10 held hosts good

# ---- a trial
conf 'autocommit hosts quiet 2s'
g=$(gen)
echo t > "$MNT/motd"
ok "a trial" cfg commit --trial 60s motd
echo during > "$MNT/hosts"
sleep 5
is "nothing is committed by itself while it runs" "$(gen)" "$g"
ok "confirmed" cfg confirm
until_ok "and then it is" 10 held hosts during

# ---- the process is killed
conf 'autocommit hosts quiet 6s'
echo killed > "$MNT/hosts"
sleep 3.5
pkill -9 -f "cfg.* -m $MNT auto"
until_ok "nobody is there" 5 no_auto
cfg status > /dev/null
"$CFG" -m "$MNT" auto
until_ok "begun anew, it knows the time" 6 held hosts killed

# ---- the budget
conf 'autocommit hosts quiet 2s' 'budget 1K per day'
g=$(gen)
echo budget > "$MNT/hosts"
sleep 5
is "past the budget it waits" "$(gen)" "$g"
run cfg status
like "and status says why" "$out" '^budget: .* of 1\.0 KB written in 24 hours: nothing is committed by itself for another .*; most of it for .* \('
conf 'autocommit hosts quiet 2s' 'budget 10M per day'
until_ok "with a larger one it goes on" 10 held hosts budget

# ---- churn
conf 'autocommit leases quiet 2s' 'churn 5/1h hold'
g=$(gen)
for i in 1 2 3 4 5 6 7; do echo "$i" > "$MNT/leases"; done
sleep 5
is "what churns is held" "$(gen)" "$g"
run cfg status
like "and named, with what helps" "$out" '^churn: leases: [0-9]+ changes in an hour by sh, held back: add .autocommit leases never'
run cfg status --json
like "as JSON, too" "$out" '"churn":\[.*\{"path": ?"leases","changes":[0-9]+,"held":true'

# ---- the end
conf 'autocommit hosts quiet 2s'
ok "one is there" [ "$(autos)" = 1 ]
conf 'keep 5'
until_ok "without a line it ends" 10 no_auto
conf 'autocommit hosts quiet 2s'
power_cut
boot
until_ok "a start begins it" 5 one_auto
echo again > "$MNT/hosts"
until_ok "and it works" 10 held hosts again
ok "the view can be unmounted" stop_view
done_testing
