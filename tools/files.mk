TOOLS_PROGS =
TOOLS_HDRS = \
    tools/cfg.h \
    tools/derived.h \
    tools/entdiff.h \
    tools/out.h \
    tools/patt.h \
    tools/pend.h \
    tools/pers.h \
    tools/textdiff.h \
    tools/walk.h \
    tools/work.h
TOOLS_OBJS = \
    tools/derived.o \
    tools/patt.o \
    tools/textdiff.o \
    tools/walk.o
