#!/bin/sh
# The whole, tree, journal and store, in a random test against plain
# directories: after each commit, restore, power cut and kill of the daemon
# the trees are the same.  whole.c does the operations and compares.
# OPS and SEED choose another run.
SYS_LIMIT=${SYS_LIMIT:-600}
. "$(dirname "$0")/sys.sh"
need_root
need_fuse

OPS=${OPS:-100000}
WHOLE=$TOP/tests/whole
RUN=$T/run
HEAD=$T/head
OUT=$T/out

# Plain copies; with names, of these parts alone.
copy() {
	from=$T/$1
	to=$T/$2
	shift 2
	if [ $# = 0 ]; then
		rm -rf "$to" && cp -a "$from" "$to"
		return
	fi
	for part; do
		rm -rf "${to:?}/$part" || return
		if [ -e "$from/$part" ] || [ -h "$from/$part" ]; then
			cp -a "$from/$part" "$to/" || return
		fi
	done
}

restored() {
	rm -rf "$OUT" && mkdir "$OUT" &&
	    "$CFG" restore --store "$STORE" --base "$BASE" "$OUT"
}

# A commit, and the power fails in the middle of it or soon after.
torn() {
	"$CFG" -m "$MNT" commit -m torn > /dev/null 2>&1 &
	sleep "$1"
	kill -9 $! 2> /dev/null
	power_cut && boot
}

paths() {
	verb=$1
	shift
	for part; do
		set -- "$@" "$MNT/$part"
		shift
	done
	cfg "$verb" "$@"
}

answer() {
	word=$1
	shift
	case $word in
	commit)		paths commit "$@" > /dev/null ;;
	revert)		paths revert "$@" > /dev/null ;;
	status)		cfg status -q > /dev/null ;;
	restored)	restored ;;
	copy)		copy "$@" ;;
	kill)		kill_view && run_view ;;
	cut)		power_cut && boot ;;
	torn)		torn "$1" ;;
	wipe)		rm -rf "${MNT:?}/$1" "${RUN:?}/$1" ;;
	double)		[ ! -d "$RUN/$1" ] || {
				cp -a "$RUN/$1" "$RUN/$2" &&
				    cp -a "$MNT/$1" "$MNT/$2"
			} ;;
	*)		return 99 ;;
	esac
}

# one SEED: a run.
one() {
	SEED=$1
	export SEED
	rm -rf "$RUN" "$HEAD" "$BASE" "$STORE"
	mkdir "$RUN" && for i in 0 1 2 3 4 5; do mkdir "$RUN/d$i"; done
	"$WHOLE" '' "$RUN" '' '' 3000 1 > /dev/null || return 1
	copy run head && cp -a "$RUN" "$BASE" &&
	    "$CFG" init --size 16M "$STORE" > /dev/null && boot || return 1

	mkfifo "$T/ask.$SEED" "$T/say.$SEED"
	"$WHOLE" "$MNT" "$RUN" "$HEAD" "$OUT" "$OPS" 400 \
	    3> "$T/ask.$SEED" 4< "$T/say.$SEED" &
	whole=$!
	exec 3< "$T/ask.$SEED" 4> "$T/say.$SEED"
	while read -r line <&3; do
		# shellcheck disable=SC2086
		answer $line 3<&- 4>&-
		echo $? >&4
	done
	exec 3<&- 4>&-
	wait "$whole"
	status=$?
	power_cut && return "$status"
}

OPS=$((OPS / 2))
for seed in ${SEED:-20261123 20261124}; do
	one "$seed" > "$T/log" 2>&1
	status=$?
	grep '^#' "$T/log" || :
	[ "$status" = 0 ] || grep -v '^#' "$T/log" | tail -20 | sed 's/^/# /'
	is "seed $seed: the trees stay the same" "$status" 0
done
done_testing
