TEST_HDRS = tests/tap.h \
    tests/cut.h \
    tests/simio.h
TEST_LIB_OBJS = tests/tap.o \
    tests/cut.o \
    tests/simio.o
TEST_OBJS = $(TEST_LIB_OBJS) tests/lib.o \
    tests/ent.o \
    tests/inst.o \
    tests/io.o \
    tests/patt.o \
    tests/sim.o \
    tests/textdiff.o
TEST_PROGS = tests/lib.t \
    tests/ent.t \
    tests/inst.t \
    tests/io.t \
    tests/patt.t \
    tests/sim.t \
    tests/textdiff.t
