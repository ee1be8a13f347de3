#!/bin/sh
# sys-boot.sh: what a shutdown and a login run: they say what there is to
# say, and never are in the way.
. "$(dirname "$0")/sys.sh"
need_root
need_fuse

OTHER=65534
M2=$(printf '%s/a \303\274' "$T")	# a name that is escaped in `info'

# What stands for `cfg' in PATH; without --shutdown there, a stand-in for it
# that does as it would, in the words that it would use.
mkdir "$T/bin"
real() { "$CFG" commit --help | grep -q -e --shutdown; }
stand_in() {
	cat > "$T/bin/cfg" <<X
#!/bin/sh
case " \$* " in
*" --shutdown "*)	;;
*)	exec "$CFG" "\$@" ;;
esac
if [ "\$(cat "$T/policy")" = commit ]; then
	exec "$CFG" -m "\$2" commit -m shutdown
fi
echo "cfg: commit: not committed, and lost by a shutdown: rc.conf" >&2
exit 1
X
	chmod 755 "$T/bin/cfg"
}
usual_cfg() { if real; then ln -sf "$CFG" "$T/bin/cfg"; else stand_in; fi; }
policy() {
	echo "$1" > "$T/policy"
	real || return 0
	for m in "$MNT" "$M2"; do
		mkdir -p "$m/cfgfs"
		echo "on-shutdown $1" > "$m/cfgfs/config"
		"$CFG" -m "$m" commit cfgfs > /dev/null || return 1
	done
}

shutdown() { PATH=$T/bin:$PATH sh "$TOP/boot/cfgfs-shutdown" "$@"; }
login() { PATH=$T/bin:$PATH sh "$TOP/boot/cfgfs-login"; }
login_as() {
	PATH=$T/bin:$PATH setpriv --reuid "$1" --regid "$2" --clear-groups \
	    sh "$TOP/boot/cfgfs-login"
}
# The login gives up after two seconds, which a busy machine may take.
login_is() { [ "$(login 2>&1)" = "$1" ]; }
gen() {
	"$CFG" -m "$1" status 2> /dev/null |
	    sed -n 's/.*pending since generation \([0-9]*\).*/\1/p'
}
tell() {
	echo "cfgfs: $1: $2 pending since generation $(gen "$1"): \`cfg status' tells what"
}
quiet() { run "$@"; [ "$rc:$out$err" = 0: ]; }

usual_cfg
ok "no mount: a shutdown has nothing to tell" quiet shutdown
ok "no mount: nor has a login" quiet login

# ---- two mounts; the second one's store may be read by a group
new_box
"$CFG" init --size 1M "$T/store2"
chgrp "$OTHER" "$T/store2"
chmod 640 "$T/store2"
mkdir "$M2"
mount -t tmpfs -o mode=755 cfgfs-ram "$M2"
"$CFG" restore --store "$T/store2" --base "$BASE" "$M2"
ok "another mount" timeout "$LIMIT" "$CFGFS" \
    -o "store=$T/store2,base=$BASE" "$M2"
policy commit
ok "nothing pending: a shutdown is silent" quiet shutdown
ok "nothing pending: a login is, too" quiet login

echo one > "$MNT/rc.conf"
echo two > "$M2/motd"
echo two > "$M2/rc.conf"
# In order of the state directories' names.
two=$(tell "$M2" 2)
one=$(tell "$MNT" 1)
until_ok "a login tells what is pending" 20 login_is "$two
$one"
group_is() { [ "$(login_as "$OTHER" "$OTHER" 2>&1)" = "$1" ]; }
until_ok "who may read a store is told, and no more" 20 group_is "$two"
ok "others are told nothing" quiet login_as 65533 65533
run sh -euc 'PATH=$1:$PATH dir=d mount=m job=j; . "$2" > "$3"
    echo "$dir $mount $job $-"' sh "$T/bin" "$TOP/boot/cfgfs-login" "$T/told"
like "a login shell stays as it was" "$out" '^d m j .*e.*u|^d m j .*u.*e'
is "and has told the same" "$(cat "$T/told")" "$two
$one"

ok "a trial" cfg commit --trial 10m
trial_told() { login | grep -Eq "^cfgfs: $MNT: TRIAL by .*: (10m|9m[0-9]+s) left"; }
until_ok "a login tells how long a trial has" 20 trial_told
not_on_trial() { ! login | grep -q "$MNT: .* pending"; }
ok "and not what is on trial" not_on_trial
ok "the end of it" cfg confirm

# ---- a shutdown
echo three > "$MNT/rc.conf"
policy commit
run shutdown
is "a shutdown ends well" "$rc" 0
like "one line for a mount" "$err" \
    "^cfgfs: $MNT: generation [0-9]+: 1 path, [0-9]+ bytes"
is "and for no other" "$(printf '%s\n' "$err" | grep -c "$MNT")" 1
like "and for each that had something" "$err" "^cfgfs: $M2: generation "
is "nothing is pending in the one" "$(cfg status | head -1)" \
    "nothing pending since generation $(gen "$MNT")"
is "nor in the other" "$("$CFG" -m "$M2" status | head -1)" \
    "nothing pending since generation $(gen "$M2")"
policy warn
echo four > "$MNT/rc.conf"
run shutdown
is "what is lost is named" "$rc $err" \
    "0 cfgfs: $MNT: not committed, and lost by a shutdown: rc.conf"
not_ok "and is not committed" cfg status -q
policy commit

kill_view
ok "no daemon: a login tells" login_is "$(tell "$MNT" 1)"
run shutdown
like "no daemon: a shutdown commits" "$rc $err" \
    "^0 cfgfs: $MNT: .*; generation [0-9]+: 1 path"
ok "no daemon: and then has nothing to tell" quiet shutdown
run_view
cfg status > /dev/null 2>&1

# ---- a cfg that hangs, one that does not know better
echo five > "$MNT/rc.conf"
hang() {
	rm -f "$T/bin/cfg"
	printf '#!/bin/sh\n%s\nexec sleep 1000.5\n' "$1" > "$T/bin/cfg"
	chmod 755 "$T/bin/cfg"
}
took() {
	begun=$(date +%s)
	run "$@"
	took=$(($(date +%s) - begun))
}
lost="not done after 1 seconds: what is pending is lost"
for how in '' "trap '' TERM"; do
	hang "$how"
	took shutdown 1
	is "a cfg that hangs${how:+ and takes no TERM}: is named" "$rc $err" \
	    "0 cfgfs: $M2: $lost
cfgfs: $MNT: $lost"
	ok "and is not waited for: $took seconds" [ "$took" -lt 20 ]
done
took login
is "a login is silent then" "$rc:$out$err" "0:"
ok "and takes not long: $took seconds" [ "$took" -lt 20 ]
no_sleep() { ! pgrep -f 'sleep 1000.5'; }
until_ok "nothing of it is left" 10 no_sleep
rm "$T/bin/cfg"
printf '#!/bin/sh\nexit 64\n' > "$T/bin/cfg"
chmod 755 "$T/bin/cfg"
run shutdown
like "a cfg that has no such option: that is said" "$rc $err" \
    "cfgfs: $MNT: cfg exits with 64: what is pending is lost"
is "and is no failure" "$rc" 0
ok "a login is silent" quiet login
usual_cfg
run shutdown soon
like "a wrong limit is none" "$rc $err" '^0 cfgfs-shutdown: soon: not a number'
like "and stops nothing" "$err" "^cfgfs: $MNT: generation "
done_testing
