LIB_HDRS = lib/buf.h \
    lib/crc.h \
    lib/ctl.h \
    lib/ent.h \
    lib/err.h \
    lib/hash.h \
    lib/inst.h \
    lib/io.h \
    lib/jrn.h \
    lib/osdep.h \
    lib/osdisk.h \
    lib/osfs.h \
    lib/past.h \
    lib/path.h
LIB_OBJS = lib/buf.o \
    lib/crc.o \
    lib/ctl.o \
    lib/ent.o \
    lib/err.o \
    lib/hash.o \
    lib/inst.o \
    lib/io.o \
    lib/jrn.o \
    lib/$(OSDEP).o \
    lib/oscopy.o \
    lib/osfs.o \
    lib/osparts.o \
    lib/$(OSDEP)-box.o \
    lib/$(OSDEP)-disk.o \
    lib/$(OSDEP)-mnt.o \
    lib/path.o
