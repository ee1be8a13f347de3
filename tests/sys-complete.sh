#!/bin/sh
# sys-complete.sh: bash, zsh and fish complete what cfg has: each verb, each
# option of each verb, and the arguments that a verb takes.
# shellcheck source=tests/sys.sh
. "$(dirname "$0")/sys.sh"
need_root
need_fuse

ok "a box starts" new_box
echo 'mirror backup sftp://b@10.0.0.9/b.store manual' > "$T/config"
mkdir "$MNT/cfgfs"
cp "$T/config" "$MNT/cfgfs/config"
ok "with a commit" cfg commit -m first
ok "and a tag" cfg tag @1 rescue
mkdir "$MNT/pend"
echo new > "$MNT/pend/a b"
echo new > "$MNT/pend.conf"
comp=$TOP/tools/completion
HOME=$T ZDOTDIR=$T
export HOME ZDOTDIR
cd "$T" || exit 2

# How each shell is asked for what it offers behind a line: one in a line.
# bash: its function is called as bash does it, with the line in words.
cat > "$T/ask.bash" <<'S'
. "$1"
IFS= read -r line
read -ra COMP_WORDS <<< "${line//:/ : }"
[[ $line != *' ' && $line != *: ]] || COMP_WORDS+=("")
COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
"_${COMP_WORDS[0]}"
printf '%s\n' "${COMPREPLY[@]}"
S
# zsh: it completes only on a terminal, so it gets one, and what it is
# offered is written down.  It is begun once, as that takes its time.
cat > "$T/zsh.rc" <<'S'
autoload -Uz compinit
compinit -D -u
PROMPT='READY>'
compadd() {
	local -a hits
	[[ " ${(j: :)@[1,(i)--]} " != *\ -[OAD]\ * ]] || {
		builtin compadd "$@"
		return
	}
	builtin compadd -O hits "$@"
	[[ ${#hits} -eq 0 ]] || print -rl -- $hits >> $ZDOTDIR/offers
	builtin compadd "$@"
}
answered() { BUFFER= && print -r END > $ZDOTDIR/answer }
zle -N answered
bindkey -e
bindkey '^T' list-choices
bindkey '^O' answered
S
mkfifo "$T/question" "$T/answer"
cat > "$T/ask.zsh" <<'S'
zmodload zsh/zpty
zpty z zsh -f -i
zpty -w z "TERM=dumb fpath=($1 \$fpath); source $ZDOTDIR/zsh.rc; print GO"
zpty -r -m z x '*GO*READY>*'
while IFS= read -r line; do
	zpty -w -n z "$line"$'\x14\x0f'
	# What it shows is of no use, but must go.
	while zpty -r -t z x; do :; done
done
zpty -d z
S
ask_zsh() {
	[ -n "${zsh_runs:-}" ] || {
		zsh -f "$T/ask.zsh" "$comp" < "$T/question" > "$T/zsh.log" 2>&1 &
		exec 3> "$T/question"
		zsh_runs=1
	}
	: > "$T/offers"
	printf '%s\n' "$1" >&3
	timeout 20 cat "$T/answer" > /dev/null || echo 'zsh: no answer'
	cat "$T/offers"
}
# fish has a builtin for it.
cat > "$T/ask.fish" <<'S'
source $argv[1]
read -l line
complete -C $line
S
offers() {
	case $1 in
	bash)	printf '%s\n' "$2" | bash --norc "$T/ask.bash" \
		    "$comp/cfg.bash" ;;
	zsh)	ask_zsh "$2" ;;
	fish)	printf '%s\n' "$2" | fish --no-config "$T/ask.fish" \
		    "$comp/cfg.fish" | cut -f 1 ;;
	esac
}

# has SHELL LINE WORD...: each is offered.
has() {
	has_shell=$1 has_line=$2
	shift 2
	offers "$has_shell" "$has_line" > "$T/offered" 2>&1
	has_lacks=
	for has_w; do
		grep -Fqx -e "$has_w" "$T/offered" ||
		    has_lacks="$has_lacks $has_w"
	done
	is "$has_shell: '$has_line' is completed: $*" "$has_lacks" "" ||
	    head -20 "$T/offered" | sed 's/^/# offered: /'
}
# hasnt SHELL LINE WORD: it is not offered.
hasnt() {
	offers "$1" "$2" > "$T/offered" 2>&1
	is "$1: '$2' is not completed: $3" \
	    "$(grep -Fx -e "$3" "$T/offered")" ""
}

"$CFG" --help | sed -n 's/^  cfg \([a-z]*\) *\(.*\)/\1 \2/p' > "$T/verbs"
verbs=$(cut -d ' ' -f 1 "$T/verbs")
is "there are verbs" "$(echo "$verbs" | grep -c '^[a-z]*$')" \
    "$("$CFG" --help | grep -c '^  cfg')"
# What begins with a dash behind a blank or a bracket; "-fn" is two.
options() {
	tr '|=,()] \t[' '[\n*]' | awk '
	/^--[a-z]/ { print; next }
	/^-[A-Za-z]+$/ { for (i = 2; i <= length($0); i++)
		print "-" substr($0, i, 1) }' | sort -u
}

for sh in bash zsh fish; do
	command -v "$sh" > /dev/null || {
		skip "no $sh"
		continue
	}
	# shellcheck disable=SC2086
	has "$sh" "cfg " $verbs
	while read -r verb usage; do
		# shellcheck disable=SC2046
		has "$sh" "cfg $verb -" --json --help \
		    $(printf '%s\n' "$usage" | options)
	done < "$T/verbs"
	c="cfg -m $MNT"
	has "$sh" "$c commit pen" pend pend.conf
	has "$sh" "$c commit -m x $MNT/pen" "$MNT/pend.conf"
	hasnt "$sh" "$c commit p" passwd
	has "$sh" "$c commit rc" rc.conf \
	    "$([ "$sh" = zsh ] && echo rc.d || echo rc.d/)"
	has "$sh" "$c diff @" @head @base @1 @rescue @running
	has "$sh" "cfg -s $STORE diff @" @1 @rescue
	has "$sh" "$c tag -d " rescue
	has "$sh" "$c mirror p" push pull
	has "$sh" "$c mirror push " backup
	has "$sh" "$c trial " keep
	# zsh offers what is behind the last slash.
	has "$sh" "cfg init $T/stor" \
	    "$([ "$sh" = zsh ] && echo store || echo "$STORE")"
	has "$sh" "cfgfs -o st" store= state=
	has "$sh" "cfgfs -o history,no" \
	    "$([ "$sh" = zsh ] || echo history,)noexec"
done

done_testing
