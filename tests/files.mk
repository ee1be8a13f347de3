TEST_HDRS = tests/tap.h
TEST_LIB_OBJS = tests/tap.o
TEST_OBJS = $(TEST_LIB_OBJS) tests/lib.o \
    tests/textdiff.o
TEST_PROGS = tests/lib.t \
    tests/textdiff.t
