# vm.sh: a virtual machine whose disk forgets what was not flushed when its
# power is cut.  POSIX sh, read by boot.sh.
#
#	vm_probe	$accel: kvm where a guest really runs under it, or tcg
#	vm_start WORDS	start, with WORDS more on the kernel's command line;
#			its store is $disk (none where $disk is empty), what
#			it says on its console is in $T/console
#	vm_wait		until it lets us in; $boot_ms since vm_start.  2: it
#			did not even come to its root
#	vm_boot WORDS	both
#	vm_ssh COMMAND	run it there
#	vm_acks		how many entries its log of writes has: $entries
#	vm_kill		the power goes: kill -9.  $disk is still what it was
#			before the start, and $T/log has all since
#	vm_cut N SEED FILE
#			make FILE what $disk is when power goes in entry N
# shellcheck shell=sh disable=SC2034

vm_pid=
vm_limit=300		# seconds until ssh has to let us in
vm_hang=150		# and until the guest's own kernel has its root

# A boot sector that writes 1 to the port by which a guest ends qemu.
vm_probe() {
	{
		printf '\260\001\346\364\364'
		head -c 505 /dev/zero
		printf '\125\252'
	} > "$T/sector"
	accel=tcg
	timeout 20 qemu-system-x86_64 -accel kvm -M pc -m 32 -nodefaults \
	    -display none -no-reboot \
	    -device isa-debug-exit,iobase=0xf4,iosize=1 \
	    -drive "file=$T/sector,format=raw,if=floppy,readonly=on" \
	    > "$T/probe" 2>&1
	[ $? != 3 ] || accel=kvm
}

vm_now() { date +%s%3N; }

# Quiet, and without what takes long where it is emulated.
vm_words='console=ttyS0 root=/dev/vda ro quiet loglevel=3 net.ifnames=0
noresume fastboot systemd.show_status=0 cryptomgr.notests=1
random.trust_cpu=on ipv6.disable=1 audit=0 apparmor=0 selinux=0
lsm=capability init_on_alloc=0 rcupdate.rcu_expedited=1 nowatchdog
8250.nr_uarts=1 nokaslr mitigations=off tsc=reliable no_timer_check'

vm_start() {
	: > "$T/console"
	rm -f "$T/log" "$T/run" "$T/ctl"
	cpu=max
	[ "$accel" != kvm ] || cpu=host
	set -- -accel "$accel" -cpu "$cpu" -M pc,usb=off -smp 2 -m 384 \
	    -nodefaults -display none -monitor none -no-reboot \
	    -serial "file:$T/console" -kernel "$T/vmlinuz" \
	    -initrd "$T/initrd" -append "$(echo "$vm_words $*" | tr '\n' ' ')" \
	    -blockdev "driver=file,node-name=root,filename=$T/root.img,read-only=on" \
	    -device virtio-blk-pci,drive=root -device virtio-rng-pci \
	    -device virtio-net-pci,netdev=net
	if [ -n "$disk" ]; then
		cp "$disk" "$T/run"
		truncate -s 64M "$T/log"
		set -- "$@" \
		    -blockdev "driver=file,node-name=file,filename=$T/run" \
		    -blockdev "driver=file,node-name=log,filename=$T/log" \
		    -blockdev driver=blklogwrites,node-name=store,file=file,log=log,log-super-update-interval=1 \
		    -device virtio-blk-pci,drive=store
	fi
	vm_began=$(vm_now)
	# It is up, or has failed, when this returns; the port may be another's.
	for vm_attempt in 1 2 3 4 5; do
		vm_port=$(shuf -i 20000-32000 -n 1)
		qemu-system-x86_64 "$@" -daemonize -pidfile "$T/pid" -netdev \
		    "user,id=net,restrict=on,hostfwd=tcp:127.0.0.1:$vm_port-:22" \
		    > "$T/qemu" 2>&1 < /dev/null && {
			vm_pid=$(cat "$T/pid")
			return 0
		}
	done
	sed 's/^/# /' "$T/qemu"
	return 1
}

# vm_ended SECONDS: it has, in that time.
vm_ended() { timeout "$1" tail -f --pid="$vm_pid" -s 0.05 /dev/null; }

vm_ssh() {
	timeout -k 5 "${SSH_LIMIT:-120}" ssh -F none -i "$T/key" \
	    -o IdentitiesOnly=yes -o BatchMode=yes -o LogLevel=ERROR \
	    -o "UserKnownHostsFile=$T/known_hosts" \
	    -o HostKeyAlias=box -o StrictHostKeyChecking=yes \
	    -o ConnectTimeout=20 -o KexAlgorithms=curve25519-sha256 -o ControlMaster=auto \
	    -o "ControlPath=$T/ctl" -o ControlPersist=60 \
	    -p "$vm_port" root@127.0.0.1 "$@" < /dev/null
}

# vm_says WORDS SECONDS: its console does, in that time.
vm_says() {
	timeout "$2" tail -n +1 -f --pid="$vm_pid" -s 0.1 "$T/console" |
	    grep -q -e "$1"
}

# Who connects too early waits for nothing, and then begins anew: so not
# before the guest says on its console that its sshd listens.
vm_wait() {
	vm_says 'boottest: root' "$vm_hang" || return 2
	if ! vm_says 'boottest: up' "$vm_limit" ||
	    ! vm_ssh true 2> "$T/ssh"; then
		tail -n 5 "$T/console" "$T/ssh" | sed 's/^/# /'
		return 1
	fi
	boot_ms=$(($(vm_now) - vm_began))
}

# Start, and wait.  An emulated kernel that hangs before it has a root says
# nothing of cfgfs, of which nothing has run then: that is said, and again.
vm_boot() {
	for vm_try in 1 2 3; do
		vm_start "$@" || return
		vm_wait
		vm_rc=$?
		[ "$vm_rc" = 2 ] || return "$vm_rc"
		echo "# start $vm_try: the kernel came to no root:" \
		    "$(tail -n 1 "$T/console")"
		vm_kill
	done
	return 1
}

vm_acks() { read -r entries rest <<X
$("$T/wlog" count "$T/log")
X
}

vm_kill() {
	[ -n "$vm_pid" ] || return 0
	kill -9 "$vm_pid" 2> /dev/null
	vm_ended 60
	vm_pid=
	ssh -F none -o "ControlPath=$T/ctl" -O exit box 2> /dev/null
	rm -f "$T/ctl"
	return 0
}

vm_cut() {
	cp "$disk" "$3" && "$T/wlog" cut "$T/log" "$1" "$2" "$3"
}
