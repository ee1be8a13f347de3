#!/bin/sh
# sys-suid.sh: what a change does to setuid, setgid and capabilities is,
# through the view, what it does on the RAM disk.
. "$(dirname "$0")/sys.sh"
need_root
need_fuse

mkdir "$T/tree" "$T/view" "$T/ram"
chmod 777 "$T/tree" "$T/ram"
ok "the view is there" "$CFGFS" -o "tree=$T/tree,state=$T/state" "$T/view"

# user COMMAND...: as somebody who is of no group here.
user() {
	setpriv --reuid=1000 --regid=1000 --clear-groups -- "$@"
}

# change NAME MODE OWNER COMMAND...: a file of that mode, the command run
# on it, in the view and on the RAM disk: equal modes.
change() {
	what=$1 mode=$2 owner=$3
	shift 3
	for d in view ram; do
		printf 'some content\n' > "$T/$d/f"
		chown "$owner" "$T/$d/f"
		chmod "$mode" "$T/$d/f"
		(cd "$T/$d" && "$@") > /dev/null 2>&1
	done
	is "$what" "$(stat -c %a "$T/view/f")" "$(stat -c %a "$T/ram/f")"
	rm -f "$T/view/f" "$T/ram/f"
}

write='printf x >> f'
change "a user's write" 6777 0:0 user sh -c "$write"
change "a user's write, with setgid alone" 2767 0:0 user sh -c "$write"
change "a member's write, with setgid alone" 2767 0:1000 user sh -c "$write"
change "root's write" 6777 0:0 sh -c "$write"
change "a user's truncation" 6777 0:0 user truncate -s 1 f
change "a user's rewriting" 6777 0:0 user sh -c 'printf x > f'
change "a user's reserving of space" 6777 0:0 user fallocate -l 9999 f
change "a user's copy" 6777 0:0 user cp --reflink=auto /bin/true f
change "root's chown" 6777 0:0 chown 5:5 f
change "an owner's chgrp" 6777 1000:1000 user chgrp 1000 f
change "an owner's chmod to a group not his" 755 1000:50 user chmod 2755 f
change "an owner's ACL" 2755 1000:50 user setfacl -m u:7:r f

# The kernel's copy of the mode counts, too: no stat in between.
cp "$(command -v id)" "$T/view/id"
chmod 4777 "$T/view/id"
is "a program that a user wrote to is not run with its owner's rights" \
    "$(user sh -c "cd '$T/view' && dd if=id of=id bs=1 count=1 \
    conv=notrunc 2> /dev/null; ./id -u")" 1000

if command -v setcap > /dev/null; then
	for d in view ram; do
		cp /bin/true "$T/$d/cap"
		setcap cap_net_raw+ep "$T/$d/cap"
		getcap "$T/$d/cap" | grep -o 'cap_.*'
		printf x >> "$T/$d/cap"
		getcap "$T/$d/cap" | grep -o 'cap_.*'
		setcap cap_net_raw+ep "$T/$d/cap"
		truncate -s 99 "$T/$d/cap"
		getcap "$T/$d/cap" | grep -o 'cap_.*'
		echo end
	done > "$T/caps"
	is "capabilities go with a write and a truncation, even root's" \
	    "$(tr '\n' ' ' < "$T/caps")" \
	    "cap_net_raw=ep end cap_net_raw=ep end "
fi

mkdir "$T/view/d" "$T/ram/d"
for d in view ram; do
	chown 0:50 "$T/$d/d"
	chmod 2777 "$T/$d/d"
	(umask 0 && cd "$T/$d/d" && user mkdir x && user touch y &&
	    user mkfifo z && user ln -s y l)
done
is "a setgid directory hands its group down" \
    "$(cd "$T/view/d" && stat -c '%n %a %u %g' x y z l)" \
    "$(cd "$T/ram/d" && stat -c '%n %a %u %g' x y z l)"
for d in view ram; do
	setfacl -d -m u:7:rwx,g::r-x,o::--- "$T/$d/d"
	(umask 077 && cd "$T/$d/d" && mkdir ax && touch ay)
done
is "a default ACL takes the umask's place" \
    "$(cd "$T/view/d" && getfacl -cn ax ay)" \
    "$(cd "$T/ram/d" && getfacl -cn ax ay)"

done_testing
