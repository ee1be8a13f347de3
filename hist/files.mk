HIST_PROGS = hist/cfg-hist
HIST_HDRS = hist/gens.h \
    hist/hnode.h \
    hist/hops.h
HIST_OBJS = hist/gens.o \
    hist/hnode.o \
    hist/hops.o \
    hist/list.o \
    hist/main.o
