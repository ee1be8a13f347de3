#!/bin/sh
# demo.sh: the main job, on this machine's own /etc, in a mount namespace
# of its own: the machine's /etc itself is not touched, nothing is left.
set -eu

top=$(cd "$(dirname "$0")/.." && pwd)
PATH=$top/tools:$top/fs:$PATH:/usr/sbin:/sbin
export PATH

bold='' plain=''
if [ -t 1 ]; then
	bold=$(printf '\033[1;36m') plain=$(printf '\033[0m')
fi
title() { printf '\n%s== %s%s\n' "$bold" "$*" "$plain"; }
say() { printf '   %s\n' "$*"; }
fail() {
	echo "demo: $*" >&2
	exit 2
}

# A tree's checksum, to the last mode bit; with "times", of those too.
sum() {
	if [ "${2:-}" = times ]; then
		set -- "$1"
	else
		set -- "$1" --mtime=@0
	fi
	dir=$1
	shift
	tar -C "$dir" --sort=name --numeric-owner --xattrs \
	    --xattrs-include='*' "$@" -cf - --pax-option=\
exthdr.name=%d/PaxHeaders/%f,delete=atime,delete=ctime . \
	    2> /dev/null | sha256sum | cut -c 1-32
}

# Show a command, as typed by root, and do it.
it() {
	printf '%s# %s%s\n' "$bold" "$*" "$plain"
	eval "$*"
}

if [ "${1:-}" != inside ]; then
	[ "$(id -u)" = 0 ] || fail "mounting over /etc takes root"
	[ -c /dev/fuse ] || modprobe fuse 2> /dev/null || :
	[ -c /dev/fuse ] || fail "no /dev/fuse"
	work=$(mktemp -d)
	trap 'rm -rf "$work"' EXIT
	trap 'exit 130' INT TERM HUP
	before=$(sum /etc times)
	unshare -m --propagation private -p -f --mount-proc --kill-child \
	    sh "$0" inside "$work" < /dev/null
	title "This machine's own /etc, before and after"
	say "$before"
	say "$(sum /etc times)"
	[ "$(sum /etc times)" = "$before" ] || fail "/etc has changed"
	say "untouched"
	exit 0
fi

# Should the view not come up, nothing below it can be changed.
mount --bind /etc /etc
mount -o remount,bind,ro /etc
flash=$2/flash
mkdir "$flash"
ram() { mount -t tmpfs -o mode=755 demo /run; }

title "A store, in a file; 1 MB is the ordinary slice of an appliance"
it "cfg init --size 1M $flash/store"

title "The view, over /etc itself; this machine's /etc is the base"
ram
it "cfgfs -o store=$flash/store /etc"
it "df /etc"

title "Ordinary programs change ordinary files"
it "useradd -r -M -s /bin/sh demo"
it "passwd -q -l demo"
it "sed -i 's/^UMASK.*/UMASK 077/' /etc/login.defs"
it "ln -s nsswitch.conf '/etc/a link'"
it "rm /etc/issue.net"
it "chmod 600 /etc/issue"
it "mkdir -m 700 /etc/empty"
it "sed 's/^hosts:.*/hosts: files/' /etc/nsswitch.conf > /etc/.new"
it "mv /etc/.new /etc/nsswitch.conf"

title "What a power cut now would lose, and who did it"
it "cfg status"
it "cfg diff /etc/login.defs /etc/issue /etc/issue.net" || [ $? = 1 ]

title "One atomic commit"
it "cfg commit -m 'a user, a umask, and less in issue'"
it "cfg status"
it "cfg log"
committed=$(sum /etc)

title "More changes, which nobody commits"
it "useradd -r -M lost"
it "echo lost >> /etc/issue"
it "rm -r /etc/empty"
it "cfg status"

title "The power fails: everything is killed, the RAM disk is gone"
for p in /proc/[0-9]*; do
	case $(cat "$p/comm" 2> /dev/null) in
	cfgfs*)	kill -9 "${p#/proc/}" 2> /dev/null || : ;;
	esac
done
while awk '$5 == "/etc" { n++ } END { exit !n }' /proc/self/mountinfo; do
	umount -l /etc
done
umount -l /run
id demo 2>&1 || say "(the base has no such user)"

title "The next start: restore, mount"
ram
it "cfgfs -o store=$flash/store /etc"
it "cfg status"

title "What was committed is there, to the last mode bit; the rest is gone"
it "id demo"
it "passwd -S demo"
it "ls -ld /etc/empty /etc/issue '/etc/a link'"
it "grep ^UMASK /etc/login.defs"
[ ! -e /etc/issue.net ] || fail "/etc/issue.net is back"
say "/etc/issue.net: still deleted"
! id lost 2> /dev/null || fail "the user 'lost' is there"
! grep -q lost /etc/issue || fail "/etc/issue has what was not committed"
say "checksum of /etc when it was committed: $committed"
say "checksum of /etc now:                   $(sum /etc)"
[ "$(sum /etc)" = "$committed" ] || fail "they differ"
umount /etc
