#!/bin/sh
# docs.sh: the man pages and the programs say the same: every option of a
# program's --help is in its page and the reverse, verb by verb; the pages
# are well-formed and have what a reader looks for.  TAP.
set -u
LC_ALL=C
export LC_ALL

top=$(cd "$(dirname "$0")/.." && pwd)
cd "$top" || exit 2
n=0
bad=0

say() {
	n=$((n + 1))
	if [ "$1" = 0 ]; then
		echo "ok $n - $2"
	else
		echo "not ok $n - $2"
		bad=1
	fi
}

# The options in a text, one a line: what begins with a dash behind a
# blank, a bracket or a bar.  "-hV" is two.
options() {
	tr '|=,()] \t[' '[\n*]' | awk '
	/^--[a-z]/ { print; next }
	/^-[A-Za-z]+$/ { for (i = 2; i <= length($0); i++)
		print "-" substr($0, i, 1) }' | sort -u
}

# The options that lines of mdoc on standard input give: "Fl -size".
flags() {
	sed 's/Fl \([-A-Za-z]\)/-\1/g' | options
}

# Of a verb's subsection: what its synopsis names, and what its list has.
synopsis() {
	sed -n "/^\.Ss $1\$/,/^\.Pp/p" tools/cfg.8 | flags
}
listed() {
	awk -v want=".Ss $1" '/^\.S[hs]/ { on = ($0 == want) } on' tools/cfg.8 |
	    sed -n 's/^\.It Fl/Fl/p' | flags
}

same() {
	if [ "$2" = "$3" ]; then
		say 0 "$1"
	else
		say 1 "$1"
		printf '# program: %s\n# page: %s\n' \
		    "$(printf %s "$2" | tr '\n' ' ')" \
		    "$(printf %s "$3" | tr '\n' ' ')"
	fi
}

for page in */*.[1-9]; do
	[ -f "$page" ] || continue
	mandoc -T lint -W warning "$page" > /dev/null 2>&1
	say $? "$page is well-formed"
	case $page in
	*.1|*.8)
		for s in 'EXIT STATUS' EXAMPLES; do
			grep -q "^\.Sh $s\$" "$page"
			say $? "$page has $s"
		done ;;
	esac
done

# cfg: the table of verbs is what --help prints.
help=$(tools/cfg --help)
same "cfg's own options are those of its page" \
    "$(printf '%s\n' "$help" | sed '/^$/,$d' | options)" \
    "$(sed '/^\.Ss /,$d' tools/cfg.8 | sed -n 's/^\.It Fl/Fl/p' | flags)"
verbs=$(printf '%s\n' "$help" | sed -n 's/^  cfg \([a-z]*\).*/\1/p')
for v in $verbs; do
	has=$(printf '%s\n' "$help" | grep "^  cfg $v " | options)
	same "cfg $v's options are in its synopsis" "$has" "$(synopsis "$v")"
	same "cfg $v's options are explained" "$has" "$(listed "$v")"
	usage=$(tools/cfg "$v" --help | sed -n 's/^usage: //p')
	printf '%s\n' "$help" | grep -Fqx -e "  $usage"
	say $? "cfg $v --help says the same"
done
same "the page has the verbs that there are" \
    "$(printf '%s\n' "$verbs" | sort)" \
    "$(sed -n 's/^\.Ss //p' tools/cfg.8 | sort)"

if [ -x fs/cfgfs ] && [ -f fs/cfgfs.8 ]; then
	same "cfgfs's options are those of its page" \
	    "$(fs/cfgfs --help | options)" \
	    "$(sed -n 's/^\.It Fl/Fl/p' fs/cfgfs.8 | flags)"
fi

echo "1..$n"
exit $bad
