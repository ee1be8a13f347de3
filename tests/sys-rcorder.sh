#!/bin/sh
# sys-rcorder.sh: where FreeBSD's rc(8) runs the rc.d scripts: their order
# among those of the system, as rcorder(8) finds it from the lines at their
# top.  Of the system's there is a list of those that matter, as they are
# from 12.1 to 15.1; FREEBSD_RCD names a whole rc.d to be looked at, too.
# shellcheck source=tests/sys.sh
. "$(dirname "$0")/sys.sh"

# sees DIR...: the lines by which rcorder goes, as "file word condition".
# They stand one behind the other; what follows another line counts no more.
sees() {
	for f in "$@"; do
		awk -v f="${f##*/}" '
		/^# (PROVIDE|REQUIRE|REQUIRES|BEFORE|KEYWORD): / {
			seen = 1
			for (i = 3; i <= NF; i++)
				print f, substr($2, 1, 3), $i
			next
		}
		seen { exit }' "$f"
	done
}

# The system's: file, what it requires, what it is before; each provides
# its own name.
system() {
	while read -r f req before; do
		echo "$f PRO $f"
		for c in $(echo "$req" | tr , ' '); do
			[ "$c" = - ] || echo "$f REQ $c"
		done
		for c in $(echo "$before" | tr , ' '); do
			echo "$f BEF $c"
		done
	done <<'E'
disks -
swap disks
fsck swap
root fsck
sysctl -
hostid sysctl
hostid_save hostid,root
mdconfig swap,root
mountcritlocal root,hostid_save,mdconfig
zfsbe mountcritlocal
zfs zfsbe FILESYSTEMS,var
var mountcritlocal
cleanvar var
FILESYSTEMS root,mountcritlocal,cleanvar
growfs_fstab growfs
growfs - sysctl
hostname FILESYSTEMS netif
kldxref FILESYSTEMS netif
kld kldxref
random FILESYSTEMS netif
netif FILESYSTEMS,sysctl,hostid
devd netif,ldconfig NETWORKING,mountcritremote
routing netif
pf FILESYSTEMS,netif routing
NETWORKING netif,routing
mountcritremote NETWORKING,FILESYSTEMS
machine_id mountcritremote,FILESYSTEMS LOGIN
newsyslog FILESYSTEMS,mountcritremote
syslogd mountcritremote,FILESYSTEMS,newsyslog SERVERS
ldconfig FILESYSTEMS DAEMON
SERVERS mountcritremote,ldconfig
DAEMON NETWORKING,SERVERS
mountlate DAEMON LOGIN
LOGIN DAEMON
cron LOGIN
sshd LOGIN,FILESYSTEMS
E
}

# order: what comes before what, as pairs, from such lines.
order() {
	sort -u | awk '{
		if ($2 == "PRO")
			by[$3] = by[$3] " " $1
		else if ($2 != "KEY")
			line[n++] = $0
		print $1, $1
	}
	END {
		for (i = 0; i < n; i++) {
			split(line[i], l, " ")
			k = split(by[l[3]], p, " ")
			for (j = 1; j <= k; j++)
				print l[2] == "REQ" ? p[j] " " l[1] : \
				    l[1] " " p[j]
		}
	}'
}

# before A B...: A comes before each B, whatever else there is.
before() {
	awk -v a="$1" -v all="$*" '
	{ next_of[$1] = next_of[$1] " " $2 }
	END {
		todo = a
		while (todo != "") {
			k = split(todo, t, " ")
			todo = ""
			for (i = 1; i <= k; i++) {
				m = split(next_of[t[i]], s, " ")
				for (j = 1; j <= m; j++)
					if (!(s[j] in seen) && s[j] != a) {
						seen[s[j]] = 1
						todo = todo " " s[j]
					}
			}
		}
		k = split(all, b, " ")
		for (i = 2; i <= k; i++)
			if (!(b[i] in seen)) {
				print a " need not be before " b[i]
				bad = 1
			}
		exit bad
	}' "$T/order"
}

look() {
	# tsort(1) names a loop, and then fails.
	ok "$1: there is an order" tsort "$T/order"
	ok "cfgfs has /var/run as it stays" before cleanvar cfgfs
	ok "and all disks" before mountcritlocal cfgfs
	ok "and ZFS" before zfs cfgfs
	ok "what writes to /etc early has written" before hostid_save cfgfs
	ok "the network is set up from the view" before cfgfs FILESYSTEMS \
	    hostname netif routing pf
	ok "so is all else" before cfgfs kldxref ldconfig syslogd cron sshd
	ok "the commit at a shutdown is behind what daemons write" before \
	    cfgfs_shutdown DAEMON cron sshd
	ok "and before the network goes" before NETWORKING cfgfs_shutdown
	ok "and before the view goes" before cfgfs cfgfs_shutdown
}

ours="$TOP/boot/freebsd/rc.d/cfgfs $TOP/boot/freebsd/rc.d/cfgfs_shutdown"
# shellcheck disable=SC2086
sees $ours > "$T/ours"
is "both have what rcorder reads" "$(cut -d ' ' -f 1,2 "$T/ours" | sort -u |
    tr '\n' ,)" "cfgfs BEF,cfgfs KEY,cfgfs PRO,cfgfs REQ,cfgfs_shutdown BEF,\
cfgfs_shutdown KEY,cfgfs_shutdown PRO,cfgfs_shutdown REQ,"
# shellcheck disable=SC2086
is "in lines that it knows" "$(grep -hE '^# *(PROV|REQ|BEF|KEY)' $ours |
    grep -vcE '^# (PROVIDE|REQUIRE|BEFORE|KEYWORD): [A-Za-z_ ]+$')" 0
is "a shutdown runs both, a jail none" "$(grep -c ' KEY shutdown$' \
    "$T/ours"):$(grep -c ' KEY nojail$' "$T/ours")" 2:2
is "each provides its name" "$(grep ' PRO ' "$T/ours" | tr '\n' ,)" \
    "cfgfs PRO cfgfs,cfgfs_shutdown PRO cfgfs_shutdown,"
for s in $ours; do
	# rc(8) unsets these before each script, and rc.subr(8) reads them.
	is "${s##*/} is named as its file" "$(sed -n 's/^name=//p' "$s")" \
	    "\"${s##*/}\""
done
{ system; cat "$T/ours"; } | order > "$T/order"
look "among what matters"

# The order must be able to be wrong.
{ system; sed 's/^cfgfs BEF .*/cfgfs REQ NETWORKING/' "$T/ours"; } |
    order > "$T/order"
not_ok "one behind the network is found" before cfgfs netif
{ system; cat "$T/ours"; echo "cfgfs REQ sshd"; } | order > "$T/order"
not_ok "so is a loop" tsort "$T/order"

if [ -n "${FREEBSD_RCD:-}" ]; then
	# shellcheck disable=SC2086
	sees "$FREEBSD_RCD"/* $ours | order > "$T/order"
	look "in $FREEBSD_RCD"
else
	diag "FREEBSD_RCD names no rc.d: the whole of one is not looked at"
fi
done_testing
