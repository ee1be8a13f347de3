#!/bin/sh
# The README's tour does what it shows: its commands are run, and what
# they say is compared, numbers and times aside.
. "$(dirname "$0")/sys.sh"
need_root
need_fuse

awk '/^<!-- tour/ { t = 1 } t && /^```$/ { exit }
    t && seen { print } t && /^```console/ { seen = 1 }' \
    "$TOP/README.md" > "$T/want"
ok "the README has a tour" grep -q '^# cfg .*commit' "$T/want"

mount -t tmpfs -o mode=755 cfgfs-ram /root
mkdir /root/box
cd /root/box || exit 2
while IFS= read -r line; do
	case $line in
	'# '*)
		printf '%s\n' "$line"
		eval "${line#\# }" < /dev/null 2>&1 ;;
	esac
done < "$T/want" > "$T/have"

# Numbers, users and times are those of the day.
plain() { sed 's/[0-9][0-9]*/N/g; s/  */ /g; s/ *$//' "$1"; }
is "what the tour shows is what happens" "$(plain "$T/have")" \
    "$(plain "$T/want")"
cd / || exit 2
power_cut
done_testing
