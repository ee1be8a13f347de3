# tap.sh: TAP of a script that is no system test: $top, $tmp, which goes at the
# end, ok, skip and end.  POSIX sh, read by the script.
# shellcheck shell=sh
set -u
LC_ALL=C
export LC_ALL
# What a make around this one has for its own, others may not know.
unset MAKEFLAGS MFLAGS MAKELEVEL

# shellcheck disable=SC2034
top=$(cd "$(dirname "$0")/.." && pwd)
tmp=$(mktemp -d) || exit 2
trap 'rm -rf "$tmp"' EXIT
trap 'trap "" INT TERM HUP; exit 130' INT TERM HUP
n=0
bad=0

# ok PROMISE COMMAND...: what it says is shown where it fails.
ok() {
	n=$((n + 1))
	promise=$1
	shift
	if "$@" > "$tmp/log" 2>&1 < /dev/null; then
		echo "ok $n - $promise"
	else
		echo "not ok $n - $promise"
		tail -20 "$tmp/log" | sed 's/^/# /'
		bad=1
		return 1
	fi
}

skip() {
	n=$((n + 1))
	echo "ok $n # SKIP $1"
}

end() {
	echo "1..$n"
	exit $bad
}
