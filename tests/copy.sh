#!/bin/sh
# copy.sh DIR: a copy of the source tree in DIR, without what was built,
# so that it can be built another way and this tree stays as it is.
set -eu

cd "$(dirname "$0")/.."
tar cf - --exclude=.git --exclude='*.o' --exclude='*.a' --exclude='*.t' \
    --exclude=config.mk --exclude=config.h --exclude=fs/cfgfs \
    --exclude=tools/cfg . | tar xf - -C "$1"
