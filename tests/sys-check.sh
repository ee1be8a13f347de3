#!/bin/sh
# sys-check.sh: what validators refuse is not committed, by the real tools.
# shellcheck source=tests/sys.sh
. "$(dirname "$0")/sys.sh"
need_root
need_fuse

head_is() { cfg log -n 1 2>/dev/null | sed -n 's/^@\([0-9]*\).*/\1/p'; }
pending() { cfg status | sed -n 's/^\([ADMTm] [^	]*\).*/\1/p'; }

ok "a box starts" new_box 1M
mkdir -p "$MNT/ssh/sshd_config.d" "$MNT/sudoers.d" "$MNT/cfgfs"
echo "Include $MNT/ssh/sshd_config.d/*.conf" > "$MNT/ssh/sshd_config"
echo 'root ALL=(ALL) ALL' > "$MNT/sudoers"
printf 'table inet f {\n}\n' > "$MNT/nftables.conf"
ok "good files go" cfg commit -m good
is "as one generation" "$(head_is)" 1
ok "check finds nothing pending to check" cfg check
is "and says so" "$out" "nothing to check"

# refused TOOL WORDS PATH: what is in PATH now is not committed.
refused() {
	run cfg commit -m no
	is "$1: a commit of a broken $3 is exit 2" "$rc" 2
	like "$1: it says which" "$err" "^cfg: commit: $3: $1 says:\$"
	like "$1: in the tool's own words, set off" "$err" "^    .*$2"
	like "$1: and what to do" "$err" \
	    '^cfg: commit: not committed: 1 check failed; --force '
	is "$1: nothing is written" "$(head_is)" 1
	ok "$1: it is still pending" test -n "$(pending)"
}

echo 'Prot 22' >> "$MNT/ssh/sshd_config"
refused sshd 'line 2: Bad configuration option: Prot' ssh/sshd_config
run cfg check
is "check: the same, exit 1" "$rc" 1
like "which says what failed" "$out" '^failed ssh/sshd_config \(sshd\)$'
like "and why" "$out" '^    .*Bad configuration option: Prot'
like "for programs, too" "$(cfg --json check)" \
    '"path": "ssh/sshd_config"\}\],"tool":"sshd",.*"ok":false,"says":".*"failed":1\}$'
ok "what is not asked for is not looked at" cfg commit -m other rc.conf
ok "a path that is not pending can be checked" cfg check rc.conf
is "by what is for it" "$out" "ok rc.conf (sh)"
fails_with 2 'cfg: check: nowhere: neither there nor pending' \
    cfg check nowhere
cfg revert ssh > /dev/null

# A file of a set is checked with the whole.
echo 'Banner' > "$MNT/ssh/sshd_config.d/a.conf"
echo 'Port 23' > "$MNT/ssh/sshd_config.d/b.conf"
refused sshd 'a.conf.* line 1' \
    'ssh/sshd_config.d/a.conf, ssh/sshd_config.d/b.conf'
is "sshd: one run for both" "$(cfg check | grep -c "a.conf.*line 1")" 1
rm "$MNT/ssh/sshd_config.d/a.conf"
ok "sshd: a set that is good again goes" cfg commit
is "sshd: as the next generation" "$(head_is)" 2
echo "HostKey /nowhere/key" >> "$MNT/ssh/sshd_config"
ok "sshd: keys that are made later are no fault" cfg commit
: > "$MNT/ssh/ssh_host_rsa_key"
echo "HostKey /nowhere/key2" >> "$MNT/ssh/sshd_config"
not_ok "sshd: but a wrong name is, where there are keys" cfg commit
rm "$MNT/ssh/ssh_host_rsa_key"
cfg revert . > /dev/null
power_cut
rm "$STORE"
"$CFG" init --size 1M "$STORE" > /dev/null
boot
rm -r "$MNT/ssh/sshd_config"
mkdir -p "$MNT/sudoers.d" "$MNT/cfgfs" "$MNT/rc.conf.d"
ok "sshd: no configuration at all is none of its business" cfg commit

# A name with a dot is none that sudo reads.
echo 'root ALL = (ALL ALL' > "$MNT/sudoers.d/a"
cp "$MNT/sudoers.d/a" "$MNT/sudoers.d/a.bak"
refused visudo 'syntax error' sudoers.d/a
rm "$MNT/sudoers.d/a"
ok "visudo: what sudo does not read is not checked" cfg check
cfg revert . > /dev/null
echo 'root' > "$MNT/sudoers"
refused visudo 'syntax error' sudoers
cfg revert . > /dev/null

# Where the kernel has no nftables, the file can't be looked at.
printf 'table inet f {\n}\n' > "$T/nft"
if nft -c -f "$T/nft" 2> /dev/null; then
	printf 'table inet f {\n\tchain i { typ filter; }\n}\n' \
	    > "$MNT/nftables.conf"
	refused nft "Error: " nftables.conf
else
	echo nonsense > "$MNT/nftables.conf"
	diag "$(nft -c -f "$MNT/nftables.conf" 2>&1 | head -2)"
	skip "nft does not work here"
fi
cfg revert . > /dev/null

echo 'if true' >> "$MNT/rc.conf"
refused sh '[Ss]yntax error' rc.conf
cfg revert . > /dev/null
printf '#!/bin/sh\nif\n' > "$MNT/rc.d/bad"
refused sh '[Ss]yntax error' rc.d/bad
printf '#!/usr/bin/perl\nif\n' > "$MNT/rc.d/bad"
is "sh: a script for another program is not read" "$(cfg check)" \
    "nothing to check"
rm "$MNT/rc.d/bad"

echo 'root:*:1:0:99999:7:::' > "$MNT/shadow"
echo 'u:x:5:5::/no/such/home:/no/such/shell' >> "$MNT/passwd"
ok "pwck: a home and a shadow that are not there are no fault" cfg check
like "pwck: it was asked" "$out" '^ok passwd \(pwck\)$'
echo 'broken' >> "$MNT/passwd"
refused pwck 'invalid password file entry' 'passwd, shadow'
cfg revert . > /dev/null

# ---- force
echo 'if true' >> "$MNT/rc.conf"
ok "--force commits all the same" cfg commit --force -m 'in a hurry'
like "and says what was found" "$err" '^    .*[Ss]yntax error'
is "it is written" "$(head_is)" 2
like "show tells" "$(cfg show)" 'forced: rc.conf$'
like "behind the message" "$(cfg show)" 'in a hurry$'
echo >> "$MNT/rc.conf"
ok "without a message, too" cfg commit --force
like "that is all it says" "$(cfg log -n 1)" 'root  M1  forced: rc.conf$'
echo x > "$MNT/motd"
ok "what passes" cfg commit --force -m 'needs no force' motd
not_ok "has no such line" sh -c "'$CFG' -m '$MNT' show | grep forced"
printf 'a=b\n' > "$MNT/rc.conf"
cfg commit > /dev/null

# ---- the configuration
ok "commit -n runs none" cfg commit -n
mkdir -p "$MNT/cfgfs"
cat > "$MNT/cfgfs/config" <<'C'
check *.x sh -c 'grep -q good "$1" || { echo "no good here: %%1"; exit 1; }' sh %p
C
like "a configuration is checked by its reader" "$(cfg check)" \
    '^ok cfgfs/config \(cfg\)$'
cfg commit > /dev/null
gen=$(head_is)
echo bad > "$MNT/a.x"
run cfg commit
is "a check of one's own refuses" "$rc" 2
like "in its own words" "$err" '^    no good here: %1'
echo good > "$MNT/a.x"
ok "and lets pass" cfg commit
is "once it is good" "$(head_is)" $((gen + 1))
cat > "$MNT/cfgfs/config" <<'C'
check /rc.conf none
check /slow/ sh -c 'echo began; sleep 30'
check /absent no-such-program %p
time-limit 1
C
cfg commit > /dev/null
echo 'if' > "$MNT/rc.conf"
ok "none takes the table's checks off" cfg commit
mkdir "$MNT/slow"
echo x > "$MNT/slow/x"
run cfg commit
is "what takes too long has failed" "$rc" 2
like "as is said" "$err" '^    took longer than 1 second$'
like "with what it said" "$err" '^    began$'
rm -r "$MNT/slow"
echo x > "$MNT/absent"
run cfg commit
like "a program that is not there is a failure, too" "$err" \
    '^    there is no such program$'
rm "$MNT/absent"
echo 'chekc a b' >> "$MNT/cfgfs/config"
run cfg commit
is "a broken configuration is not committed" "$rc" 2
like "with the line that is wrong" "$err" \
    "^    $MNT/cfgfs/config:5: unknown word: chekc\$"
ok "but by force" cfg commit --force
like "as is noted" "$(cfg show)" 'forced: cfgfs/config$'
rm "$MNT/cfgfs/config"
cfg commit > /dev/null

# ---- what is written is what was checked
cat > "$MNT/cfgfs/config" <<C
check /race.x sh -c 'cat %p >> $T/seen; echo "\$(cat %p)" | grep -q good'
C
cfg commit > /dev/null
cat > "$MNT/cfgfs/config" <<C
check /race.x sh -c 'cat %p >> $T/seen; if grep -q good %p; then test -e $T/once || { : > $T/once; echo changed > %p; }; else exit 1; fi'
C
cfg commit > /dev/null
gen=$(head_is)
echo good > "$MNT/race.x"
run cfg commit
is "what changed since it was checked is checked again" "$(cat "$T/seen")" \
    "good
changed"
is "and refused" "$rc $(head_is)" "2 $gen"
cat > "$MNT/cfgfs/config" <<C
check /race.x sh -c 'echo x >> %p; echo x >> $T/tries'
C
run cfg commit
is "what changes all the time is given up" "$rc" 2
like "as is said" "$err" 'others change or commit all the time'
is "after so many tries" "$(wc -l < "$T/tries")" 5
done_testing
