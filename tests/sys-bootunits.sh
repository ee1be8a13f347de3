#!/bin/sh
# sys-bootunits.sh: what `make install-systemd' and the others of Linux install
# is where it is looked for, names what is installed, and is understood there.
. "$(dirname "$0")/sys.sh"
need_root
command -v systemd-analyze > /dev/null || skip_all "no systemd-analyze"

P=$T/prefix
D=$T/dest
UNITS=$P/lib/systemd/system
install() { make -C "$TOP" -f build.mk "$@"; }
has_prefix() { ! grep -r /usr/local "$1" && grep -rq "$P/libexec" "$1"; }

ok "units" install install-systemd DESTDIR= PREFIX="$P"
ok "initramfs-tools" install install-initramfs DESTDIR="$D" PREFIX="$P"
ok "dracut" install install-dracut DESTDIR="$D" PREFIX="$P"
ok "OpenRC" install install-openrc DESTDIR="$D" PREFIX="$P"
ok "another make has the same" bmake -C "$TOP" -f build.mk install-openrc \
    DESTDIR="$D" PREFIX="$P"
ok "units name the prefix" has_prefix "$UNITS"
ok "all others do" has_prefix "$D"
for f in usr/share/initramfs-tools/hooks/cfgfs \
    usr/share/initramfs-tools/scripts/init-bottom/cfgfs \
    usr/lib/dracut/modules.d/90cfgfs/cfgfs-pre-pivot.sh \
    etc/init.d/cfgfs etc/init.d/cfgfs-restore etc/init.d/cfgfs-shutdown; do
	ok "$f: a shell script" sh -n "$D/$f"
	ok "$f: can be run" [ -x "$D/$f" ]
done
ok "dracut's module is for bash" bash -n \
    "$D/usr/lib/dracut/modules.d/90cfgfs/module-setup.sh"
is "a hook has to say what goes before it" \
    "$(sh "$D/usr/share/initramfs-tools/hooks/cfgfs" prereqs)" ""
is "so has a script" \
    "$(sh "$D/usr/share/initramfs-tools/scripts/init-bottom/cfgfs" prereqs)" ""

mkdir -p "$P/libexec/cfgfs"
cp "$TOP/boot/cfgfs-boot" "$TOP/boot/cfgfs-shutdown" "$P/libexec/cfgfs"
for u in cfgfs-restore cfgfs cfgfs-shutdown; do
	w=$(sed -n 's/^WantedBy=//p' "$UNITS/$u.service")
	mkdir -p "$UNITS/$w.wants"
	ln -s "../$u.service" "$UNITS/$w.wants/"
done
# What it says of other units depends on the machine.
verify() {
	SYSTEMD_UNIT_PATH=$UNITS: systemd-analyze verify --man=no "$@" 2>&1 |
	    grep -E 'cfgfs|cycle'
}
for u in cfgfs-restore cfgfs cfgfs-shutdown; do
	is "$u.service: systemd finds no fault" "$(verify "$UNITS/$u.service")" ""
done
is "and no cycle in a boot with them" "$(verify default.target)" ""
sed 's/^After=/&sysinit.target /' "$UNITS/cfgfs-restore.service" \
    > "$T/unit" && cp "$T/unit" "$UNITS/cfgfs-restore.service"
like "as it would where there is one" "$(verify default.target)" 'cycle'
done_testing
