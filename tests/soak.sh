#!/bin/sh
# soak.sh: the random tests over and over, with new seeds, for MINUTES
# (60).  It stops at the first failure and names the seed.
set -u

cd "$(dirname "$0")" || exit 2
end=$(($(date +%s) + ${MINUTES:-60} * 60))
turns=0
while [ "$(date +%s)" -lt "$end" ]; do
	SEED=$(od -An -N4 -tu4 /dev/urandom | tr -d ' ')
	export SEED
	echo "== SEED=$SEED"
	for t in ./*.t; do
		"$t" > /dev/null || { echo "soak: $t failed"; exit 1; }
	done
	OPS=200000 sh sys-whole.sh || { echo "soak: sys-whole failed"; exit 1; }
	ROUNDS=40 sh sys-power.sh || { echo "soak: sys-power failed"; exit 1; }
	turns=$((turns + 1))
done
echo "soak: $turns turns, nothing failed"
