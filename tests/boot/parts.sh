# parts.sh: what boot.sh tries, a function each.
# shellcheck shell=sh disable=SC2154,SC2034,SC2016,SC2046

# Power goes, and the disk keeps what it was told; all of it where nothing
# says otherwise.
off() {
	vm_acks
	vm_kill
	vm_cut "$entries" 0 "$T/next" && mv "$T/next" "$disk"
}

# ---- an empty store, and the first commit
first() {
	boots "an empty store" || return
	whole "an empty store"
	is "it is the image's /etc" "$(of gen)" 0
	ok "a change is committed" vm_ssh \
	    'echo box7 > /etc/hostname && rm /etc/shells && mkdir -m 700 /etc/own &&
	    cfg commit -m first'
	want=$(vm_ssh /usr/lib/boottest/etcsum)
	ok "another one is not" vm_ssh 'echo lost > /etc/lost'
	off
	boots "after the first commit" || return
	whole "after the first commit"
	is "generation 1" "$(of gen)" 1
	is "/etc is what it was" "$early" "$want"
	ok "systemd itself has read it" vm_ssh '[ "$(hostname)" = box7 ]'
	ok "a reboot commits what is due" vm_ssh \
	    'mkdir -p /etc/cfgfs && echo "on-shutdown commit" > /etc/cfgfs/config &&
	    echo kept > /etc/kept'
	want=$(vm_ssh /usr/lib/boottest/etcsum)
	vm_ssh 'systemctl poweroff' > /dev/null 2>&1
	vm_ended "$LIMIT"
	off
	boots "after a clean shutdown" || return
	whole "after a clean shutdown"
	is "what was pending was committed" "$early" "$want"
	off
}

# ---- what a commit writes
wear() {
	boots "for the wear" || return
	vm_ssh 'seq 100 > /etc/wear.conf; cfg commit -m wear' > /dev/null
	vm_acks
	from=$entries
	# shellcheck disable=SC2016
	ok "20 commits of one changed line" vm_ssh 'for i in $(seq 20); do
	    sed -i "7s/.*/line $i/" /etc/wear.conf && cfg commit -m "$i" || exit
	done'
	vm_acks
	diag "$("$T/wlog" list "$T/log" | awk -v from="$from" -v to="$entries" '
	$1 >= from && $1 < to {
		bytes += $4
		writes += $4 != 0
		flushes += / flush/
	}
	END {
		printf "a commit of one changed line: %d bytes, %.2f writes," \
		    " %.2f flushes", bytes / 20, writes / 20, flushes / 20
	}')"
	off
}

# ---- power cuts
# Lines of $T/told: what, sum, and the length of the log when it was done.
# The first is what the boot found.
listen() {
	while read -r word i what sum; do
		case $word in
		try)	try="$what $sum" ;;
		done)	vm_acks
			echo "done $try $entries" ;;
		bad)	echo "bad $i $what $sum" ;;
		esac
		[ "$word" != try ] || echo "try $try"
	done >> "$T/told"
}

# May a disk that is cut in entry $1 give a boot with the sum $2?  What is
# persisted is the last that was done by then, or anything begun later; a
# trial never is, until it is confirmed.
may_be() {
	awk -v at="$1" -v sum="$2" '
	$2 == "trial"			{ next }
	$1 == "done" && $4 <= at	{ split("", may) }
					{ may[$3] = 1 }
	END { exit !(sum in may) }' "$T/told"
}

# All the places where the power may have gone: each disk must be whole.
every_cut() {
	worst=''
	i=0
	while [ "$i" -lt "$entries" ]; do
		vm_cut "$i" "$((SEED + i))" "$T/try"
		"$CFG" -s "$T/try" verify > "$T/out" 2>&1 ||
			worst="$worst $i: $(head -1 "$T/out")"
		i=$((i + 1))
	done
	places=$((places + entries))
}

# A cut: steps, until a moment by lot; what the disk then holds by lot.
one_cut() {
	echo "found found $early" > "$T/told"
	roll 100000
	: > "$T/steps"
	vm_ssh "/usr/lib/boottest/steps $r" > "$T/steps" 2> "$T/ssh" &
	steps=$!
	tail -n +1 -f --pid="$steps" -s 0.05 "$T/steps" | listen &
	ears=$!
	roll 8
	least=$((r + 2))
	roll 1500
	wait_ms=$r
	timeout "$LIMIT" tail -n +1 -f --pid="$steps" -s 0.05 "$T/told" |
	    grep -m "$least" '^done' > "$T/out"
	# Then any moment: this is what the lot has drawn, and waits for nothing.
	sleep "$(printf '%d.%03d' $((wait_ms / 1000)) $((wait_ms % 1000)))"
	kill -9 "$vm_pid"
	wait "$steps" "$ears" 2> /dev/null
	vm_kill
	vm_acks
	at=$entries
	roll 3
	if [ "$r" != 0 ] && [ "$entries" != 0 ]; then
		roll "$((entries < 8 ? entries : 8))"
		at=$((entries - 1 - r))
	fi
}

cuts() {
	c=0 places=0 commits=0
	boots "before the cuts" || return
	while [ "$c" -lt "$CUTS" ]; do
		c=$((c + 1))
		one_cut
		every_cut
		is "cut $c: all $entries places to cut leave a whole store" \
		    "$worst" ""
		is "cut $c: no step failed" "$(grep '^bad' "$T/told")" ""
		commits=$((commits + $(grep -c '^done' "$T/told")))
		roll 100000
		vm_cut "$at" "$r" "$T/next" && mv "$T/next" "$disk"
		where="in write or flush $at of $entries"
		boots "cut $c, $where" || return
		whole "cut $c, $where"
		if may_be "$at" "$early"; then
			say 1 "cut $c: the last confirmed state, or the one under way"
		else
			say 0 "cut $c: the last confirmed state, or the one under way"
			diag "found $early" "$(cat "$T/told")"
			cp "$disk" "${TMPDIR:-/tmp}/cfgfs-boot-disk.$c" &&
				diag "kept: ${TMPDIR:-/tmp}/cfgfs-boot-disk.$c"
		fi
		diag "cut $c of $CUTS: generation $(of gen)," \
		    "$(grep -c '^done' "$T/told") steps," \
		    "boot $((boot_ms / 1000)) s"
	done
	diag "$c power cuts over $commits steps; $places cuts tried on the disk"
	off
}

# ---- damage between boots
# hurt NAME SUM CONSOLE STATUS VERIFY: what a boot with $disk gives: the sum of
# /etc, a line on the console, exit status and a line of verify.
hurt() {
	boots "$1" || return
	is "$1: it boots to what is good" "$early $(of sum)" "$2 $2"
	like "$1: the console says so" "$(tr -d '\r' < "$T/console")" "$3"
	is "$1: verify's exit status" "$(of verify)" "$4"
	like "$1: verify names it" "$(of said)" "$5"
	vm_kill
}

# scribble AT: some bytes of the disk, in the record that begins there.
scribble() {
	cp "$T/good" "$disk"
	head -c 64 /dev/urandom | dd of="$disk" bs=1 seek="$(($1 + 100))" \
	    conv=notrunc 2> /dev/null
}

damage() {
	boots "before the damage" || return
	vm_ssh 'for i in 1 2 3; do echo $i > /etc/motd
	    cfg commit -m $i > /dev/null; /usr/lib/boottest/etcsum; done
	    /usr/lib/boottest/etcsum /run/cfgfs/etc/base' > "$T/sums"
	off
	cp "$disk" "$T/good"
	# Where the three were written, and what they, and the image, are.
	set -- $("$T/wlog" list "$T/log" |
	    sed -n 's/^[0-9]* at \([0-9]*\), [1-9].*/\1/p' | tail -3)
	two=$2 three=$3
	set -- $(cat "$T/sums")

	# Which no one can tell from a commit that was cut short.
	scribble "$three"
	hurt "a torn head" "$2" 'cfgfs: .*begun and not whole' 0 \
	    'begun and not whole'
	scribble "$two"
	hurt "a damaged record" "$1" 'cfgfs: .*damaged: generations' 1 \
	    'damaged: generations'
	size=$(wc -c < "$disk")
	truncate -s 0 "$disk" && truncate -s "$size" "$disk"
	hurt "a slice of zeros" "$4" 'cfgfs: .*not a cfgfs store' 2 \
	    'not a cfgfs store'
	mke2fs -q -F -t ext2 "$disk"
	hurt "a foreign file system" "$4" 'cfgfs: .*not a cfgfs store' 2 \
	    'not a cfgfs store'
	disk=''
	hurt "no disk at all" "$4" 'cfgfs: .*not there' 2 'cfg: '
	disk=$T/disk
	cp "$T/good" "$disk"
	boots "the good disk again" || return
	whole "the good disk again"
	is "with all that was committed" "$early" "$3"
	off
}

# ---- times
timing() {
	: > "$T/with"
	: > "$T/without"
	i=0
	while [ "$i" -lt "$ROUNDS" ]; do
		i=$((i + 1))
		boots "round $i with cfgfs" || return
		vm_ssh 'cat /run/boottest/before /run/boottest/after
		    systemctl show -P ExecMainStartTimestampMonotonic cfgfs
		    systemctl show -P ActiveEnterTimestampMonotonic cfgfs' |
		    awk -v ms="$boot_ms" '
		    { v[NR] = $1 }
		    END { print ms, (v[2] - v[1]) * 1000, (v[4] - v[3]) / 1000,
			v[4] / 1000 - v[1] * 1000 }' >> "$T/with"
		off
		vm_boot cfgfs=off && echo "$boot_ms" >> "$T/without"
		vm_kill
	done
	diag "medians of $ROUNDS boots each, in ms, interleaved:"
	diag "to ssh: with cfgfs $(median 1 "$T/with"), without $(median 1 "$T/without")"
	diag "restore: $(median 2 "$T/with"); mount of the view: $(median 3 "$T/with");" \
	    "from the start of the one to the end of the other: $(median 4 "$T/with")"
	is "all boots came up" "$(wc -l < "$T/with") $(wc -l < "$T/without")" \
	    "$ROUNDS $ROUNDS"
}

median() {
	awk -v c="$1" '{ print $c }' "$2" | sort -n |
	    awk '{ v[NR] = $1 } END { printf "%d", v[int((NR + 1) / 2)] }'
}
