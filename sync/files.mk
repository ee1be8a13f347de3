SYNC_HDRS = sync/store.h sync/slice.h
SYNC_OBJS = sync/slice.o
