# build.mk: how things are made.  Each folder lists its own in files.mk.

include config.mk
include lib/files.mk
include fs/files.mk
include sync/files.mk
include tools/files.mk
include hist/files.mk
include tests/files.mk

CPPFLAGS = -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 -I. -DFUSE_USE_VERSION=312
CSTD = -std=c11

all: $(FS_PROGS) $(TOOLS_PROGS) $(HIST_PROGS) $(NET_PROGS) $(TEST_PROGS) $(TEST_TOOLS)

.SUFFIXES: .c .o .t
.c.o:
	$(CC) $(CSTD) $(OPT) $(OPT_$(@D)) $(WARN) $(CPPFLAGS) $(FUSE_CFLAGS) $(NET_CFLAGS) -c -o $@ $<

# A change of any header makes all anew: it is a small program.
HDRS = config.h $(LIB_HDRS) $(FS_HDRS) $(SYNC_HDRS) $(TOOLS_HDRS) $(HIST_HDRS) $(TEST_HDRS)
$(LIB_OBJS) $(FS_OBJS) $(SYNC_OBJS) $(NET_OBJS) tools/main.o $(MIRROR_OBJS) $(TOOLS_OBJS) $(HIST_OBJS) $(TEST_OBJS) \
    $(VIEWOPS_OBJS) $(VIEWTOOL_OBJS) $(WHOLE_OBJS): $(HDRS)

lib/lib.a: $(LIB_OBJS)
	rm -f $@
	ar rcs $@ $(LIB_OBJS)

sync/sync.a: $(SYNC_OBJS)
	rm -f $@
	ar rcs $@ $(SYNC_OBJS)

sync/net.a: $(NET_OBJS)
	rm -f $@
	ar rcs $@ $(NET_OBJS)

# The parts of cfg without its main, for the tests too.
tools/tools.a: $(TOOLS_OBJS)
	rm -f $@
	ar rcs $@ $(TOOLS_OBJS)

fs/cfgfs: $(FS_OBJS) lib/lib.a
	$(CC) $(OPT) $(LDOPT) -o $@ $(FS_OBJS) lib/lib.a $(FUSE_LIBS)
	objcopy -R .comment $@

tools/cfg: tools/main.o tools/tools.a sync/sync.a lib/lib.a
	$(CC) $(OPT) $(LDOPT) -o $@ tools/main.o tools/tools.a sync/sync.a \
	    lib/lib.a $(Z_LIBS) $(MD_LIBS)
	objcopy -R .comment $@

tools/cfg-more: tools/main.o $(MORE_OBJS) tools/tools.a sync/sync.a lib/lib.a
	$(CC) $(OPT) $(LDOPT) -o $@ tools/main.o $(MORE_OBJS) tools/tools.a \
	    sync/sync.a lib/lib.a $(Z_LIBS) $(MD_LIBS)
	objcopy -R .comment $@

tools/cfg-mirror: tools/main.o $(MIRROR_OBJS) tools/tools.a sync/net.a \
    sync/sync.a lib/lib.a
	$(CC) $(OPT) $(LDOPT) -o $@ tools/main.o $(MIRROR_OBJS) \
	    tools/tools.a sync/net.a sync/sync.a lib/lib.a $(NET_LIBS) \
	    $(Z_LIBS) $(MD_LIBS)
	objcopy -R .comment $@

hist/cfg-hist: $(HIST_OBJS) tools/tools.a sync/sync.a lib/lib.a
	$(CC) $(OPT) $(LDOPT) -o $@ $(HIST_OBJS) tools/tools.a sync/sync.a \
	    lib/lib.a $(FUSE_LIBS) $(Z_LIBS) $(MD_LIBS)
	objcopy -R .comment $@

# What tests share.
tests/tests.a: $(TEST_LIB_OBJS)
	rm -f $@
	ar rcs $@ $(TEST_LIB_OBJS)

# A test is one C file that gives TAP; it may use every library.
.o.t:
	$(CC) $(OPT) $(LDOPT) -o $@ $< tests/tests.a tools/tools.a \
	    $(NET_LIB) sync/sync.a lib/lib.a $(NET_LIBS) $(Z_LIBS) \
	    $(MD_LIBS) -lm
$(TEST_PROGS): tests/tests.a tools/tools.a $(NET_LIB) sync/sync.a lib/lib.a

# What the system tests drive.
tests/viewops: $(VIEWOPS_OBJS) tests/tests.a lib/lib.a
	$(CC) $(OPT) $(LDOPT) -o $@ $(VIEWOPS_OBJS) tests/tests.a lib/lib.a \
	    $(MD_LIBS)
tests/viewtool: $(VIEWTOOL_OBJS) tests/tests.a lib/lib.a
	$(CC) $(OPT) $(LDOPT) -o $@ $(VIEWTOOL_OBJS) tests/tests.a lib/lib.a \
	    $(MD_LIBS)
tests/whole: $(WHOLE_OBJS) tests/tests.a lib/lib.a
	$(CC) $(OPT) $(LDOPT) -o $@ $(WHOLE_OBJS) tests/tests.a lib/lib.a \
	    $(MD_LIBS)
tests/onpty: tests/onpty.o
	$(CC) $(OPT) $(LDOPT) -o $@ tests/onpty.o
tests/proxy: tests/proxy.o
	$(CC) $(OPT) $(LDOPT) -o $@ tests/proxy.o
tests/sshcat: tests/sshcat.o sync/net.a sync/sync.a lib/lib.a
	$(CC) $(OPT) $(LDOPT) -o $@ tests/sshcat.o sync/net.a sync/sync.a lib/lib.a \
	    $(NET_LIBS) $(MD_LIBS)

install: all install-$(OSDEP)
	mkdir -p $(DESTDIR)$(PREFIX)/sbin $(DESTDIR)$(PREFIX)/share/man/man8 \
	    $(DESTDIR)$(PREFIX)/share/man/man5
	install -s -m 755 $(FS_PROGS) $(TOOLS_PROGS) $(HIST_PROGS) \
	    $(NET_PROGS) $(DESTDIR)$(PREFIX)/sbin
	install -m 644 fs/cfgfs.8 tools/cfg.8 $(DESTDIR)$(PREFIX)/share/man/man8
	install -m 644 sync/cfgseal.5 sync/cfgstore.5 lib/cfgjournal.5 \
	    tools/cfgconfig.5 \
	    $(DESTDIR)$(PREFIX)/share/man/man5
	mkdir -p $(DESTDIR)$(PREFIX)/libexec/cfgfs
	install -m 755 boot/cfgfs-shutdown boot/cfgfs-login \
	    $(DESTDIR)$(PREFIX)/libexec/cfgfs

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
