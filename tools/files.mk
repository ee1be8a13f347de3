TOOLS_PROGS = tools/cfg
TOOLS_HDRS = \
    tools/apply.h \
    tools/attr.h \
    tools/cand.h \
    tools/cfg.h \
    tools/change.h \
    tools/copy.h \
    tools/derived.h \
    tools/entdiff.h \
    tools/fold.h \
    tools/hist.h \
    tools/links.h \
    tools/out.h \
    tools/patt.h \
    tools/pend.h \
    tools/pers.h \
    tools/tar.h \
    tools/textdiff.h \
    tools/trees.h \
    tools/walk.h \
    tools/work.h
TOOLS_OBJS = \
    tools/apply.o \
    tools/attr.o \
    tools/cand.o \
    tools/candlink.o \
    tools/change.o \
    tools/cmd-commit.o \
    tools/cmd-diff.o \
    tools/cmd-export.o \
    tools/cmd-import.o \
    tools/cmd-init.o \
    tools/cmd-log.o \
    tools/cmd-restore.o \
    tools/cmd-revert.o \
    tools/cmd-show.o \
    tools/cmd-status.o \
    tools/cmd-verify.o \
    tools/copy.o \
    tools/derived.o \
    tools/entdiff.o \
    tools/fold.o \
    tools/hist.o \
    tools/links.o \
    tools/out.o \
    tools/patt.o \
    tools/pend.o \
    tools/pers.o \
    tools/run.o \
    tools/say.o \
    tools/tar.o \
    tools/textdiff.o \
    tools/trees.o \
    tools/verbs.o \
    tools/walk.o \
    tools/work.o
