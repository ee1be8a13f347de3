#!/bin/sh
# Sourced by dracut, when all of the root is mounted.
cfgfs_boot=$NEWROOT/usr/local/libexec/cfgfs/cfgfs-boot
[ ! -x "$cfgfs_boot" ] || "$cfgfs_boot" restore "$NEWROOT"
unset cfgfs_boot
