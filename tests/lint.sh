#!/bin/sh
# lint.sh: what compilers and checkers say: gcc and clang without a
# warning, cppcheck, mandoc, shellcheck.  The last line is
# 'N passed, N failed, 0 skipped'; exit 0 where nothing failed, else 1.
set -u

cd "$(dirname "$0")/.." || exit 2
top=$PWD
tmp=$(mktemp -d) || exit 2
trap 'rm -rf "$tmp"' EXIT
trap 'trap "" INT TERM HUP; exit 130' INT TERM HUP
passed=0
failed=0

step() {
	what=$1
	shift
	if "$@" > "$tmp/log" 2>&1 < /dev/null; then
		passed=$((passed + 1))
		echo "lint: $what: ok"
	else
		failed=$((failed + 1))
		tail -40 "$tmp/log"
		echo "lint: $what: failed"
	fi
}

build() {
	rm -rf "$tmp/src"
	mkdir "$tmp/src" && sh "$top/tests/copy.sh" "$tmp/src" &&
	    cd "$tmp/src" && CC=$1 WERROR=1 ./configure &&
	    "$2" -j 2 -f build.mk all
}
build_in() ( build "$@" )

step "gcc -Werror" build_in gcc make
step "clang -Werror, by bmake" build_in clang bmake
step cppcheck cppcheck -q -j 2 --std=c11 --inline-suppr --error-exitcode=1 \
    --enable=warning,performance,portability \
    --suppress=missingIncludeSystem -D_GNU_SOURCE -DFUSE_USE_VERSION=312 \
    -I. lib fs sync tools hist tests
step "mandoc -T lint" mandoc -T lint -W warning fs/*.8 tools/*.8 \
    sync/*.5 lib/*.5
# shellcheck disable=SC2046
step shellcheck shellcheck configure .ci/run \
    $(grep -rlE '^#! ?/bin/sh' boot tests/rc) tests/rc/rc.subr \
    $(find tests tools fs sync lib hist boot -name '*.sh')

echo "$passed passed, $failed failed, 0 skipped"
[ "$failed" = 0 ]
