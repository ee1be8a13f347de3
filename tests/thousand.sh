#!/bin/sh
# thousand.sh: a thousand stores are pushed to one server, 50 at a time:
# how long that takes, what goes over the line, how much memory a push
# holds and how many processes the server has.  Prints Markdown.
#
#	COUNT=n AT_ONCE=n
SYS_LIMIT=${SYS_LIMIT:-1800}
. "$(dirname "$0")/sys.sh"
need_root
# shellcheck source=tests/sshd.sh
. "$TOP/tests/sshd.sh"
count=${COUNT:-1000}
at_once=${AT_ONCE:-50}
export far="$T/far" known="$T/s/known_hosts" key="$T/s/key"

# store N: each has its own id, and a line of its own.
cat > "$T/make" <<'E2'
t=$T/trees/$1
cp -R "$T/tree" "$t" && echo "hostname=\"box$1\"" >> "$t/rc.conf" &&
    "$CFG" init --size 256K "$T/stores/$1" > /dev/null &&
    "$CFG" -s "$T/stores/$1" import --base "$T/base" "$t" > /dev/null
E2
# push N: what it says, the memory it takes, and whether it came.
cat > "$T/push" <<'E2'
env time -f 'KB %M' -o "$T/said/$1.kb" \
    "$CFG" --json -s "$T/stores/$1" mirror push --key "$key" \
    --known-hosts "$known" "$url$far/$1.store" > "$T/said/$1" 2>&1
echo "exit $?" >> "$T/said/$1"
E2

all() { seq "$count" | xargs -P "$2" -n 1 sh "$T/$1"; }

# Look how many processes of the server there are, until $T/over is there:
# without one of its own for each look, and before all that is measured.
cat > "$T/sample" <<'E2'
max=0
while [ ! -e "$T/over" ]; do
	n=0
	for p in /proc/[0-9]*; do
		read -r name 2> /dev/null < "$p/comm" || continue
		case $name in
		sshd*)	n=$((n + 1)) ;;
		esac
	done
	[ "$n" -le "$max" ] || echo "$n" > "$T/max"
	[ "$n" -le "$max" ] || max=$n
	sleep 0.02
done
E2

# row WHAT: wall time, and the sums and the most of what was said.
row() {
	cat "$T"/said/*[0-9] | tr ',{}' '[\n*]' | awk -F '[: ]' \
	    -v what="$1" -v ns=$((ended - began)) -v procs="$(cat "$T/max")" \
	    -v kb="$(sort -n -k 2 "$T"/said/*.kb | awk '$1 == "KB" { m = $2 }
	    END { print m }')" '
	    { gsub(/"/, "") }
	    $1 == "exit" && $2 == 0 { good++ }
	    $1 == "bytes_out" { out += $2 }
	    $1 == "bytes_in" { back += $2 }
	    $1 == "sent" { sent += $2 }
	    $1 == "waits" { n++; waits += $2 }
	    END {
		printf "| %s | %d | %.1f | %.0f | %.0f | %.0f | %.1f | %d |" \
		    " %d |\n", what, good, ns / 1e9, out / n, back / n,
		    sent / n, waits / n, kb, procs
	    }'
}

# pushes WHAT: all of them; the first that failed is shown.
pushes() {
	rm -rf "$T/said" "$T/over" "$T/max"
	mkdir "$T/said"
	nice -n -10 sh "$T/sample" &
	sampler=$!
	await "the sampler" test -s "$T/max"
	began=$(date +%s%N)
	all push "$at_once"
	ended=$(date +%s%N)
	: > "$T/over"
	wait "$sampler"
	bad=$(grep -L '^exit 0$' "$T"/said/*[0-9])
	if [ -n "$bad" ]; then
		echo "$bad" | wc -l | sed 's/$/ pushes failed/' >&2
		echo "$bad" | head -1 | xargs cat >&2
		failed=1
	fi
	row "$1"
}

mkdir "$T/tree" "$T/base" "$T/trees" "$T/stores" "$far"
BASE=$T/tree base_tree
port=$(free_port)
# All of them at one time, and no penalty for so many.
SSHD_SHELL=yes sshd_start "$T/s" "$port" "MaxStartups 1000" || exit 2
export url="sftp://root@127.0.0.1:$port"
failed=0
all make 4 || exit 2

echo "| $at_once at a time | done | s | bytes out | bytes in | of them" \
    "store | waits | KB, the largest | server processes |"
echo "|---|---|---|---|---|---|---|---|---|"
pushes "first push of $count stores"
pushes "and again, with nothing to send"
i=0
while [ "$i" -lt "$count" ]; do
	i=$((i + 1))
	# Each is a store, and its own one.
	"$CFG" -s "$far/$i.store" show --base "$T/base" :rc.conf 2>&1 |
	    grep -qx "hostname=\"box$i\"" || wrong="${wrong:-} $i"
done
echo
echo "Copies that are not what was pushed:${wrong:- none}."
sys_done=1
[ "$failed" = 0 ] && [ -z "${wrong:-}" ]
