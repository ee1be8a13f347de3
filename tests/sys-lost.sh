#!/bin/sh
# What NanoBSD's save_cfg loses, each thing changed through the mounted
# view, committed, and there after a power cut and a restore.  The bases
# are a copy of this machine's /etc, and FreeBSD's where it is at hand
# (SHARED names the directory that has data/freebsd-15.1-etc.tar.xz).
. "$(dirname "$0")/sys.sh"
need_root
need_fuse
SHARED=${SHARED:-$TOP/../shared}

# The first regular file at the top of the tree with that index, no link.
pick() {
	find "$MNT" -maxdepth 1 -type f -links 1 -size +0 ! -name '.*' \
	    ! -name '*~' ! -name 'resolv.conf' ! -name mtab \
	    ! -name 'hostname' ! -name 'hosts' | sort | sed -n "$1p"
}

mode_of() { stat -c %a "$1"; }
owner_of() { stat -c %u:%g "$1"; }

everything_once() {
	gone=$(pick 1) moded=$(pick 2) owned=$(pick 3) turned=$(pick 4)
	grown=$(pick 5)
	rm "$gone"
	chmod 604 "$moded"
	chown 1234:2345 "$owned"
	rm "$turned" && mkdir -m 750 "$turned" && echo in > "$turned/in"
	echo "one more line" >> "$grown"
	dir=$(find "$MNT" -mindepth 1 -maxdepth 1 -type d | sort | head -1)
	rm -r "$dir"
	ln -s 'some where/else' "$MNT/link"
	link=$(find "$MNT" -maxdepth 1 -type l ! -name link | sort | head -1)
	[ -z "$link" ] || ln -sfn elsewhere "$link"
	mkdir -m 711 "$MNT/empty"
	echo dot > "$MNT/.dotfile"
	echo spaces > "$MNT/a name with  spaces "
	mkdir "$MNT/a dir with spaces" && echo x > "$MNT/a dir with spaces/x y"
	echo linked > "$MNT/one" && ln "$MNT/one" "$MNT/two"
	mkfifo -m 620 "$MNT/queue"
	mknod -m 660 "$MNT/device" c 240 7
	echo x > "$MNT/attributes" &&
	    setfattr -n user.colour -v blue "$MNT/attributes" &&
	    setfacl -m u:1234:r "$MNT/attributes"
	chmod 4755 "$MNT/one"
}

what_is_lost() {
	ok "$1: a box starts" boot || done_testing
	before=$(snap "$MNT")
	is "$1: an unchanged box is as its base" "$before" "$(snap "$BASE")"
	everything_once
	have=$(snap "$MNT")
	ok "$1: all of it is committed" cfg commit -m everything
	ok "$1: nothing is pending then" cfg status -q
	is "$1: a commit changes nothing" "$(snap "$MNT")" "$have"
	power_cut
	ok "$1: the box starts again" boot
	ok "$1: a deleted base file stays deleted" test ! -e "$gone"
	is "$1: a mode" "$(mode_of "$moded")" 604
	is "$1: an owner" "$(owner_of "$owned")" 1234:2345
	is "$1: a file that became a directory" "$(cat "$turned/in")" in
	is "$1: a symbolic link" "$(readlink "$MNT/link")" "some where/else"
	is "$1: an empty directory" "$(mode_of "$MNT/empty")" 711
	is "$1: a dotfile at the top" "$(cat "$MNT/.dotfile")" dot
	is "$1: a name with spaces" \
	    "$(cat "$MNT/a name with  spaces ")" spaces
	is "$1: hard links" "$(stat -c %h "$MNT/one")" 2
	is "$1: and the rest, to the last bit" "$(snap "$MNT")" "$have"
	ok "$1: nothing is pending after a start" cfg status -q
}

# No terminal, no environment, no standard input: as cron does it.
from_cron() {
	echo cron > "$MNT/from-cron"
	setsid env -i PATH=/usr/bin:/bin "$CFG" -m "$MNT" commit \
	    < /dev/null > /dev/null 2>&1
}

cron_saves() {
	ok "$1: a commit from cron, without a terminal" from_cron
	power_cut
	boot
	is "$1: is there" "$(cat "$MNT/from-cron" 2>&1)" cron
}

# A file is half copied when the power fails: the old one is there, whole;
# a commit is under way when it fails: the old one, or the new one, whole.
half_copied() {
	head -c 300000 /dev/urandom > "$T/old"
	head -c 300000 /dev/urandom > "$T/new"
	cp "$T/old" "$MNT/big" && cfg commit > /dev/null
	head -c 150000 "$T/new" > "$MNT/big"
	power_cut
	boot
	ok "$1: a half-copied file at a power cut" cmp "$T/old" "$MNT/big"
	bad='' old=0 new=0
	for delay in 0 0.004 0.008 0.012 0.016 0.024 0.032 0.048 0.064 0.1 0.2; do
		cp "$T/new" "$MNT/big"
		"$CFG" -m "$MNT" commit > /dev/null 2>&1 &
		sleep "$delay"
		kill -9 $! 2> /dev/null
		power_cut
		boot
		if cmp -s "$T/new" "$MNT/big"; then
			new=$((new + 1))
			cp "$T/old" "$MNT/big" && cfg commit > /dev/null
		elif cmp -s "$T/old" "$MNT/big"; then
			old=$((old + 1))
		else
			bad="$bad $delay"
		fi
	done
	diag "old $old times, new $new times"
	is "$1: a power cut in a commit leaves old or new, whole" "$bad" ""
}

# What is as in the base again follows the base of the next image.
follows_base() {
	f=$(pick 12)
	b=$BASE/${f#"$MNT"/}
	cp -p "$f" "$T/saved"
	echo changed >> "$f" && cfg commit > /dev/null
	power_cut
	boot
	is "$1: a change is there" "$(tail -1 "$f")" changed
	cp -p "$T/saved" "$f"
	ok "$1: made equal to the base again, it is committed" cfg commit
	power_cut
	echo "of the next image" >> "$b"
	boot
	is "$1: it follows the base of the next image" \
	    "$(tail -1 "$f")" "of the next image"
	power_cut
}

all_of() {
	rm -f "$STORE"
	"$CFG" init --size 4M "$STORE" > /dev/null
	what_is_lost "$1"
	cron_saves "$1"
	half_copied "$1"
	follows_base "$1"
}

cp -a /etc "$BASE"
find "$BASE" -type s -delete
all_of "this machine"

tar=$SHARED/data/freebsd-15.1-etc.tar.xz
if [ -f "$tar" ]; then
	rm -rf "$BASE"
	mkdir "$T/unpacked"
	xz -dc "$tar" | tar xf - -C "$T/unpacked"
	BASE=$T/unpacked
	while [ "$(find "$BASE" -mindepth 1 -maxdepth 1 | wc -l)" = 1 ]; do
		BASE=$(find "$BASE" -mindepth 1 -maxdepth 1)
	done
	all_of FreeBSD
fi
done_testing
