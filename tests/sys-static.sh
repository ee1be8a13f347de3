#!/bin/sh
# sys-static.sh: the static cfg restores and looks in a root that has nothing
# but itself; and it asks no name service that the system at hand names.
# shellcheck source=tests/sys.sh
. "$(dirname "$0")/sys.sh"
need_root
export MAKEFLAGS=

(cd "$TOP" && make -f build.mk tools/cfg.static) > "$T/log" 2>&1 || {
	grep -E 'error|cannot find' "$T/log" | head -3 | sed 's/^/# /'
	grep -q 'cannot find -l' "$T/log" && skip_all "no libz.a or libmd.a"
}
# What is asked of glibc at run time, it says when it links.
is "it links without a warning" \
    "$(grep -ciE 'warning|error' "$T/log")" 0

base_tree() {
	mkdir -p "$BASE/ssh"
	echo 'hostname="box"' > "$BASE/rc.conf"
	echo gone > "$BASE/motd"
	ln -s rc.conf "$BASE/link"
}
mkdir "$BASE" && base_tree
mkdir -p "$T/plain/ssh" "$T/plain/cfgfs/hooks/post-restore"
echo 'hostname="fw"' > "$T/plain/rc.conf"
echo 'Port 23' > "$T/plain/ssh/sshd_config"
chmod 600 "$T/plain/ssh/sshd_config"
chown 7:8 "$T/plain/ssh/sshd_config"
ok "a store" "$CFG" init --size 1M "$STORE"
ok "that has a commit" "$CFG" -s "$STORE" import --base "$BASE" "$T/plain"
ok "a tree of it by the program with libraries" \
    "$CFG" restore --store "$STORE" --base "$BASE" "$T/want"

mkdir "$T/root"
cp "$TOP/tools/cfg.static" "$T/root/cfg"
cp "$STORE" "$T/root/store"
cp -a "$BASE" "$T/root/base"
in_root() { timeout "$LIMIT" chroot "$T/root" /cfg "$@"; }

ok "it restores where there is nothing but itself" \
    in_root restore --store /store --base /base /tree
is "and says nothing" "$out$err" ""
is "the same to the last bit" "$(snap "$T/root/tree")" "$(snap "$T/want")"
ok "it verifies" in_root -s /store verify
ok "and looks" in_root -s /store log
fails_with 2 'cfg-more' in_root -s /store wear

# Who changed something is looked up: in the list of users alone.
[ -c /dev/fuse ] || {
	skip "no /dev/fuse"
	done_testing
}
rm -r "$BASE" "$STORE"
ok "a box starts" new_box
echo new > "$MNT/new"
mkdir -p "$T/root$T" "$T/root/run" "$T/root/etc"
mount --rbind "$T" "$T/root$T"
mount --rbind /run "$T/root/run"
status() { in_root -m "$MNT" status; }
ok "what is pending" status
like "is told with a number, where no list of users is" "$out" '	0: '
printf 'broken\n:x:0:0:\nroot:x:0x:0::/:/bin/sh\nadmin:x:0:0::/:/bin/sh' \
    > "$T/root/etc/passwd"
echo 'passwd: nosuchservice' > "$T/root/etc/nsswitch.conf"
ok "the same" status
like "with a name, where one is" "$out" '	admin: '
run strace -f -o "$T/trace" chroot "$T/root" /cfg -m "$MNT" status
is "no service is asked" \
    "$(sed '1,/execve("\/cfg"/d' "$T/trace" | grep -E -e 'nss' -e '\.so' \
    -e nscd)" ""
like "the list of users is" "$(cat "$T/trace")" 'open.*"/etc/passwd"'
done_testing
