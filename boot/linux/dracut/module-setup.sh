#!/bin/bash
# 90cfgfs: /etc is restored before the switch to the root.  The work itself
# is done in a chroot of the root, by what is there.
# dracut(8) reads this, and has set what is not set here.
# shellcheck disable=SC2154

check() {
	[[ -x $dracutsysrootdir/usr/local/libexec/cfgfs/cfgfs-boot ]]
}

depends() {
	echo base
}

installkernel() {
	hostonly='' instmods overlay
}

install() {
	inst_multiple sh cat chroot mkdir mount mv umount
	inst_hook pre-pivot 50 "$moddir/cfgfs-pre-pivot.sh"
}
