#!/bin/sh
# initdiskless.sh: does to /conf what diskless(8) and the words at the top of
# FreeBSD's rc.initdiskless say, for tests on another system: templates base
# and default, md_size, remount, DIR.cpio.gz, extract, DIR.remove.  It runs
# with an image as its root; RAM disks are tmpfs.

PATH=$TOOLS
templates="base default"
mounted=

size_of() {
	size=10240
	for of in $templates; do
		[ ! -f "/conf/$of/$1/md_size" ] ||
		    size=$(cat "/conf/$of/$1/md_size")
	done
}

# Once for each directory, whoever asks first.
ram() {
	case " $mounted " in
	*" $1 "*)	return ;;
	esac
	size_of "$1"
	mount -t tmpfs -o "size=$((size * 512)),mode=755" md "/$1" || exit 1
	mounted="$mounted $1"
}

# Before anything is copied.  A failure is a shell at the console: here the
# boot has failed.
remounted=
for dir in /conf/base/* /conf/default/*; do
	[ -f "$dir/remount" ] || continue
	$(cat "$dir/remount") "$dir" || exit 1
	remounted="$dir $remounted"
done

for t in $templates; do
	for dir in "/conf/$t"/*; do
		[ -d "$dir" ] || continue
		[ ! -f "$dir.cpio.gz" ] || continue
		ram "${dir##*/}"
		cp -Rp "$dir/." "/${dir##*/}/"
	done
	for f in "/conf/$t"/*.cpio.gz; do
		[ -f "$f" ] || continue
		dir=${f##*/}
		ram "${dir%.cpio.gz}"
		(cd / && gzip -dc "$f" | cpio -idmu --quiet)
	done
	for f in "/conf/$t"/*/extract; do
		[ -x "$f" ] || continue
		dir=${f%/extract}
		ram "${dir##*/}"
		env -i PATH=/sbin:/bin:/usr/sbin:/usr/bin HOME=/ \
		    "$f" "/${dir##*/}" || exit 1
	done
	for f in "/conf/$t"/*.remove; do
		[ -f "$f" ] || continue
		dir=${f##*/}
		ram "${dir%.remove}"
		# Words and patterns are the shell's here, too.
		# shellcheck disable=SC2046
		(cd "/${dir%.remove}" && rm -rf $(cat "$f"))
	done
done
for dir in $remounted; do
	umount "$dir" || exit 1
done
