# sshd.sh: a real sshd on loopback for the system tests.  Sourced behind
# sys.sh, after need_root: it wants the private namespaces.
#
#	sshd_start DIR PORT [LINE ...]
#		make DIR where it is not there (keys and files stay over a
#		restart), start sshd on 127.0.0.1 and ::1 (where there is
#		one), wait until it listens.  Each LINE goes in front of the
#		configuration, so that it wins; no Match.  1: it did not start.
#	sshd_stop DIR	end it and every session of it, and wait for that
#	free_port	print a port on which nothing listens
#
# What a server of a NanoBSD box would have: one user `mirror` who can do
# nothing but SFTP (ForceCommand internal-sftp), confined to a directory.
#
#	DIR/root	the server's directory, which the user sees as /
#	DIR/root/store	in it, the user's own
#	DIR/key		the user's key, ed25519, without a passphrase
#	DIR/authorized_keys	may be added to
#	DIR/known_hosts	the host's keys, as [127.0.0.1]:PORT
#	DIR/host_TYPE	the host's keys; SSHD_KEYS are the types (default
#			"ed25519 ecdsa") of a server that is first started
#	DIR/log		what sshd says
#	SSHD_SFTP=no	while sshd_start runs: a server without SFTP
#	SSHD_SHELL=yes	while sshd_start runs: root's, neither confined nor
#			forced to SFTP, for what else copies over SSH
#
# The URL is then sftp://mirror@127.0.0.1:PORT/store/NAME.
# shellcheck shell=sh disable=SC2154

free_port() {
	while :; do
		# Below the range that the kernel gives to clients.
		sshd_p=$(awk -v s="$$$(date +%N)" 'BEGIN { srand(s % 2147483647)
		    print 20000 + int(rand() * 12000) }')
		sshd_hex=$(printf ':%04X ' "$sshd_p")
		cat /proc/net/tcp /proc/net/tcp6 2> /dev/null |
		    grep -q "$sshd_hex" || break
	done
	echo "$sshd_p"
}

# The user, in a private /etc/passwd; /etc itself stays as it is.
sshd_user() {
	! getent passwd mirror > /dev/null || return 0
	sed '/^mirror:/d' /etc/passwd > "$T/passwd"
	echo 'mirror:*:7770:7770:mirror:/:/bin/sh' >> "$T/passwd"
	sed '/^mirror:/d' /etc/group > "$T/group"
	echo 'mirror:*:7770:' >> "$T/group"
	# Some systems have sshd's own user only where it is installed.
	grep -q '^sshd:' "$T/passwd" ||
	    echo 'sshd:*:7771:7770:sshd:/run/sshd:/bin/false' >> "$T/passwd"
	mount --bind "$T/passwd" /etc/passwd &&
	    mount --bind "$T/group" /etc/group
}

sshd_make() {
	mkdir -p "$1/root/store" && chown mirror: "$1/root/store" || return 1
	[ -f "$1/key" ] ||
	    ssh-keygen -q -t ed25519 -N '' -C mirror -f "$1/key" || return 1
	[ -f "$1/authorized_keys" ] || cp "$1/key.pub" "$1/authorized_keys"
	set -- "$1" "$1"/host_*
	[ ! -f "$2" ] || return 0
	for sshd_k in ${SSHD_KEYS:-ed25519 ecdsa}; do
		ssh-keygen -q -t "$sshd_k" -N '' -C host \
		    -f "$1/host_$sshd_k" || return 1
	done
}

# sshd_config DIR PORT [LINE ...]
sshd_config() {
	sshd_d=$1 sshd_port=$2
	shift 2
	for sshd_l in "$@"; do
		echo "$sshd_l"
	done
	for sshd_k in "$sshd_d"/host_*[!b]; do
		echo "HostKey $sshd_k"
	done
	echo "Port $sshd_port"
	echo "ListenAddress 127.0.0.1"
	! grep -q . /proc/net/if_inet6 || echo "ListenAddress ::1"
	cat <<C
PidFile $sshd_d/pid
AuthorizedKeysFile $sshd_d/authorized_keys
StrictModes no
UsePAM no
UseDNS no
PasswordAuthentication no
KbdInteractiveAuthentication no
LogLevel VERBOSE
C
	if [ "${SSHD_SHELL:-}" = yes ]; then
		echo "AllowUsers root"
		echo "PermitRootLogin prohibit-password"
		echo "Subsystem sftp internal-sftp"
		return
	fi
	echo "AllowUsers mirror"
	echo "ChrootDirectory /run/sftp.$sshd_port"
	if [ "${SSHD_SFTP:-}" = no ]; then
		echo "ForceCommand /bin/false"
	else
		echo "Subsystem sftp internal-sftp"
		echo "ForceCommand internal-sftp"
	fi
}

sshd_listens() {
	grep -q 'Server listening on 127.0.0.1' "$1/log" ||
	    ! kill -0 "$(cat "$1/sshd")" 2> /dev/null
}

sshd_start() {
	mkdir -p "$1" /run/sshd "/run/sftp.$2" && sshd_user &&
	    sshd_make "$1" || return 1
	# sshd wants a path to the chroot that only root can write to, and
	# /tmp is no such path.
	mountpoint -q "/run/sftp.$2" ||
	    mount --bind "$1/root" "/run/sftp.$2" || return 1
	sshd_config "$@" > "$1/sshd_config"
	for sshd_k in "$1"/host_*.pub; do
		echo "[127.0.0.1]:$2 $(cut -d ' ' -f 1,2 "$sshd_k")"
	done > "$1/known_hosts"
	: > "$1/log"
	"$(command -v sshd)" -D -e -f "$1/sshd_config" \
	    > "$1/log" 2>&1 < /dev/null &
	echo $! > "$1/sshd"
	if ! await "sshd on port $2" sshd_listens "$1" ||
	    ! grep -q 'Server listening on 127.0.0.1' "$1/log"; then
		diag "$(cat "$1/log")"
		return 1
	fi
}

# The listening sshd and what descends from it.
sshd_tree() {
	ps -e -o pid= -o ppid= -o stat= | awk -v top="$1" '
	    $3 !~ /^Z/ { up[$1] = $2 }
	    END {
		for (p in up) {
			for (q = p; q in up && q != top;)
				q = up[q]
			if (q == top && q in up)
				print p
		}
	    }'
}

sshd_ended() {
	for sshd_p in $sshd_pids; do
		case $(ps -o stat= -p "$sshd_p") in
		''|Z*)	;;
		*)	return 1 ;;
		esac
	done
}

sshd_stop() {
	sshd_pids=$(sshd_tree "$(cat "$1/sshd")")
	# shellcheck disable=SC2086
	kill -9 $sshd_pids 2> /dev/null
	await "the end of sshd" sshd_ended
}
