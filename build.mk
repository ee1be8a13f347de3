# build.mk: how things are made.  Each folder lists its own in files.mk.

include config.mk
include lib/files.mk
include fs/files.mk
include sync/files.mk
include tools/files.mk
include hist/files.mk
include tests/files.mk
include boot/files.mk

CPPFLAGS = -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 -I. -DFUSE_USE_VERSION=312
CSTD = -std=c11

all: programs $(ALL_TESTS)

# What is installed.
PROGRAMS = $(FS_PROGS) $(TOOLS_PROGS) $(HIST_PROGS) $(NET_PROGS)
programs: $(PROGRAMS) $(COMPLETIONS)

.SUFFIXES: .c .o .t
.c.o:
	$(CC) $(CSTD) $(OPT) $(OPT_$(@D)) $(WARN) $(CPPFLAGS) $(FUSE_CFLAGS) $(NET_CFLAGS) -c -o $@ $<

# A change of any header makes all anew: it is a small program.
HDRS = config.h $(LIB_HDRS) $(FS_HDRS) $(SYNC_HDRS) $(TOOLS_HDRS) $(HIST_HDRS) $(TEST_HDRS)
$(LIB_OBJS) $(FS_OBJS) $(SYNC_OBJS) $(NET_OBJS) tools/main.o tools/users.o $(MIRROR_OBJS) $(TOOLS_OBJS) $(HIST_OBJS) $(TEST_OBJS) \
    $(VIEWOPS_OBJS) $(VIEWTOOL_OBJS) $(WHOLE_OBJS): $(HDRS)

lib/lib.a: $(LIB_OBJS)
	rm -f $@
	$(AR) rcs $@ $(LIB_OBJS)

sync/sync.a: $(SYNC_OBJS)
	rm -f $@
	$(AR) rcs $@ $(SYNC_OBJS)

sync/net.a: $(NET_OBJS)
	rm -f $@
	$(AR) rcs $@ $(NET_OBJS)

# The parts of cfg without its main, for the tests too.
tools/tools.a: $(TOOLS_OBJS)
	rm -f $@
	$(AR) rcs $@ $(TOOLS_OBJS)

fs/cfgfs: $(FS_OBJS) lib/lib.a
	$(CC) $(OPT) $(LDOPT) -o $@ $(FS_OBJS) lib/lib.a $(FUSE_LIBS)
	$(OBJCOPY) -R .comment $@

tools/cfg: tools/main.o tools/tools.a sync/sync.a lib/lib.a
	$(CC) $(OPT) $(LDOPT) -o $@ tools/main.o tools/tools.a sync/sync.a \
	    lib/lib.a $(Z_LIBS) $(MD_LIBS)
	$(OBJCOPY) -R .comment $@

# For a boot that has no libraries yet; it needs libz.a and libmd.a.
static: tools/cfg.static
tools/cfg.static: tools/main.o tools/users.o tools/tools.a sync/sync.a lib/lib.a
	$(CC) $(OPT) $(LDOPT) -static -o $@ tools/main.o tools/users.o \
	    tools/tools.a sync/sync.a lib/lib.a $(Z_LIBS) $(MD_LIBS)
	$(OBJCOPY) -R .comment $@

tools/cfg-more: tools/main.o $(MORE_OBJS) tools/tools.a sync/sync.a lib/lib.a
	$(CC) $(OPT) $(LDOPT) -o $@ tools/main.o $(MORE_OBJS) tools/tools.a \
	    sync/sync.a lib/lib.a $(Z_LIBS) $(MD_LIBS)
	$(OBJCOPY) -R .comment $@

tools/cfg-mirror: tools/main.o $(MIRROR_OBJS) tools/tools.a sync/net.a \
    sync/sync.a lib/lib.a
	$(CC) $(OPT) $(LDOPT) -o $@ tools/main.o $(MIRROR_OBJS) \
	    tools/tools.a sync/net.a sync/sync.a lib/lib.a $(NET_LIBS) \
	    $(Z_LIBS) $(MD_LIBS)
	$(OBJCOPY) -R .comment $@

# What shells complete is made of the table of verbs, by a program that runs
# where this is built.
tools/complete: tools/complete.c tools/verbs.c tools/becomemore.c $(HDRS)
	$(BUILD_CC) $(CSTD) $(WARN) -D_GNU_SOURCE -I. -o $@ tools/complete.c \
	    tools/verbs.c tools/becomemore.c
tools/completion/cfg.bash: tools/complete tools/completion/cfg.bash.in
	tools/complete sh > $@.table
	sed -e '/^#TABLE/r $@.table' -e '/^#TABLE/d' $@.in > $@
	rm $@.table
tools/completion/_cfg: tools/complete tools/completion/_cfg.in
	tools/complete sh > $@.table
	sed -e '/^#TABLE/r $@.table' -e '/^#TABLE/d' $@.in > $@
	rm $@.table
tools/completion/cfg.fish: tools/complete tools/completion/cfg.fish.in
	tools/complete fish > $@.table
	sed -e '/^#TABLE/r $@.table' -e '/^#TABLE/d' $@.in > $@
	rm $@.table

hist/cfg-hist: $(HIST_OBJS) tools/tools.a sync/sync.a lib/lib.a
	$(CC) $(OPT) $(LDOPT) -o $@ $(HIST_OBJS) tools/tools.a sync/sync.a \
	    lib/lib.a $(FUSE_LIBS) $(Z_LIBS) $(MD_LIBS)
	$(OBJCOPY) -R .comment $@

# What tests share.
tests/tests.a: $(TEST_LIB_OBJS)
	rm -f $@
	$(AR) rcs $@ $(TEST_LIB_OBJS)

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

# Pages of programs that are cfg, or that mount(8) knows by another name.
MAN_LINKS = cfg-more.8:cfg.8 cfg-mirror.8:cfg.8 cfg-hist.8:cfgfs.8 \
    mount.fuse.cfgfs.8:cfgfs.8
MAN = $(DESTDIR)$(PREFIX)/share/man

install: programs install-completions install-$(OSDEP)
	mkdir -p $(DESTDIR)$(PREFIX)/sbin $(MAN)/man8 $(MAN)/man5 \
	    $(DESTDIR)$(PREFIX)/libexec/cfgfs
	for p in $(PROGRAMS); do \
		install -m 755 $$p $(DESTDIR)$(PREFIX)/sbin && \
		$(STRIP) $(DESTDIR)$(PREFIX)/sbin/$${p##*/} || exit 1; \
	done
	install -m 644 fs/cfgfs.8 tools/cfg.8 $(MAN)/man8
	install -m 644 sync/cfgseal.5 sync/cfgstore.5 lib/cfgjournal.5 \
	    tools/cfgconfig.5 $(MAN)/man5
	for l in $(MAN_LINKS); do \
		ln -sf $${l#*:} $(MAN)/man8/$${l%:*} || exit 1; \
	done
	install -m 755 boot/cfgfs-shutdown boot/cfgfs-login \
	    $(DESTDIR)$(PREFIX)/libexec/cfgfs

# bash and fish read a file by the name of the program.
install-completions: $(COMPLETIONS)
	mkdir -p $(DESTDIR)$(PREFIX)/share/bash-completion/completions \
	    $(DESTDIR)$(PREFIX)/share/zsh/site-functions \
	    $(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d
	install -m 644 tools/completion/cfg.bash \
	    $(DESTDIR)$(PREFIX)/share/bash-completion/completions/cfg
	ln -sf cfg $(DESTDIR)$(PREFIX)/share/bash-completion/completions/cfgfs
	install -m 644 tools/completion/_cfg \
	    $(DESTDIR)$(PREFIX)/share/zsh/site-functions/_cfg
	install -m 644 tools/completion/cfg.fish \
	    $(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d/cfg.fish
	ln -sf cfg.fish \
	    $(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d/cfgfs.fish
