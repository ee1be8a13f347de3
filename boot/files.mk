# What a boot reads, as it is installed: build.mk's install has the first of
# these, a package or an image whichever others its system needs.

install-osdep-freebsd:

# mount(8) finds cfgfs by that name, where it looks into this folder.
install-osdep-linux:
	mkdir -p $(DESTDIR)$(PREFIX)/libexec/cfgfs $(DESTDIR)$(PREFIX)/sbin
	install -m 755 boot/cfgfs-boot $(DESTDIR)$(PREFIX)/libexec/cfgfs
	ln -sf cfgfs $(DESTDIR)$(PREFIX)/sbin/mount.fuse.cfgfs

# What a boot of Linux reads.  The files have /usr/local for PREFIX, and lie
# where initramfs-tools, dracut and OpenRC look, whatever PREFIX is.
LINUX = boot/linux
IN_PREFIX = sed 's|/usr/local/|$(PREFIX)/|g'
UNITDIR = $(DESTDIR)$(PREFIX)/lib/systemd/system
IRTDIR = $(DESTDIR)/usr/share/initramfs-tools
DRACUTDIR = $(DESTDIR)/usr/lib/dracut/modules.d/90cfgfs
INITDIR = $(DESTDIR)/etc/init.d

install-systemd:
	mkdir -p $(UNITDIR)/etc.mount.d $(UNITDIR)/run-cfgfs-.mount.d
	for f in cfgfs-restore.service cfgfs.service cfgfs-shutdown.service; do \
	    $(IN_PREFIX) $(LINUX)/systemd/$$f > $(UNITDIR)/$$f && \
	    chmod 644 $(UNITDIR)/$$f || exit; done
	for d in etc.mount.d run-cfgfs-.mount.d; do \
	    install -m 644 $(LINUX)/systemd/cfgfs-keep.conf $(UNITDIR)/$$d \
	    || exit; done

install-initramfs:
	mkdir -p $(IRTDIR)/hooks $(IRTDIR)/scripts/init-bottom
	install -m 755 $(LINUX)/initramfs-tools/hook $(IRTDIR)/hooks/cfgfs
	$(IN_PREFIX) $(LINUX)/initramfs-tools/init-bottom \
	    > $(IRTDIR)/scripts/init-bottom/cfgfs
	chmod 755 $(IRTDIR)/scripts/init-bottom/cfgfs

install-dracut:
	mkdir -p $(DRACUTDIR)
	for f in module-setup.sh cfgfs-pre-pivot.sh; do \
	    $(IN_PREFIX) $(LINUX)/dracut/$$f > $(DRACUTDIR)/$$f && \
	    chmod 755 $(DRACUTDIR)/$$f || exit; done

install-openrc:
	mkdir -p $(INITDIR)
	for f in cfgfs-restore cfgfs cfgfs-shutdown; do \
	    $(IN_PREFIX) $(LINUX)/openrc/$$f > $(INITDIR)/$$f && \
	    chmod 755 $(INITDIR)/$$f || exit; done

# What FreeBSD has besides; RCDIR is /etc/rc.d in an image that starts the
# view before other file systems are looked at.
RCDIR = $(PREFIX)/etc/rc.d
install-freebsd:
	mkdir -p $(DESTDIR)$(RCDIR) $(DESTDIR)$(PREFIX)/sbin $(MAN)/man8
	for s in cfgfs cfgfs_shutdown; do \
		sed 's|^prefix="/usr/local"$$|prefix="$(PREFIX)"|' \
		    boot/freebsd/rc.d/$$s > $(DESTDIR)$(RCDIR)/$$s && \
		chmod 755 $(DESTDIR)$(RCDIR)/$$s || exit 1; \
	done
	ln -sf cfgfs $(DESTDIR)$(PREFIX)/sbin/mount_cfgfs
	ln -sf cfgfs.8 $(MAN)/man8/mount_cfgfs.8

# What a NanoBSD configuration takes, boot/nanobsd/README.md.
NANO_DIR = $(DESTDIR)$(PREFIX)/share/cfgfs/nanobsd
install-nanobsd:
	mkdir -p $(NANO_DIR)/rc.d
	install -m 644 boot/nanobsd/cfgfs.sh boot/nanobsd/README.md $(NANO_DIR)
	install -m 755 boot/nanobsd/extract boot/nanobsd/save_cfg \
	    boot/nanobsd/change_password boot/nanobsd/save_sshkeys \
	    boot/nanobsd/take_over_cfg $(NANO_DIR)
	install -m 555 boot/freebsd/rc.d/cfgfs boot/freebsd/rc.d/cfgfs_shutdown \
	    $(NANO_DIR)/rc.d
	test ! -f tools/cfg.static || \
	    install -s -m 755 tools/cfg.static $(NANO_DIR)
