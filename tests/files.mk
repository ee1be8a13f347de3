TEST_HDRS = \
    tests/sftpkit.h \
    tests/sftpcase.h \
    tests/copykit.h \
    tests/mirkit.h \
    tests/cut.h \
    tests/fuzzrun.h \
    tests/sealkit.h \
    tests/simio.h \
    tests/storekit.h \
    tests/box.h \
    tests/tap.h \
    tests/tree.h \
    tests/viewcases.h \
    tests/viewcmp.h \
    tests/viewops.h \
    tests/viewtool.h \
    tests/whole.h \
    tests/drive.h \
    tests/gen.h \
    tests/genop.h \
    tests/hist.h
TEST_LIB_OBJS = \
    tests/sftpuse.o \
    tests/sftpkit.o \
    tests/sftpcase.o \
    tests/copykit.o \
    tests/mirkit.o \
    tests/box.o \
    tests/sealkit.o \
    tests/cut.o \
    tests/fuzzrun.o \
    tests/simio.o \
    tests/storekit.o \
    tests/tap.o \
    tests/tree.o \
    tests/drive.o \
    tests/drivenote.o \
    tests/gen.o \
    tests/genop.o \
    tests/hist.o
TEST_OBJS = \
    $(TEST_LIB_OBJS) \
    tests/copyodd.o \
    tests/copycrash.o \
    tests/copies.o \
    tests/mirrorfill.o \
    tests/fuzzmirror.o \
    tests/mirrorcrash.o \
    tests/mirror.o \
    tests/apply.o \
    tests/check.o \
    tests/autoconf.o \
    tests/autoplan.o \
    tests/blame.o \
    tests/ctl.o \
    tests/ent.o \
    tests/entdiff.o \
    tests/fuzzjrn.o \
    tests/fuzzpeer.o \
    tests/peerconf.o \
    tests/golden.o \
    tests/inst.o \
    tests/io.o \
    tests/jrn.o \
    tests/lib.o \
    tests/merge3.o \
    tests/osdep.o \
    tests/patt.o \
    tests/pend.o \
    tests/pendrand.o \
    tests/pers.o \
    tests/reload.o \
    tests/rebase.o \
    tests/rules.o \
    tests/setup.o \
    tests/setupdo.o \
    tests/sim.o \
    tests/slice.o \
    tests/spawn.o \
    tests/store.o \
    tests/storebad.o \
    tests/storesize.o \
    tests/tar.o \
    tests/textdiff.o \
    tests/crash.o \
    tests/fault.o \
    tests/flip.o \
    tests/fuzzseal.o \
    tests/fuzzstore.o \
    tests/model.o \
    $(NET_TEST_OBJS) \
    tests/onpty.o \
    tests/sshcat.o
TEST_PROGS = \
    tests/copyodd.t \
    tests/copycrash.t \
    tests/copies.t \
    tests/mirrorfill.t \
    tests/fuzzmirror.t \
    tests/mirrorcrash.t \
    tests/mirror.t \
    tests/apply.t \
    tests/check.t \
    tests/autoconf.t \
    tests/autoplan.t \
    tests/blame.t \
    tests/ctl.t \
    tests/ent.t \
    tests/entdiff.t \
    tests/fuzzjrn.t \
    tests/fuzzpeer.t \
    tests/peerconf.t \
    tests/golden.t \
    tests/inst.t \
    tests/io.t \
    tests/jrn.t \
    tests/lib.t \
    tests/merge3.t \
    tests/osdep.t \
    tests/patt.t \
    tests/pend.t \
    tests/pendrand.t \
    tests/pers.t \
    tests/reload.t \
    tests/rebase.t \
    tests/rules.t \
    tests/setup.t \
    tests/setupdo.t \
    tests/sim.t \
    tests/slice.t \
    tests/spawn.t \
    tests/store.t \
    tests/storebad.t \
    tests/storesize.t \
    tests/tar.t \
    tests/textdiff.t \
    tests/crash.t \
    tests/fault.t \
    tests/flip.t \
    tests/fuzzseal.t \
    tests/fuzzstore.t \
    tests/model.t \
    $(NET_TESTS_$(NET))
# What is of cfg-mirror alone, where that is built (NET is yes).
NET_TEST_OBJS = \
    tests/sealmir.o \
    tests/fuzzsftp.o \
    tests/far.o \
    tests/sftpfail.o \
    tests/sftpbad.o \
    tests/sealbad.o \
    tests/seal.o \
    tests/conf.o \
    tests/confine.o \
    tests/fuzzhello.o \
    tests/fuzzknown.o \
    tests/fuzzurl.o \
    tests/known.o \
    tests/proxy.o \
    tests/sftp.o \
    tests/url.o
NET_TESTS_yes = \
    tests/sealmir.t \
    tests/fuzzsftp.t \
    tests/far.t \
    tests/sftpfail.t \
    tests/sftpbad.t \
    tests/sealbad.t \
    tests/seal.t \
    tests/conf.t \
    tests/confine.t \
    tests/fuzzhello.t \
    tests/fuzzknown.t \
    tests/fuzzurl.t \
    tests/known.t \
    tests/sftp.t \
    tests/url.t
NET_TOOLS_yes = \
    tests/onpty \
    tests/proxy \
    tests/sshcat
WHOLE_OBJS = \
    tests/whole.o \
    tests/whole-draw.o \
    tests/whole-ops.o \
    tests/whole-tree.o
VIEWOPS_OBJS = \
    tests/viewcases.o \
    tests/viewcmp.o \
    tests/viewdraw.o \
    tests/viewio.o \
    tests/viewnames.o \
    tests/viewops.o \
    tests/viewperm.o \
    tests/viewrun.o \
    tests/viewspec.o
VIEWTOOL_OBJS = \
    tests/viewcmp.o \
    tests/viewcover.o \
    tests/viewdraw.o \
    tests/viewload.o \
    tests/viewmany.o \
    tests/viewreq.o \
    tests/viewrun.o \
    tests/viewtool.o
TEST_TOOLS = \
    tests/viewops \
    tests/viewtool \
    tests/whole \
    $(NET_TOOLS_$(NET))
