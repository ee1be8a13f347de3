TOOLS_PROGS = tools/cfg
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
    tools/entdiff.o \
    tools/out.o \
    tools/patt.o \
    tools/run.o \
    tools/say.o \
    tools/textdiff.o \
    tools/verbs.o \
    tools/walk.o
