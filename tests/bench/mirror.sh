#!/bin/sh
# mirror.sh: what it costs to have a change on another host, over a line
# whose round trip takes 100 ms: a push, beside rsync of the tree, scp of
# the file, and a copy through sshfs; and the first push of a store, beside
# scp of it.  One sshd on loopback for all; tests/proxy is the line, and
# counts bytes and round trips.
SYS_LIMIT=${SYS_LIMIT:-3600}
. "$(dirname "$0")/../sys.sh"
need_root
need_fuse
# shellcheck source=tests/sshd.sh
. "$TOP/tests/sshd.sh"
rounds=${ROUNDS:-11}
changed=rc.conf.local
tree=$T/tree
far=$T/far

# 300 files, 3 MB, always the same.
make_tree() {
	awk -v dir="$1" 'BEGIN {
		srand(7)
		for (i = 0; i < 300; i++) {
			d = dir "/" (i % 3 == 1 ? "rc.d/" : i % 3 ? "ssl/" : "")
			if (i < 3)
				system("mkdir -p " d)
			f = d (i ? "file" i ".conf" : "rc.conf.local")
			size = i ? 300 * exp(4.2 * rand()) * 2.3 : 1000
			for (k = 0; k < size; k += length(line)) {
				line = sprintf("%x_%x=\"%d.%d\"\n",
				    rand() * 100000, rand() * 100000,
				    rand() * 1000, rand() * 250)
				printf "%s", line > f
			}
			close(f)
		}
	}'
}

# line NAME DELAY: a proxy in front of sshd; $T/line.NAME is what it says.
line() {
	"$TOP/tests/proxy" --delay "$2" 0 "$port" > "$T/line.$1" &
	await "the proxy" grep -q '^ready' "$T/line.$1"
	line_port=$(awk '$1 == "ready" { print $2 }' "$T/line.$1")
	sed "s/:$port /:$line_port /" "$T/s/known_hosts" >> "$T/known"
	cat >> "$T/ssh" <<C
Host $1
HostName 127.0.0.1
Port $line_port
User root
IdentityFile $T/s/key
IdentitiesOnly yes
UserKnownHostsFile $T/known
GlobalKnownHostsFile /dev/null
StrictHostKeyChecking yes
C
	eval "url_$1=sftp://root@127.0.0.1:\$line_port"
}

has_lines() { [ "$(wc -l < "$1")" -gt "$2" ]; }

# measure LINE NAME COMMAND...: a line of $T/NAME has the ms, the bytes both
# ways and the round trips of one run.
measure() {
	on=$T/line.$1 name=$2
	shift 2
	before=$(wc -l < "$on")
	began=$(date +%s%N)
	"$@" > "$T/said" 2>&1 < /dev/null ||
	    { diag "$*: exit $?: $(cat "$T/said")"; exit 2; }
	ended=$(date +%s%N)
	await "the end of the connection" has_lines "$on" "$before"
	tail -n +$((before + 1)) "$on" | awk -v ns=$((ended - began)) '
	    { bytes += $2 + $3; trips += $4 }
	    END { print ns / 1000000, bytes, trips }' >> "$T/m.$name"
}

# median NAME COLUMN
median() {
	cut -d ' ' -f "$2" "$T/m.$1" | sort -n |
	    awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'
}

push() {
	"$CFG" -s "$STORE" mirror push --key "$T/s/key" \
	    --known-hosts "$T/known" "$1"
}
import() { "$CFG" -s "$STORE" import --base "$BASE" "$1" > /dev/null; }
with_rsync() { rsync -a -e "ssh -F $T/ssh" "$tree/" "far:$far/rsync/"; }
with_scp() { scp -q -p -F "$T/ssh" "$1" "$2"; }
with_sshfs() {
	sshfs -F "$T/ssh" "far:$far/sshfs" "$T/sshfs" &&
	    cp -p "$tree/$changed" "$T/sshfs/" && umount "$T/sshfs"
}
bare() { sftp -q -F "$T/ssh" -b /dev/null far; }

# A change of one line, in the middle of the file.
change() {
	printf 'tmpsize="%06dm"\n' "$1" |
	    dd of="$tree/$changed" bs=1 seek=400 conv=notrunc status=none
}

# Is there what was to be there?
arrived() {
	cmp -s "$STORE" "$far/store" || faults=$((faults + 1))
	for way in rsync scp sshfs; do
		cmp -s "$tree/$changed" "$far/$way/$changed" || faults=$((faults + 1))
	done
}

row() {
	printf '| %s | %.0f | %d | %d |\n' "$2" "$(median "$1" 1)" \
	    "$(median "$1" 2)" "$(median "$1" 3)"
}

# say WHAT A B: met where A is at most B.
say() {
	echo "$2 $3" | awk -v what="$1" '{
		print "- " what ": " ($1 <= $2 ? "met." : "missed.") }'
}

# ---- one line, in a tree of which the other host has the rest
port=$(free_port)
export SSHD_SHELL=yes
sshd_start "$T/s" "$port" || exit 2
: > "$T/known"
: > "$T/ssh"
line far 50
line near 0
mkdir -p "$BASE" "$T/sshfs" "$far/scp" "$far/sshfs"
make_tree "$tree"
cp -a "$tree" "$far/rsync"
"$CFG" init --size 8M "$STORE" > /dev/null && import "$tree" || exit 2
# shellcheck disable=SC2154 # line sets it
measure near none push "$url_near$far/store"

faults=0
round=0
while [ "$round" -lt "$rounds" ]; do
	round=$((round + 1))
	change "$round"
	import "$tree" || exit 2
	measure far bare bare
	# shellcheck disable=SC2154 # line sets it
	measure far push push "$url_far$far/store"
	measure far rsync with_rsync
	measure far scp with_scp "$tree/$changed" "far:$far/scp/"
	measure far sshfs with_sshfs
	arrived
done

echo "| one line of 300 files, 3 MB | ms | bytes, both ways | round trips |"
echo "|---|---|---|---|"
row push 'cfg mirror push, to a mirror that had all else'
row rsync 'rsync -a of the tree'
row scp 'scp -p of the file'
row sshfs 'sshfs, cp -p, umount'
row bare 'sftp that does nothing: the handshake'
echo

# ---- all of a store, full of history
big=$T/big
mkdir "$big"
STORE=$T/store3
"$CFG" init --size 3M "$STORE" > /dev/null || exit 2
round=0
while [ "$round" -lt 24 ]; do
	round=$((round + 1))
	head -c 150000 /dev/urandom > "$big/blob"
	import "$big" || exit 2
done
round=0
while [ "$round" -lt "$rounds" ]; do
	round=$((round + 1))
	rm -f "$far/first" "$far/first.scp"
	measure near first push "$url_near$far/first"
	measure near whole with_scp "$STORE" "near:$far/first.scp"
	cmp -s "$far/first.scp" "$STORE" || faults=$((faults + 1))
	rm -f "$far/first" "$far/first.scp"
	measure far farfirst push "$url_far$far/first"
	measure far farwhole with_scp "$STORE" "far:$far/first.scp"
done

echo "| all of a store of $(stat -c %s "$STORE") bytes | ms |" \
    "bytes, both ways | round trips |"
echo "|---|---|---|---|"
row first 'first push, no delay'
row whole 'scp -p, no delay'
row farfirst 'first push'
row farwhole 'scp -p'
echo
say "A push of one line takes fewer bytes than rsync" \
    "$(median push 2)" "$(($(median rsync 2) - 1))"
for way in rsync scp sshfs; do
	say "and less time than $way" "$(median push 1)" "$(median $way 1)"
done
say "and at most six round trips more than the handshake" \
    "$(median push 3)" "$(($(median bare 3) + 6))"
for on in '' far; do
	say "A first push takes at most 1.1 of scp's time, ${on:-no} delay" \
	    "$(median "${on}first" 1)" \
	    "$(median "${on}whole" 1 | awk '{ print $1 * 1.1 }')"
done | sed 's/far delay/with delay/'
say "Copies that were not whole: $faults" "$faults" 0
sys_done=1
exit 0
