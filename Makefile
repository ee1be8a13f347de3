# cfgfs.  Works with GNU make and with bmake; build.mk has the rules, once
# configure has written config.mk.

all: config.mk
	$(MAKE) -f build.mk all

config.mk: configure
	./configure

# Install what building and testing need.
deps:
	sh tests/deps.sh

check: deps
	$(MAKE) all
	sh tests/check.sh

demo: deps
	$(MAKE) all
	sh tests/demo.sh

# Figures for BENCHMARKS.md; not a test.
bench: deps
	$(MAKE) all
	sh tests/bench/bench.sh

# A thousand boxes that push to one server.
check-thousand: deps
	$(MAKE) all
	sh tests/deps.sh bench
	sh tests/thousand.sh

# A virtual machine that boots with cfgfs, and power cuts.
check-boot: deps
	$(MAKE) all
	sh tests/boot/boot.sh

# Long runs, not part of check.
soak: deps
	$(MAKE) all
	sh tests/soak.sh

# Whether the store's tests would notice: its rules, taken out one by one.
mutants: deps
	sh tests/mutants.sh

lint: deps
	sh tests/lint.sh

# For arm64 and armhf, with Debian's cross compilers, and run by qemu.
check-cross: deps
	sh tests/cross.sh

# Debian's packages, built and installed in a fresh Debian; minutes.
check-packages: deps
	sh tests/packages.sh

# Against FreeBSD's headers in FREEBSD_SYSROOT, where there are some.
check-freebsd:
	sh tests/check-freebsd.sh

install: config.mk
	$(MAKE) -f build.mk install

# cfg without libraries, for a boot: tools/cfg.static.
static: config.mk
	$(MAKE) -f build.mk static

# Parts for a package or an image: what shells complete, what a boot reads.
INSTALLS = install-completions install-systemd install-initramfs \
    install-dracut install-openrc install-freebsd install-nanobsd
$(INSTALLS): config.mk
	$(MAKE) -f build.mk $@

clean:
	rm -f config.mk config.h lib/*.o fs/*.o sync/*.o tools/*.o hist/*.o tests/*.o
	rm -f lib/*.a sync/*.a tools/*.a tests/*.a tests/*.t
	rm -f fs/cfgfs tools/cfg tools/cfg.static tools/cfg-more tools/cfg-mirror hist/cfg-hist
	rm -f tools/complete tools/completion/cfg.bash tools/completion/_cfg \
	    tools/completion/cfg.fish
	rm -f tests/viewops tests/viewtool tests/whole tests/bench/opsbench \
	    tests/bench/histstore
	rm -f tests/onpty tests/proxy tests/sshcat

.PHONY: all deps check check-boot check-cross check-freebsd check-packages \
    check-thousand demo bench soak mutants lint static install $(INSTALLS) clean
