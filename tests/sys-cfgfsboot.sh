#!/bin/sh
# sys-cfgfsboot.sh: what a boot of Linux runs: from an initramfs to the view,
# and again.
. "$(dirname "$0")/sys.sh"
need_root
need_fuse
. "$(dirname "$0")/bootbox.sh"

for k in klibc busybox; do
	kind "$k"
	restart
	ok "$k: a boot" by_hook
	is "$k: has nothing to say" "$out$err" ""
	is "$k: /etc is what was committed" "$(tree "$ROOT/etc")" "$second"
	is "$k: what is kept" "$(cat "$I$KEPT")" "store=$dev
rc=0
cfgfs: /etc is restored from $dev"
	not_ok "$k: the root can't be written to" touch "$ROOT/file"
	is "$k: the base is the image's" "$(snap "$I/run/cfgfs/etc/base")" \
	    "$(snap "$LOW/etc")"
	ok "$k: an overlay can" sh -c "echo up > '$ROOT/var/file'"
	is "$k: and leaves what is below it" \
	    "$(cat "$ROOT/var/file" "$LOW/var/file")" "up
low"
	is "$k: it has the mode of what it covers" \
	    "$(stat -c %a "$ROOT/root")" 700
	is "$k: nothing else is left in the root" \
	    "$(findmnt -rno TARGET -R "$ROOT" | sed "s|^$ROOT||" | sort | tr '\n' ' ')" \
	    " /etc /root /usr /var "
	before=$(mounts)
	ok "$k: a second run" restore
	is "$k: does nothing" "$out$err$(mounts)" "$before"

	pivot
	ok "$k: the view" view
	is "$k: it says what was said" "$out$err" \
	    "cfgfs: /etc is restored from $dev"
	is "$k: it is there" \
	    "$(findmnt -rno FSTYPE,SOURCE "$ROOT/etc" | tail -1)" \
	    "fuse.cfgfs $dev"
	not_ok "$k: the base can't be written to" \
	    touch "$ROOT/run/cfgfs/etc/base/file"
	before=$(mounts)
	ok "$k: a second one" view
	is "$k: does nothing" "$out$err$(mounts)" "$before"
	echo "$k" > "$ROOT/etc/motd"
	like "$k: a change is seen" "$(in_root cfg status)" '^A motd'
	ok "$k: and committed" in_root cfg commit -m motd
	restart
	restore
	is "$k: and there with the next boot" "$(cat "$ROOT/etc/motd")" "$k"
	again
done

# ---- no initramfs, and an init that has mounts seen everywhere
restart
pivot
mount --make-rshared "$ROOT"
conf "STORE=$dev"
ok "in the root itself, shared" in_root "$PROG" restore
is "has nothing to say" "$out$err" ""
is "/etc is what was committed" "$(tree "$ROOT/etc")" "$second"
ok "the view" view
only() { findmnt -rno TARGET,FSTYPE -R "$ROOT" | sed "s|^$ROOT||" | grep cfgfs | sort; }
is "base and tree are as they were" "$(only)" "/etc fuse.cfgfs
/run/cfgfs/etc tmpfs
/run/cfgfs/etc/base ext2"
is "the base is the image's" "$(snap "$ROOT/run/cfgfs/etc/base")" \
    "$(snap "$LOW/etc")"
restart
pivot
umount -R "$ROOT/run"
ok "no /run yet" in_root "$PROG" restore
ok "then there is one" mountpoint -q "$ROOT/run"
is "and all is restored" "$(tree "$ROOT/etc")" "$second"
done_testing
