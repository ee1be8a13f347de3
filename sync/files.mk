SYNC_HDRS = sync/store.h \
    sync/append.h \
    sync/steps.h \
    sync/confine.h \
    sync/far.h \
    sync/keys.h \
    sync/mirror.h \
    sync/mirror-int.h \
    sync/seal.h \
    sync/seal-int.h \
    sync/sftp.h \
    sync/sftp-int.h \
    sync/ssh.h \
    sync/stream.h \
    sync/url.h \
    sync/agent.h \
    sync/ask.h \
    sync/b64.h \
    sync/hello.h \
    sync/hostkey.h \
    sync/keyfile.h \
    sync/pump.h \
    sync/ssh-int.h \
    sync/sshwire.h \
    sync/delta.h \
    sync/draft.h \
    sync/meta-int.h \
    sync/slice.h \
    sync/store-int.h \
    sync/z.h \
    sync/zz.h
SYNC_OBJS = sync/slice.o \
    sync/area.o \
    sync/blob.o \
    sync/commit.o \
    sync/create.o \
    sync/delta.o \
    sync/draft.o \
    sync/hidden.o \
    sync/history.o \
    sync/keep.o \
    sync/meta.o \
    sync/mirror.o \
    sync/mirror-look.o \
    sync/mirror-cmp.o \
    sync/mirror-copy.o \
    sync/mirror-scan.o \
    sync/mirror-send.o \
    sync/mirror-snap.o \
    sync/note.o \
    sync/open.o \
    sync/overlay.o \
    sync/parse.o \
    sync/record.o \
    sync/steps.o \
    sync/super.o \
    sync/url.o \
    sync/urlis.o \
    sync/verify.o \
    sync/z.o

# What only cfg-mirror needs: other hosts, libssh2, libsodium.
NET_OBJS = sync/agent.o \
    sync/ask.o \
    sync/auth.o \
    sync/b64.o \
    sync/confine.o \
    sync/dial.o \
    sync/far.o \
    sync/hello.o \
    sync/hostkey.o \
    sync/keyfile.o \
    sync/keys.o \
    sync/known.o \
    sync/pump.o \
    sync/seal.o \
    sync/seal-check.o \
    sync/seal-key.o \
    sync/seal-map.o \
    sync/seal-open.o \
    sync/seal-read.o \
    sync/seal-write.o \
    sync/sftp.o \
    sync/sftp-ans.o \
    sync/sftp-file.o \
    sync/ssh.o \
    sync/sshwire.o \
    sync/stream.o
