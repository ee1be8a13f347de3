#!/bin/sh
# bench.sh [SECTION ...]: the benchmarks; the figures go to BENCHMARKS.md.
# Sections: view, flash, time, history, mirror, thousand; by default all.
# Those that are not measured stay as they are, each with the commit that
# it is of.
set -eu

cd "$(dirname "$0")/../.."
sh tests/deps.sh bench
tmp=$(mktemp)
trap 'rm -f "$tmp"' EXIT

# Other work on the machine shall not count.
rt=
! chrt -f 10 true 2> /dev/null || rt='chrt -f 10'
cpu=$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -1)
what=${*:-view flash time history mirror thousand}

# section NAME TITLE COMMAND...: what it is comes on standard input.
section() {
	name=$1 title=$2
	shift 2
	case " $what " in
	*" $name "*)
		printf '\n## %s\n\n' "$title"
		cat
		printf '\nAt commit %s, %s.\n\n' "$(git rev-parse --short \
		    HEAD 2> /dev/null || echo unknown)" "$(date -u +%Y-%m-%d)"
		"$@" ;;
	*)	awk -v t="## $title" '/^## / { on = $0 == t }
		    on { if (!n++) print ""; print }' BENCHMARKS.md |
		    sed -e :a -e '/^\n*$/{$d;N;ba' -e '}' ;;
	esac
}

case " $what " in
*' view '*)
	cc -std=c11 -O2 -D_GNU_SOURCE -o tests/bench/opsbench \
	    tests/bench/opsbench.c tests/bench/opsbench-ops.c ;;
esac
{
	cat <<T
# Benchmarks

Written by \`make bench\`, and by nothing else.

- $(uname -srm), $(nproc) x $cpu
- $(cc --version | head -1); libfuse $(pkg-config --modversion fuse3)
T
	# shellcheck disable=SC2086
	section view 'Speed of the view' $rt sh tests/bench/ops.sh <<T
\`$rt sh tests/bench/ops.sh\`: client and daemons on one CPU, in
interleaved rounds. Time of one operation on tmpfs, and the others as a
multiple of it, medians.
T
	section flash Flash sh tests/bench/flash.sh <<'T'
`sh tests/bench/flash.sh`: what reaches the device, by its own statistics,
for one changed line in a tree of 300 files and 3 MB; mean of 100 commits,
compactions counted in.  The others mount and unmount their ext2.
T
	# shellcheck disable=SC2086
	section time 'Time and size' $rt sh tests/bench/time.sh <<T
\`$rt sh tests/bench/time.sh\`: wall time, process start to exit, interleaved,
medians.
T
	# shellcheck disable=SC2086
	section history History $rt sh tests/bench/hist.sh <<T
\`$rt sh tests/bench/hist.sh\`: going back by one file, process start to exit,
and looking at a long history; medians of interleaved rounds.
T
	section mirror 'The mirror' sh tests/bench/mirror.sh <<'T'
`sh tests/bench/mirror.sh`: to a real sshd on loopback; where no other
delay is said, over a proxy that holds each byte for 50 ms each way.
Medians of interleaved rounds, from process start to exit, which is why
the handshake is in all of them.
T
	section thousand 'A thousand boxes' sh tests/thousand.sh <<'T'
`make check-thousand`: each has a store of its own, and pushes it to one
sshd on loopback, 50 at a time; then again, with nothing to send.
T
} | tee "$tmp"
cp "$tmp" BENCHMARKS.md
