TOOLS_PROGS = tools/cfg tools/cfg-more
TOOLS_HDRS = \
    tools/after.h \
    tools/auto.h \
    tools/autoconf.h \
    tools/autoplan.h \
    tools/bg.h \
    tools/dur.h \
    tools/trial.h \
    tools/tstate.h \
    tools/apply.h \
    tools/attr.h \
    tools/back.h \
    tools/blame.h \
    tools/cand.h \
    tools/check.h \
    tools/checktab.h \
    tools/cfg.h \
    tools/conf.h \
    tools/confedit.h \
    tools/change.h \
    tools/copy.h \
    tools/derived.h \
    tools/entdiff.h \
    tools/fold.h \
    tools/gitout.h \
    tools/hook.h \
    tools/hist.h \
    tools/lease.h \
    tools/links.h \
    tools/message.h \
    tools/mirror.h \
    tools/mstate.h \
    tools/net.h \
    tools/netio.h \
    tools/out.h \
    tools/patt.h \
    tools/pend.h \
    tools/pers.h \
    tools/precommit.h \
    tools/push.h \
    tools/remote.h \
    tools/rules.h \
    tools/shutdown.h \
    tools/spawn.h \
    tools/tar.h \
    tools/textdiff.h \
    tools/towrite.h \
    tools/treediff.h \
    tools/trees.h \
    tools/walk.h \
    tools/wear.h \
    tools/work.h
TOOLS_OBJS = \
    tools/apply.o \
    tools/attr.o \
    tools/autoconf.o \
    tools/autoplan.o \
    tools/autosee.o \
    tools/autostate.o \
    tools/bg.o \
    tools/become.o \
    tools/becomemore.o \
    tools/blame.o \
    tools/cand.o \
    tools/candlink.o \
    tools/change.o \
    tools/cmd-diff.o \
    tools/cmd-log.o \
    tools/cmd-restore.o \
    tools/cmd-show.o \
    tools/cmd-status.o \
    tools/cmd-verify.o \
    tools/check.o \
    tools/checktab.o \
    tools/conf.o \
    tools/confedit.o \
    tools/copy.o \
    tools/derived.o \
    tools/dur.o \
    tools/entdiff.o \
    tools/fold.o \
    tools/hook.o \
    tools/gen.o \
    tools/hist.o \
    tools/lease.o \
    tools/links.o \
    tools/mstate.o \
    tools/other.o \
    tools/out.o \
    tools/patt.o \
    tools/pend.o \
    tools/pers.o \
    tools/reload.o \
    tools/rules.o \
    tools/run.o \
    tools/say.o \
    tools/spawn.o \
    tools/tar.o \
    tools/textdiff.o \
    tools/treediff.o \
    tools/trees.o \
    tools/tstate.o \
    tools/verbs.o \
    tools/walk.o \
    tools/wear.o \
    tools/wearcost.o \
    tools/work.o

# What changes something has a program of its own, so that the one which
# boots stays small; it and cfg-mirror are cfg with more.
MORE_OBJS = \
    tools/cmd-init.o \
    tools/auto.o \
    tools/autorun.o \
    tools/cmd-auto.o \
    tools/after.o \
    tools/cmd-trial.o \
    tools/trial.o \
    tools/trial-keep.o \
    tools/back.o \
    tools/backdo.o \
    tools/cmd-blame.o \
    tools/cmd-check.o \
    tools/cmd-commit.o \
    tools/cmd-export.o \
    tools/cmd-import.o \
    tools/cmd-revert.o \
    tools/cmd-wear.o \
    tools/cmd-rollback.o \
    tools/gitout.o \
    tools/message.o \
    tools/precommit.o \
    tools/shutdown.o \
    tools/towrite.o

# cfg with SSH, and the verb that needs it.
MIRROR_OBJS = \
    $(MORE_OBJS) \
    tools/cmd-mirror.o \
    tools/mirror-auto.o \
    tools/mirror-pull.o \
    tools/mirror-push.o \
    tools/mirror-status.o \
    tools/net.o \
    tools/netio.o \
    tools/netstore.o \
    tools/push.o
