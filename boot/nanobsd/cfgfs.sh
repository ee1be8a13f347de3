# cfgfs.sh: puts cfgfs into a NanoBSD image.  A configuration says
#	. /usr/local/share/cfgfs/nanobsd/cfgfs.sh
#	customize_cmd cust_cfgfs
# behind its other customize commands, of which cust_install_files may be
# one, and behind what it sets of these:
#
#	CFGFS_STORE	where commits go: a raw slice, by default
#			/dev/${NANO_DRIVE}${NANO_SLICE_CFG}, or a file on a
#			slice that is mounted for a commit alone: /cfg/etc.store
#	CFGFS_PKG	what `make install install-freebsd DESTDIR=' filled; by
#			default the programs are in the image, from a package
#	CFGFS_DIR	where this file and those beside it are
#	CFGFS_STATIC	a cfg for the image that needs no libraries; by default
#			$CFGFS_DIR/cfg.static
#	CFGFS_HOST	a cfg that runs on the build host and makes the store
#			of a disk image; by default the one in PATH, or
#			CFGFS_STATIC
#	CFGFS_FILE_SIZE	of a store that is a file; by default 512K
#	CFGFS_MD_SIZE	the RAM disk of /etc in sectors of 512 bytes; by default
#			as much as the tree may need
#	CFGFS_FACTOR	so many times the image's /etc has room in that, 2
# shellcheck shell=sh

: "${CFGFS_DIR:=/usr/local/share/cfgfs/nanobsd}"
: "${CFGFS_FILE_SIZE:=512K}"
: "${CFGFS_FACTOR:=2}"

# Some of it concerns /conf, which is made between the two passes: so the
# command runs in both, and does what is left to do.
if command -v late_customize_cmd > /dev/null 2>&1; then
	late_customize_cmd cust_cfgfs
fi

# To the operator, as a customize command's own output is in a log.
cfgfs_say() {
	echo "cfgfs: $*"
	if command -v pprint > /dev/null 2>&1; then
		pprint 2 "cfgfs: $*"
	fi
}

cfgfs_die() {
	cfgfs_say "$*" >&2
	exit 2
}

cfgfs_raw() {
	case $CFGFS_STORE in
	/dev/*)	return 0 ;;
	*)	return 1 ;;
	esac
}

# What depends on variables that a configuration may set after this file.
cfgfs_settings() {
	: "${CFGFS_STATIC:=$CFGFS_DIR/cfg.static}"
	: "${NANO_SLICE_CFG=s3}"
	if [ -z "${CFGFS_STORE:-}" ]; then
		[ -z "${NANO_LABEL:-}" ] || cfgfs_die "NANO_LABEL is of file" \
		    "systems, which a store is none of: set CFGFS_STORE"
		CFGFS_STORE=/dev/${NANO_DRIVE:?}$NANO_SLICE_CFG
	fi
	case $CFGFS_STORE in
	/dev/?*|/?*/?*)	;;
	*)	cfgfs_die "CFGFS_STORE=$CFGFS_STORE: neither a device nor a" \
		    "file in a directory" ;;
	esac
	cd "${NANO_WORLDDIR:?}" || exit 2
}

# cfgfs_log NAME WORD...: for a build without privileges, what it would be.
cfgfs_log() {
	[ -z "${NANO_METALOG:-}" ] || echo "./$1 uname=root gname=wheel $2" \
	    >> "$NANO_METALOG"
}

cfgfs_mkdir() {
	[ ! -d "$1" ] || return 0
	case $1 in
	*/*)	cfgfs_mkdir "${1%/*}" ;;
	esac
	mkdir "$1"
	chmod 755 "$1"
	cfgfs_log "$1" "type=dir mode=0755"
}

# cfgfs_put FROM TO MODE: a file of the image.
cfgfs_put() {
	cfgfs_mkdir "${2%/*}"
	rm -f "$2" > /dev/null
	cp "$1" "$2"
	chmod "$3" "$2"
	cfgfs_log "$2" "type=file mode=0$3"
}

# cfgfs_link TO NAME
cfgfs_link() {
	cfgfs_mkdir "${2%/*}"
	ln -sf "$1" "$2"
	cfgfs_log "$2" "type=link mode=0755 link=$1"
}

# A file below etc, which /conf/base has as well.
cfgfs_put_etc() {
	cfgfs_put "$1" "etc/$2" "$3"
	[ ! -d conf/base/etc ] || cfgfs_put "$1" "conf/base/etc/$2" "$3"
}

# cfgfs_edit FILE COMMAND...: a file of /etc through the command, wherever the
# image has it.  In place, as links are to stay links: so it may go through
# twice, and the second time has to change nothing.
cfgfs_edit() {
	file=$1
	shift
	for f in "etc/$file" "conf/base/etc/$file"; do
		[ -f "$f" ] || continue
		"$@" < "$f" > "$NANO_WORLDDIR/cfgfs.$$"
		chmod u+w "$f"
		cat "$NANO_WORLDDIR/cfgfs.$$" > "$f"
		case $f in
		*/defaults/*)	chmod u-w "$f" ;;
		esac
	done
	rm -f "$NANO_WORLDDIR/cfgfs.$$" > /dev/null
}

# ---- programs

cfgfs_programs() {
	if [ -n "${CFGFS_PKG:-}" ]; then
		[ -x "$CFGFS_PKG/usr/local/sbin/cfgfs" ] ||
		    cfgfs_die "CFGFS_PKG=$CFGFS_PKG: no usr/local/sbin/cfgfs"
		for d in sbin libexec/cfgfs share/man/man5 share/man/man8; do
			for f in "$CFGFS_PKG/usr/local/$d"/*; do
				[ -f "$f" ] || continue
				if [ -L "$f" ]; then
					cfgfs_link "$(readlink "$f")" \
					    "usr/local/$d/${f##*/}"
					continue
				fi
				case $d in
				share/*)	m=444 ;;
				*)		m=555 ;;
				esac
				cfgfs_put "$f" "usr/local/$d/${f##*/}" $m
			done
		done
	fi
	for f in cfgfs cfg cfg-more; do
		[ -x usr/local/sbin/$f ] || cfgfs_die "no usr/local/sbin/$f in" \
		    "the image: CFGFS_PKG, or a package before cust_cfgfs"
	done
	if [ -x "$CFGFS_STATIC" ]; then
		cfgfs_put "$CFGFS_STATIC" sbin/cfg 555
	elif [ ! -x sbin/cfg ]; then
		cfgfs_die "CFGFS_STATIC=$CFGFS_STATIC: not there; \`make" \
		    "tools/cfg.static' makes it"
	fi
	# cfg looks for what it does not have itself where it is.
	for f in cfg-more cfg-mirror; do
		[ ! -x usr/local/sbin/$f ] ||
		    cfgfs_link ../usr/local/sbin/$f sbin/$f
	done
	for f in save_cfg change_password save_sshkeys take_over_cfg; do
		cfgfs_put "$CFGFS_DIR/$f" root/$f 555
	done
}

# The view is to be there before anything changes /etc, so before there are
# scripts of packages.
cfgfs_rc() {
	for f in cfgfs cfgfs_shutdown; do
		from=
		for d in "$CFGFS_DIR/rc.d" "${CFGFS_PKG:-.}/usr/local/etc/rc.d" \
		    etc/local/rc.d etc/rc.d; do
			[ -z "$from" ] && [ -f "$d/$f" ] && from=$d/$f
		done
		[ -n "$from" ] || cfgfs_die "no rc.d script $f: in" \
		    "$CFGFS_DIR/rc.d, CFGFS_PKG or the image"
		[ "$from" = "etc/rc.d/$f" ] ||
		    cfgfs_put_etc "$from" rc.d/$f 555
		for d in usr/local/etc etc/local conf/base/etc/local; do
			rm -f $d/rc.d/$f > /dev/null
		done
	done
}

cfgfs_check_world() {
	set -- usr/local/lib/libfuse3.so*
	[ -e "$1" ] || cfgfs_say "WARNING: no libfuse3 in the image:" \
	    "a package for it, as fusefs-libs3"
	set -- boot/kernel/kernel boot/kernel/fuse*.ko
	[ ! -e "$1" ] || [ -e "$2" ] || cfgfs_say "WARNING: no fusefs.ko" \
	    "among the kernel's modules: NANO_MODULES"
	for f in etc/newsyslog.conf etc/newsyslog.conf.d/*.conf; do
		[ ! -f "$f" ] || awk '$1 ~ /^\/etc\// { print FILENAME ": " $1 }
		    ' "$f" | while read -r line; do
			cfgfs_say "WARNING: a log in /etc, which each" \
			    "rotation changes: $line"
		done
	done
}

# ---- etc

cfgfs_rc_conf() {
	sed '/^# cfgfs: from here/,/^# cfgfs: to here/d'
	cat <<X
# cfgfs: from here
cfgfs_enable="YES"
# cfgfs: to here
X
}

# A raw store leaves nothing to be mounted.  The image of the other slice has
# another first line: one that both have keeps the user's from touching it, so
# that they can be merged.
cfgfs_fstab_raw() {
	awk -v dev="$CFGFS_STORE" -v here="# One's own below this line:" '
	$1 != dev && $0 != here
	END { print here }'
}

# The slice of a file is mounted for a commit alone.
cfgfs_fstab_file() {
	awk -v dir="${CFGFS_STORE%/*}" -v "dev=/dev/$NANO_DRIVE$NANO_SLICE_CFG" '
	!/^#/ && $2 == dir {
		seen = 1
		if ("," $4 "," !~ /,noauto,/)
			$4 = $4 ",noauto"
	}
	{ print }
	END {
		if (!seen)
			print dev, dir, "ufs", "rw,noauto", 2, 2
	}'
}

cfgfs_etc() {
	[ -f etc/defaults/rc.conf ] || cfgfs_die "no etc/defaults/rc.conf"
	cfgfs_edit defaults/rc.conf cfgfs_rc_conf
	[ -f etc/fstab ] || cfgfs_die "no etc/fstab"
	if cfgfs_raw; then
		cfgfs_edit fstab cfgfs_fstab_raw
	else
		cfgfs_edit fstab cfgfs_fstab_file
		dir=${CFGFS_STORE%/*}
		cfgfs_mkdir "${dir#/}"
	fi
	cfgfs_mkdir cfg
	t=$NANO_WORLDDIR/cfgfs.$$
	printf '!cfg,cfgfs\n*.*\t\t\t\t\t\t/var/log/cfgfs.log\n!*\n' > "$t"
	cfgfs_put_etc "$t" syslog.d/cfgfs.conf 644
	printf '/var/log/cfgfs.log\t\t\t640  3	   100	*     JC\n' > "$t"
	cfgfs_put_etc "$t" newsyslog.conf.d/cfgfs.conf 644
	rm -f "$t" > /dev/null
}

# ---- conf

# What else the template `default' has for /etc is the image's, too: the base
# has to have all of it, or it would look like the user's change.
cfgfs_fold() {
	for f in conf/base/etc.cpio.gz conf/default/etc.cpio.gz; do
		[ ! -f $f ] || cfgfs_die "$f: cfgfs needs it as a directory"
	done
	rm -f conf/default/etc/remount conf/default/etc/remount_subdir \
	    conf/default/etc/remount_optional > /dev/null
	for f in conf/default/etc/* conf/default/etc/.[!.]*; do
		[ -e "$f" ] || [ -L "$f" ] || continue
		case ${f##*/} in
		extract|md_size|diskless_remount)
			continue ;;
		esac
		cfgfs_say "$f goes into conf/base/etc"
		cp -Rp "$f" conf/base/etc/
		rm -rf "$f" > /dev/null
	done
	for f in conf/base/etc.remove conf/default/etc.remove; do
		[ -f $f ] || continue
		cfgfs_say "what $f names is taken out of conf/base/etc"
		# As boot does it, so that its words and patterns mean the same.
		# shellcheck disable=SC2046
		(w=$PWD && cd conf/base/etc && rm -rf $(cat "$w/$f")) > /dev/null
		rm -f $f > /dev/null
	done
}

# Sectors that a RAM disk needs for the tree, in pages of 4 KB.
cfgfs_tree() {
	find conf/base/etc -type f -exec ls -ln {} + | awk '
	    { s += int(($5 + 4095) / 4096) * 8 }
	    END { print s + 0 }'
}

# Sectors for what a store may put over it: a state has a quarter of the
# store, and text is packed to about a quarter.
cfgfs_room() {
	if cfgfs_raw; then
		n=${NANO_CONFSIZE:-2048}
	else
		n=${CFGFS_FILE_SIZE%[KM]}
		case $CFGFS_FILE_SIZE in
		*K)	n=$((n * 2)) ;;
		*M)	n=$((n * 2048)) ;;
		*)	n=$((n / 512)) ;;
		esac
	fi
	[ "$n" -lt 65536 ] || n=65536
	echo "$n"
}

# cfgfs_raise FILE SECTORS: at least so large.
cfgfs_raise() {
	have=$(cat "$1" 2> /dev/null) || have=
	case $have in
	''|*[!0-9]*)	have=0 ;;
	esac
	[ "$have" -lt "$2" ] || return 0
	cfgfs_say "$1: $have sectors are too few, $2 it is"
	echo "$2" > "$1"
}

cfgfs_md_size() {
	tree=$(cfgfs_tree)
	need=$((tree * CFGFS_FACTOR + $(cfgfs_room) + 2047))
	need=$((need / 2048 * 2048))
	if [ -n "${CFGFS_MD_SIZE:-}" ]; then
		[ "$CFGFS_MD_SIZE" -ge $((tree * 5 / 4)) ] || cfgfs_die \
		    "CFGFS_MD_SIZE=$CFGFS_MD_SIZE: the image's /etc alone" \
		    "needs $((tree * 5 / 4)) sectors"
		need=$CFGFS_MD_SIZE
		rm -f conf/base/etc/md_size > /dev/null
	fi
	cfgfs_raise conf/base/etc/md_size "$need"
	# A second one there would be the one that counts.
	rm -f conf/default/etc/md_size > /dev/null
	# /var has the journal, and a tree when `cfg verify --boot' builds one.
	[ ! -d conf/base/var ] || cfgfs_raise conf/base/var/md_size \
	    $((${NANO_RAM_TMPVARSIZE:-10240} + need + 8192))
}

cfgfs_conf() {
	if [ ! -d conf/base/etc ]; then
		case " ${NANO_LATE_CUSTOMIZE:-} " in
		*" cust_cfgfs "*)	return 0 ;;
		esac
		cfgfs_die "no conf/base/etc, and no late_customize_cmd" \
		    "that would do the rest"
	fi
	cfgfs_check_world
	cfgfs_mkdir conf/default/etc
	cfgfs_fold
	cfgfs_md_size
	cfgfs_put "$CFGFS_DIR/extract" conf/default/etc/extract 555
	t=$NANO_WORLDDIR/cfgfs.$$
	printf 'store=%s\nbase=/conf/base/etc\n' "$CFGFS_STORE" > "$t"
	cfgfs_raw || echo "size=$CFGFS_FILE_SIZE" >> "$t"
	cfgfs_put "$t" conf/cfgfs.conf 444
	rm -f "$t" > /dev/null
}

cust_cfgfs() (
	set -e
	cfgfs_settings
	cfgfs_programs
	cfgfs_rc
	cfgfs_etc
	cfgfs_conf
)

# ---- the disk image

# Instead of what makes a file system there and puts NANO_CFGDIR on it:
# DEVICE DIRECTORY MOUNT-POINT LABEL.
populate_cfg_slice() (
	set -e
	cfgfs_settings
	: "${CFGFS_HOST:=$(command -v cfg || echo "$CFGFS_STATIC")}"
	store=$1
	if ! "$CFGFS_HOST" -V > /dev/null 2>&1; then
		cfgfs_say "WARNING: no cfg that runs here (CFGFS_HOST), so no" \
		    "store in this image: /root/take_over_cfg makes it"
		populate_slice "$1" "$2" "$3" "$4"
		return
	fi
	if cfgfs_raw; then
		"$CFGFS_HOST" init --force "$store"
	else
		populate_slice "$1" "" "$3" "$4"
		mount "$1" "$3"
		store=$3/${CFGFS_STORE##*/}
		"$CFGFS_HOST" init --size "$CFGFS_FILE_SIZE" "$store"
	fi
	if [ -n "$2" ] && [ -d "$2" ]; then
		"$CFGFS_HOST" -s "$store" import \
		    --base "$NANO_WORLDDIR/conf/base/etc" "$2"
	fi
	cfgfs_raw || umount "$3"
)
