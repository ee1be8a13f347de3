#!/bin/sh
# sys-mirror-bad.sh: what can go wrong between here and there: connections
# that are cut, stall, garble, crawl; servers that refuse; copies that are
# damaged, ahead, or somebody else's.  Always one line and exit code 2,
# nothing changed here, and the next push heals the mirror.
# shellcheck source=tests/sys.sh
. "$(dirname "$0")/sys.sh"
need_root
need_fuse
[ -x "$TOP/tools/cfg-mirror" ] || skip_all "no libssh2"
# shellcheck source=tests/sshd.sh
. "$TOP/tests/sshd.sh"

HOME=$T/home
export HOME
mkdir -m 700 "$HOME"
unset SSH_AUTH_SOCK
S=$T/s
port=$(free_port)
sshd_start "$S" "$port" || skip_all "sshd does not start"
there=$S/root/store
url=sftp://mirror@127.0.0.1:$port/store/box

# through OPTIONS...: a proxy with these; its URL is $via.
through() {
	: > "$T/proxy"
	"$TOP/tests/proxy" "$@" 0 "$port" > "$T/proxy" 2>&1 &
	proxy=$!
	until p=$(sed -n 's/^ready //p' "$T/proxy") && [ -n "$p" ]; do
		kill -0 "$proxy" || return 1
	done
	sed "s/:$port /:$p /; s/:$port,/:$p,/; s/]:$port/]:$p/" \
	    "$S/known_hosts" > "$T/known"
	via=sftp://mirror@127.0.0.1:$p/store/box
}
no_proxy() {
	kill "$proxy" && wait "$proxy"
} 2> /dev/null
push() {
	push_u=$1
	shift
	timeout -k 5 "$LIMIT" "$CFG" -s "$STORE" mirror push \
	    --key "$S/key" --known-hosts "$T/known" "$@" "$push_u"
}
cp "$S/known_hosts" "$T/known"
direct() { cp "$S/known_hosts" "$T/known"; push "$url" "$@"; }
sum() { sha256sum < "$STORE"; }
# refused "REGEX" COMMAND...: exit 2, one line, nothing changed here.
refused() {
	refused_sum=$(sum)
	fails_with 2 "$@"
	[ "$(sum)" = "$refused_sum" ] || is "the store is as it was" changed ""
}
commit() {
	head -c "${2:-100}" /dev/urandom | od -An -tx1 > "$T/in/f"
	"$CFG" -s "$STORE" import --base "$BASE" "$T/in" > /dev/null
}
head_of() { "$CFG" -s "$1" log -n 1 2> /dev/null | sed 's/  .*//'; }

new_box 4M > /dev/null
stop_view
mkdir "$T/in"
commit 1
direct > /dev/null || diag "no first push"

# ---- connections
bytes=$(commit 2 && direct --json |
    sed 's/.*"bytes_out":\([0-9]*\),"bytes_in":\([0-9]*\).*/\1 \2/')
o=${bytes% *} i=${bytes#* }
bad='' tried=0
# Cut at every 397th byte of a push, each way; the last bytes say goodbye.
for way in out in; do
	[ $way = out ] && n=$o || n=$i
	at=1
	while [ "$at" -lt $((n - 200)) ]; do
		commit x
		was=$(head_of "$there/box")
		before=$(sum)
		through "--cut-$way" "$at"
		run push "$via"
		no_proxy
		lines=$(printf '%s\n' "$err" | wc -l)
		[ "$rc" = 2 ] && [ "$lines" = 1 ] &&
		    [ "$(sum)" = "$before" ] ||
			bad="$bad; $way $at: $rc, $err"
		# What is there is a complete generation, the old or the new.
		h=$(head_of "$there/box")
		[ "$h" = "$was" ] || [ "$h" = "$(head_of "$STORE")" ] ||
			bad="$bad; $way $at: head $h after $was"
		"$CFG" -s "$there/box" verify > /dev/null ||
			bad="$bad; $way $at: damaged"
		tried=$((tried + 1))
		at=$((at + 397))
	done
done
is "a push cut at $tried places ends well" "$bad" ""
ok "and the next one heals the mirror" direct
ok "byte by byte" cmp "$STORE" "$there/box"

# A first push that is cut: nothing is there before all of it is.
rm "$there/box"
bad=''
commit big 200000
for at in 4000 6000 30000 100000 200000 250000; do
	through --cut-out "$at"
	run push "$via"
	no_proxy
	[ "$rc" = 2 ] && [ ! -e "$there/box" ] || bad="$bad; $at: $rc $err"
done
is "a first push that is cut leaves nothing that counts" "$bad" ""
ok "it is gone on with" direct
ok "and is whole" cmp "$STORE" "$there/box"
is "nothing else is left" "$(ls -A "$there")" box

commit x
through --stall-in 3000
refused 'no answer for 2 seconds' push "$via" --timeout 2
no_proxy
through --stall-out 2000
refused 'no answer for 2 seconds' push "$via" --timeout 2
no_proxy
bad=''
for at in 5 100 700 1200 1900 2500 3100 3600 4100; do
	before=$(sum)
	through --garble-in "$at"
	run push "$via" --timeout 3
	no_proxy
	# Some bytes are of no meaning, as the server's greeting.
	if [ "$rc" != 0 ]; then
		[ "$rc" = 2 ] && [ "$(printf '%s\n' "$err" | wc -l)" = 1 ] ||
			bad="$bad; $at: $rc $err"
	fi
	[ "$(sum)" = "$before" ] || bad="$bad; $at: changed"
	"$CFG" -s "$there/box" verify > /dev/null || bad="$bad; $at: damage"
done
is "a garbled byte is noticed" "$bad" ""
commit x
through --dribble
ok "one byte at a time is slow, and no more" push "$via" --timeout 20
no_proxy

# ---- servers
ssh-keygen -q -t ed25519 -N '' -f "$T/other"
refused 'no key is accepted' direct --key "$T/other"
echo > "$T/known"
refused 'unknown host key .*SHA256:' push "$url"
sed 's/^\([^ ]* \)ssh-ed25519 .*/\1/' "$S/known_hosts" |
    awk -v k="$(cut -d' ' -f1,2 "$T/other.pub")" 'NR == 1 { print $1, k }' \
    > "$T/known"
refused 'CHANGED|changed' push "$url"
commit x
sshd_stop "$S"
refused 'Connection refused' direct
sshd_start "$S" "$port"
chmod 555 "$there" && rm -f "$there/box.new" && mv "$there/box" "$T/kept"
refused 'permission denied' direct
chmod 755 "$there" && mv "$T/kept" "$there/box"
chmod 444 "$there/box"
refused 'permission denied' direct
chmod 600 "$there/box"
ok "and when it is right again, it is pushed" direct

# A full disk: a small file system, where the server sees it.
full=/run/sftp.$port/store/full
mkdir "$full"
mount -t tmpfs -o size=64k,mode=777 none "$full"
fullurl=sftp://mirror@127.0.0.1:$port/store/full/box
refused 'write .*full/box' push "$fullurl" --known-hosts "$S/known_hosts"
mount -o remount,size=4m "$full"
ok "with more room, it is gone on with" push "$fullurl" \
    --known-hosts "$S/known_hosts"
ok "and is sound" "$CFG" -s "$full/box" verify
commit big 200000
mount -o remount,size="$(($(stat -c %b "$full/box") / 2 + 20))k" \
    "$full"
refused '' push "$fullurl" --known-hosts "$S/known_hosts"
ok "a copy on a full disk still opens" "$CFG" -s "$full/box" log
mount -o remount,size=4m "$full"
ok "and is mended with more room" push "$fullurl" \
    --known-hosts "$S/known_hosts"
is "to be the same" "$("$CFG" -s "$STORE" log)" "$("$CFG" -s "$full/box" log)"
umount "$full"

# ---- copies
direct > /dev/null
for size in 0 100 512 5000 300000 1048000; do
	truncate -s "$size" "$there/box"
	run direct
	[ "$rc" = 0 ] || run direct -f
	is "a copy cut to $size bytes is made anew" "$rc" 0
done
ok "and is the same" cmp "$STORE" "$there/box"
# In the content of an old record, where no header tells.
printf 'XXXX' | dd of="$there/box" bs=1 seek=8292 conv=notrunc 2> /dev/null
run "$CFG" -s "$STORE" mirror verify --key "$S/key" \
    --known-hosts "$S/known_hosts" "$url"
is "a copy that was tampered with is found" "$rc" 1
like "and told" "$out" 'generation [0-9]+ differs'
ok "a push of the whole mends it" direct --whole
ok "to the byte" cmp "$STORE" "$there/box"
dd if=/dev/zero of="$there/box" bs=512 count=1 conv=notrunc 2> /dev/null
ok "a lost superblock is mended" direct
ok "from its copy" cmp "$STORE" "$there/box"

echo 'somebody else' > "$there/box"
refused 'not a copy of this store' direct
is "is left alone" "$(cat "$there/box")" "somebody else"
ok "unless it is asked for" direct -f
ok "and is then the store" cmp "$STORE" "$there/box"

cp "$STORE" "$T/ahead"
commit one
direct > /dev/null
cp "$there/box" "$T/there"
cp "$T/ahead" "$STORE"
refused 'the mirror is ahead: it has generation' direct
ok "is left alone, too" cmp "$T/there" "$there/box"
commit another
refused 'the mirror has other commits than this store after generation' direct
ok "and again" cmp "$T/there" "$there/box"
refused 'has commits that the mirror lacks' "$CFG" -s "$STORE" mirror pull \
    --key "$S/key" --known-hosts "$S/known_hosts" "$url"
ok "pull -f takes the mirror's" "$CFG" -s "$STORE" mirror pull -f \
    --key "$S/key" --known-hosts "$S/known_hosts" "$url"
is "all of it" "$(head_of "$STORE")" "$(head_of "$there/box")"
ok "soundly" "$CFG" -s "$STORE" verify
cp "$T/ahead" "$STORE"
commit another
ok "push -f puts this store's there" direct -f
ok "all of it" cmp "$STORE" "$there/box"

# ---- words
refused 'no URL|not a path|password|user:pass' push 'sftp://u:secret@h/p'
refused 'there is no mirror of that name' push nonsense
refused '' push sftp://h
fails_with 64 usage "$CFG" mirror
fails_with 64 usage "$CFG" mirror nosuch
fails_with 64 usage "$CFG" mirror push --timeout 0 "$url"
done_testing
