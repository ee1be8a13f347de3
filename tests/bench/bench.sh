#!/bin/sh
# bench.sh: every benchmark; the figures go to BENCHMARKS.md.
set -eu

cd "$(dirname "$0")/../.."
sh tests/deps.sh bench
cc -std=c11 -O2 -D_GNU_SOURCE -o tests/bench/opsbench \
    tests/bench/opsbench.c tests/bench/opsbench-ops.c
tmp=$(mktemp)
trap 'rm -f "$tmp"' EXIT

# Other work on the machine shall not count.
rt=
! chrt -f 10 true 2> /dev/null || rt='chrt -f 10'

cpu=$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -1)
{
	cat <<T
# Benchmarks

Written by \`make bench\`, and by nothing else.

- Commit $(git rev-parse --short HEAD 2> /dev/null || echo unknown), \
$(date -u +%Y-%m-%d)
- $(uname -srm), $(nproc) x $cpu
- $(cc --version | head -1); libfuse $(pkg-config --modversion fuse3)

## Speed of the view

\`$rt sh tests/bench/ops.sh\`: client and daemons on one CPU, in
interleaved rounds. Time of one operation on tmpfs, and the others as a
multiple of it, medians.

T
	$rt sh tests/bench/ops.sh
	cat <<'T'

## Flash

`sh tests/bench/flash.sh`: what reaches the device, by its own statistics,
for one changed line in a tree of 300 files and 3 MB; mean of 100 commits,
compactions counted in.  The others mount and unmount their ext2.

T
	sh tests/bench/flash.sh
	cat <<T

## Time and size

\`$rt sh tests/bench/time.sh\`: wall time, process start to exit, interleaved,
medians.

T
	$rt sh tests/bench/time.sh
	cat <<'T'

## The mirror

`sh tests/bench/mirror.sh`: to a real sshd on loopback; where no other
delay is said, over a proxy that holds each byte for 50 ms each way.
Medians of interleaved rounds, from process start to exit, which is why
the handshake is in all of them.

T
	sh tests/bench/mirror.sh
} | tee "$tmp"
cp "$tmp" BENCHMARKS.md
