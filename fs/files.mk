FS_PROGS = fs/cfgfs
FS_HDRS = fs/ctl.h \
    fs/guard.h \
    fs/hold.h \
    fs/log.h \
    fs/node.h \
    fs/past.h \
    fs/seg.h \
    fs/start.h \
    fs/sys.h \
    fs/touch.h \
    fs/view.h \
    fs/wire.h
FS_OBJS = fs/ctl.o \
    fs/fd.o \
    fs/guard.o \
    fs/hold.o \
    fs/log.o \
    fs/main.o \
    fs/node.o \
    fs/op-attr.o \
    fs/op-data.o \
    fs/op-dir.o \
    fs/op-name.o \
    fs/op-xattr.o \
    fs/opts.o \
    fs/$(OSDEP).o \
    fs/past.o \
    fs/seg.o \
    fs/start.o \
    fs/touch.o \
    fs/view.o \
    fs/wire.o
