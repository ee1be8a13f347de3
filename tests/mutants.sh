#!/bin/sh
# mutants.sh [name...]: take the store's rules out of its code, one at a
# time, in a copy; the tests must fail for each, or they prove nothing.
# A long run, not part of check.  Exit 0 where every mutant was caught.
set -eu

top=$(cd "$(dirname "$0")/.." && pwd)
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
trap 'exit 130' INT TERM HUP
only=" $* "
caught=0
missed=
stale=

sh "$top/tests/copy.sh" "$tmp"
cd "$tmp"
./configure > /dev/null
tests="tests/crash.t tests/fault.t tests/model.t tests/flip.t
    tests/fuzzstore.t tests/mirror.t tests/mirrorcrash.t
    tests/mirrorfill.t"

# shellcheck disable=SC2086
build() {
	make -f build.mk $tests > build.log 2>&1
}

# run: 0 where a test failed, whose name is in $by.
run() {
	for t in $tests; do
		if ! timeout 600 "./$t" > "$t.log" 2>&1; then
			by=$t
			return 0
		fi
	done
	return 1
}

# suite TESTS: what the mutants from here on must not pass.
suite() {
	tests=$1
	if ! build || run; then
		echo "mutants: the code as it is does not pass: ${by:-build}" >&2
		exit 2
	fi
}

# mutant NAME FILE SED...: the rule that goes, and how.
mutant() {
	name=$1 file=$2
	shift 2
	case $only in
	"  " | *" $name "*) ;;
	*)	return 0 ;;
	esac
	cp "$top/$file" "$file.good"
	sed "$@" "$file.good" > "$file"
	rm -f "${file%.c}.o"
	if cmp -s "$file" "$file.good"; then
		echo "STALE  $name: nothing to change in $file"
		stale="$stale $name"
	elif ! build; then
		echo "STALE  $name: does not build"
		sed -n '/error/p' build.log
		stale="$stale $name"
	elif run; then
		echo "caught $name: $by: $(sed -n \
		    '/^# .*: /{/SEED/!{p;q;};}' "$by.log" | cut -c 1-100)"
		caught=$((caught + 1))
	else
		echo "MISSED $name"
		missed="$missed $name"
	fi
	mv "$file.good" "$file"
	rm -f "${file%.c}.o"	# it is of the mutant, and newer
}

suite "$tests"
. "$top/tests/mutants.list"

echo "$caught caught; missed:${missed:- none}; stale:${stale:- none}"
[ -z "$missed$stale" ]
