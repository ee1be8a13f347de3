#!/bin/sh
# sys-back.sh: what rollback, reset, blame and the longer log promise,
# through the view.  SEED and ROUNDS choose another random run.
# shellcheck source=tests/sys.sh
. "$(dirname "$0")/sys.sh"
need_root
need_fuse

pending() { cfg status | sed -n 's/^\([ADMTm] [^	]*\).*/\1/p'; }

# save: commit, and keep the store as it is then, and the tree's listing.
save() {
	cfg commit -m "$1" > "$T/said" || return
	n=$(cfg log -n 1 | sed 's/^@\([0-9]*\) .*/\1/')
	cp "$STORE" "$T/store.$n" && snap "$MNT" > "$T/snap.$n"
}

# built N: generation N as a boot would have made it, listed.
built() {
	rm -rf "$T/built" && mkdir "$T/built" &&
	    "$CFG" restore --store "$T/store.$1" --base "$BASE" "$T/built" &&
	    snap "$T/built" > "$T/want"
}

# is_gen N: the running tree is generation N, by all that can tell.
is_gen() {
	snap "$MNT" > "$T/have" && cmp "$T/snap.$1" "$T/have" &&
	    built "$1" && cmp "$T/want" "$T/have" && cfg diff "@$1"
}

ok "a box starts" new_box 4M
snap "$MNT" > "$T/snap.0"
weird=$(printf 'a\nnew line')

# Generation 1: something of every kind.
sed -i s/NO/YES/ "$MNT/rc.conf"
mkdir -p "$MNT/d/deep" "$MNT/empty"
echo x > "$MNT/d/x"
ln "$MNT/d/x" "$MNT/d/deep/y"
ln "$MNT/passwd" "$MNT/passwd.2"
echo w > "$MNT/$weird"
echo s > "$MNT/with blanks"
ln -s nowhere "$MNT/dangling"
chmod 4751 "$MNT/rc.d/sshd"
chown 7:8 "$MNT/mail"
setfattr -n trusted.note -v here "$MNT/mail/aliases"
ok "generation 1" save one

# Generation 2: all of it otherwise.
sed -i s/YES/MAYBE/ "$MNT/rc.conf"
rm -r "$MNT/d"
echo now a file > "$MNT/d"
rmdir "$MNT/empty"
rm "$MNT/passwd.2" "$MNT/$weird" "$MNT/fifo"
mkdir "$MNT/fifo"
echo in > "$MNT/fifo/in"
ln -sf elsewhere "$MNT/dangling"
chmod 555 "$MNT/rc.d/sshd"
setfattr -x trusted.note "$MNT/mail/aliases"
rm -r "$MNT/ssh"
echo more > "$MNT/more"
ok "generation 2" save two

# Generation 3, and something pending.
echo three >> "$MNT/rc.conf"
ok "generation 3" save three
echo lost >> "$MNT/.profile"
mkdir "$MNT/added"

before=$(snap "$MNT")
inodes=$(cd "$MNT" && stat -c '%n %i' more rc.d/sshd with* mail passwd)
ok "rollback -n" cfg rollback -n 2
like "shows the difference from what is running" "$out" '^-three$'
like "with what is pending" "$out" '^-lost$'
is "and changes nothing" "$(snap "$MNT")" "$before"
is "nor is a message left" "$(ls "$STATE/message" 2> /dev/null)" ""
ok "rollback to a generation" cfg rollback 2
is "names what it did, and counts" "$out" "D added
M .profile
M rc.conf
3 paths rolled back to generation 2"
ok "the tree is what it was" is_gen 2
is "what did not differ is not touched" \
    "$(cd "$MNT" && stat -c '%n %i' more rc.d/sshd with* mail passwd)" \
    "$inodes"
is "it is pending" "$(pending)" "M rc.conf"
is "with a message" "$(cat "$STATE/message")" "rollback to generation 2"
ok "once more" cfg rollback @2
is "nothing differs" "$out" "nothing differs from generation 2"
ok "which the next commit takes" cfg commit
like "as its own" "$(cfg log -n 1)" '^@4 .*M1  rollback to generation 2$'
not_ok "and then it is gone" test -e "$STATE/message"

ok "rollback across all kinds" cfg rollback @1
ok "is that generation to the last bit" is_gen 1
ok "and back again, which is a rollback of a rollback" cfg rollback @2
ok "is that, too" is_gen 2
ok "to the base" cfg rollback @base
snap "$MNT" > "$T/have"
ok "is the base" cmp "$T/snap.0" "$T/have"
ok "as diff has it" cfg diff @base
like "with a message" "$(cat "$STATE/message")" '^rollback to the base$'
ok "without arguments, the head again" cfg rollback
is "nothing is pending" "$(pending)" ""
not_ok "the message is gone" test -e "$STATE/message"
cfg rollback -- @-1 > /dev/null
is "what is behind -- is a path" "$(pending)" ""
ok "a generation counted from the head" cfg rollback @-3
ok "is that one" is_gen 1
ok "a commit with a message of its own" cfg commit -m mine
like "has that" "$(cfg log -n 1)" 'mine$'
not_ok "and the other is gone" test -e "$STATE/message"

# Some paths.
ok "one path of a generation" cfg rollback 3 rc.conf "$MNT/$weird"
is "no more than that" "$(pending)" "D \"a\\nnew line\"
M rc.conf"
is "the message names it" "$(cat "$STATE/message")" \
    "rollback to generation 3: rc.conf, \"a\\nnew line\""
like "its content is that of then" "$(cat "$MNT/rc.conf")" three
cfg revert . > /dev/null
not_ok "a revert of all drops the message, too" test -e "$STATE/message"
rm -r "$MNT/d"
ok "a path in a directory that is gone" cfg rollback 1 d/deep/y
is "brings back that, no more" "$(pending)" "D d/x"
is "and a name of a file that is there joins it" \
    "$(cfg rollback 1 d > /dev/null; stat -c %h "$MNT/d/x")" 2
rm -r "$MNT/d"
echo file > "$MNT/d"
fails_with 2 'rollback: d is not a directory now' cfg rollback 1 d/x
is "and is as it was" "$(cat "$MNT/d")" file
cfg rollback > /dev/null
echo x > "$MNT/5"
ok "a path that reads like a number, behind --" cfg rollback -- 5
is "is that path" "$out" "D 5
1 path rolled back to generation 5"

# A directory that went with a commit, and is there again with something
# else in it: what differs below it no journal and no overlay names.
rm -r "$MNT/ssh"
cfg commit -m 'no ssh' > /dev/null
mkdir "$MNT/ssh"
echo x > "$MNT/ssh/new"
ok "rollback of a directory that went and came" cfg rollback 0 ssh
is "brings back all that it held" "$(ls "$MNT/ssh")" sshd_config
ok "and again" cfg rollback 1
ok "as it was" is_gen 1

# What the patterns leave out stays.
mkdir -p "$MNT/own/dir" "$MNT/cfgfs"
echo '*.lease' > "$MNT/cfgfs/ignore"
echo x > "$MNT/own/dir/conf"
cfg commit -m 'with patterns' > /dev/null
echo x > "$MNT/own/dir/em0.lease"
run cfg rollback 5 own
is "a directory that holds such is left, which is told" "$rc" 2
like "by name" "$err" 'own/dir: stays, as it holds what does not count'
ok "and so is what it holds" test -f "$MNT/own/dir/em0.lease"
rm -r "$MNT/own"
cfg rollback 5 > /dev/null

# As an editor's save: who has it open keeps what he has, and who opens it
# gets one or the other, whole.
exec 8< "$MNT/rc.conf"
old=$(stat -c %i "$MNT/rc.conf")
want=$(cat "$MNT/rc.conf")
cfg rollback 3 rc.conf > /dev/null
is "an open descriptor reads on" "$(cat <&8)" "$want"
not_ok "the name has another inode" \
    test "$(stat -c %i "$MNT/rc.conf")" = "$old"
exec 8<&-
printf 'a%.0s' $(seq 3000) > "$MNT/long"
cfg commit -m a > /dev/null
a=$(cfg log -n 1 | sed 's/ .*//')
printf 'b%.0s' $(seq 4000) > "$MNT/long"
cfg commit -m b > /dev/null
b=$(cfg log -n 1 | sed 's/ .*//')
cat > "$T/watch.pl" <<'P'
my ($name, $stop) = @ARGV;
my %seen;
until (-e $stop) {
	open(my $f, '<', $name) or die "$name: $!\n";
	local $/;
	$seen{<$f>}++;
}
die "$_\n" for grep { $_ ne 'a' x 3000 && $_ ne 'b' x 4000 } keys %seen;
print scalar(keys %seen), "\n";
P
perl "$T/watch.pl" "$MNT/long" "$T/stop" > "$T/seen" 2> "$T/missed" &
watcher=$!
for g in $a $b $a $b $a $b; do
	cfg rollback "$g" long > /dev/null
done
touch "$T/stop"
wait "$watcher"
is "who opens the file finds the old or the new one" \
    "$(cat "$T/missed" "$T/seen")" 2

# Killed in the middle.
mkdir "$MNT/many"
i=0
while [ $i -lt 1500 ]; do
	echo $i > "$MNT/many/$((i + 10000))"
	i=$((i + 1))
done
ok "a generation with many files" save many
many=$n
rm -r "$MNT/many"
ok "and one without them" save none
"$CFG" -m "$MNT" rollback "$many" > /dev/null 2>&1 &
victim=$!
await "the rollback to begin" test -e "$MNT/many/10010"
kill -9 $victim
wait $victim 2> /dev/null
not_ok "a rollback is killed in the middle" test -e "$MNT/many/11499"
ok "the same again" cfg rollback "$many"
ok "completes it" is_gen "$many"
is "and leaves nothing of the first" "$(find "$MNT" -name '.cfg.*')" ""
is "a message waits" "$(cat "$STATE/message")" "rollback to generation $many"
cfg rollback > /dev/null

# Reset.
fails_with 2 'reset: no terminal to ask on' cfg reset
ok "reset -n" cfg reset -n
like "shows the difference" "$out" '^-hostname|^\+sshd_enable="NO"'
before=$(pending)
is "and changes nothing" "$before" ""
if [ -x "$TOP/tests/onpty" ]; then
	run "$TOP/tests/onpty" 'Go on' n -- "$CFG" -m "$MNT" reset
	is "asked on a terminal, no is exit 1" "$rc" 1
	is "and changes nothing" "$(pending)" ""
	ok "yes is yes" "$TOP/tests/onpty" 'Go on' y -- "$CFG" -m "$MNT" reset
else
	ok "reset -y" cfg reset -y
fi
snap "$MNT" > "$T/have"
ok "the tree is the base's" cmp "$T/snap.0" "$T/have"
ok "reset -y of that" cfg reset -y
is "says so" "$out" "nothing differs from the base"
cfg rollback > /dev/null

# Without the daemon.
kill_view
await "the dead mount's end" test -f "$MNT/rc.conf"
run cfg rollback "$many"
is "a rollback without the daemon" "$rc" 0
snap "$MNT" > "$T/have"
ok "does the same" cmp "$T/snap.$many" "$T/have"
ok "another start" run_view
ok "finds it pending" cfg commit
like "and the commit its message" "$(cfg log -n 1)" \
    "rollback to generation $many\$"

# Refusals.
fails_with 2 'rollback: @99: the store has generations' cfg rollback @99
fails_with 64 '^usage: cfg rollback' cfg rollback -x
fails_with 64 '^usage: cfg reset' cfg reset now
fails_with 64 '^usage: cfg rollback' "$CFG" -s "$STORE" rollback
fails_with 2 'rollback: only root' setpriv --reuid 65534 --regid 65534 \
    --clear-groups "$CFG" -m "$MNT" rollback

# The log: -p is diff of each with the one before.
cfg log -n 3 -p > "$T/log"
head=$(cfg log -n 1 | sed 's/^@\([0-9]*\) .*/\1/')
for g in 0 1 2; do
	cfg diff "@$((head - g - 1))" "@$((head - g))" |
	    sed '/^changed by /d'
done > "$T/diffs"
sed '/^@[0-9]/d; /^$/d' "$T/log" > "$T/parts"
ok "log -p shows what diff does" cmp "$T/parts" "$T/diffs"
like "log --stat counts lines" "$(cfg log --stat rc.conf)" \
    '^M rc.conf \| 1 \+$'
is "and with a path shows nothing else" \
    "$(cfg log -p rc.conf | grep '^diff' | sort -u)" \
    "diff --git a/rc.conf b/rc.conf"
json_ok() {
	cfg --json log -p | perl -MJSON::PP -0777 -e 'decode_json(<STDIN>)'
}
ok "JSON is JSON" json_ok
i=0
for g in $(cfg log rc.conf | sed 's/ .*//'); do
	i=$((i + 1))
	is "log -n $i of a path ends as the whole does" \
	    "$(cfg log -n $i rc.conf | sed -n '$s/ .*//p')" "$g"
done

# Blame.
printf 'one\ntwo\nthree\n' > "$BASE/lines"
power_cut
ok "a new base" boot
printf 'one\n2\nthree\n' > "$MNT/lines"
cfg commit -m 'two is 2' > /dev/null
g=$(cfg log -n 1 | sed 's/ .*//')
sed -i '1i zero' "$MNT/lines"
cfg commit -m 'from zero' > /dev/null
h=$(cfg log -n 1 | sed 's/ .*//')
echo four >> "$MNT/lines"
day='[0-9]{4}-[0-9]{2}-[0-9]{2}'
run cfg blame lines
like "a line of one generation" "$out" "^$g +$day root/sh\(root\) +\| 2\$"
like "of another" "$out" "^$h +$day root/sed\(root\) +\| zero\$"
like "of the base" "$out" '^base +\| three$'
like "one that is not committed" "$out" "^pending +$day sh\(root\) +\| four\$"
is "each line once, in order" "$(printf '%s\n' "$out" | sed 's/.*| //')" \
    "$(cat "$MNT/lines")"
run "$CFG" -s "$STORE" blame --base "$BASE" lines
like "of a store, the head's" "$out" "^$g +$day root/sh\(root\) +\| 2\$"
is "all lines of it" "$(printf '%s\n' "$out" | wc -l)" 4
run "$CFG" -s "$STORE" blame lines
like "without the base, its lines are of who changed the file" "$out" \
    "^$g +$day root/sh\(root\) +\| three\$"
blame_json() {
	cfg --json blame lines | perl -MJSON::PP -0777 -e '
		my $l = decode_json(<STDIN>);
		print join(" ", map { "$_->{line}$_->{from}$_->{text}" }
		    @$l), "\n"'
}
is "blame for programs" "$(blame_json)" \
    "1commitzero 2baseone 3commit2 4basethree 5pendingfour"
printf 'one\ntwo\nthree\n' > "$MNT/lines"
cfg commit -m 'as the base' > /dev/null
is "a file that is as the base again is the base's" \
    "$(cfg blame lines | grep -c '^base')" 3
fails_with 2 'blame: nothing: No such file' cfg blame nothing
fails_with 2 'blame: rc.d: not a regular file' cfg blame rc.d
fails_with 64 '^usage: cfg blame' cfg blame
chmod 600 "$MNT/lines"
chmod 644 "$STORE"
cfg commit -m 'secret' > /dev/null
chmod 755 "$SYS_DIR"
fails_with 2 'blame: lines: Permission denied' setpriv --reuid 65534 \
    --regid 65534 --clear-groups "$CFG" -s "$STORE" blame \
    --base "$BASE" lines

# Random edits and commits; then back and forth between all of them.
cat > "$T/edit.pl" <<'P'
my ($seed, $dir) = @ARGV;
srand($seed);
chdir($dir) or die;
my @names = ('a', 'b', 'c c', "d\nd", 'e', 'f');
sub pick { $_[int(rand(@_))] }
sub path { join('/', map { pick(@names) } 0 .. int(rand(3))) }
sub text { join('', map { "line $_ " . int(rand(5)) . "\n" } 0 .. rand(30)) }
sub gone { system('rm', '-rf', '--', @_) if -l $_[0] || -e _ }
for (1 .. 30) {
	my ($p, $q) = (path(), path());
	my $k = int(rand(12));
	if ($k < 3) {
		if (open(my $f, '>', $p)) { print $f text() }
	} elsif ($k == 3) { mkdir($p) }
	elsif ($k == 4) { gone($p) if rand() < 0.5 }
	elsif ($k == 5) { rename($p, $q) }
	elsif ($k == 6) { symlink($q, $p) }
	elsif ($k == 7) { link($p, $q) unless -l $p }
	elsif ($k == 8) { chmod(int(rand(01000)) | 0400, $p) unless -l $p }
	elsif ($k == 9) { gone($p); mkdir($p) }
	elsif ($k == 10) { gone($p); if (open(my $f, '>', $p)) { print $f 'x' } }
	else { chown(int(rand(3)), int(rand(3)), $p) unless -l $p }
}
P
there() {
	cfg rollback "$1" && snap "$MNT" > "$T/have" &&
	    cmp "$T/snap.$1" "$T/have" && cfg diff "@$1"
}
SEED=${SEED:-20261125}
ROUNDS=${ROUNDS:-8}
echo "# SEED=$SEED ROUNDS=$ROUNDS"
cfg reset -y > /dev/null
save random > /dev/null
first=$((n + 1))
i=0
random=0
while [ $i -lt "$ROUNDS" ]; do
	i=$((i + 1))
	perl "$T/edit.pl" $((SEED + i)) "$MNT"
	if ! save "round $i" || ! built "$n" ||
	    ! cmp "$T/snap.$n" "$T/want"; then
		random=$((random + 1))
	fi
done
is "a boot makes of each commit what there was" "$random" 0
last=$n
i=0
while [ $i -lt $((ROUNDS * 3 / 2)) ]; do
	i=$((i + 1))
	g=$((first + (SEED + i * 7919) % (last - first + 1)))
	perl "$T/edit.pl" $((SEED + 1000 + i)) "$MNT"
	if ! there "$g" > "$T/why" 2>&1; then
		diag "step $i, to generation $g"
		sed 's/^/# /' "$T/why"
		random=$((random + 1))
		diff "$T/snap.$g" "$T/have" | head -10 | sed 's/^/# /'
	fi
	[ $((i % 5)) != 0 ] || cfg commit > /dev/null
done
is "random rollbacks give what there was" "$random" 0
done_testing
