/*
 * setup.c: what cfg setup would do on many kinds of machines, by the facts
 * alone; and that it never takes a place that another may want.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../lib/buf.h"
#include "../tools/setup.h"
#include "tap.h"

static struct facts	 f;
static struct setup_place parts[4];
static struct setup	 p;
static struct err	 e;

/* Strings here are literals: nothing of the facts is freed. */
#define S(s) ((char *)(uintptr_t)(s))

/* A machine with a disk that can be written to, and nothing of ours. */
static void
debian(void)
{
	memset(&f, 0, sizeof(f));
	memset(parts, 0, sizeof(parts));
	f.rundir = S("/run");
	f.mount = S("/etc");
	f.tag = S("etc");
	f.type = S("ext4");
	f.from = S("/dev/sda1");
	f.v = parts;
	f.file.path = S("/var/lib/cfgfs/etc.store");
	f.file.file = true;
	f.init = SETUP_SYSTEMD;
}

static void
freebsd(void)
{
	debian();
	f.bsd = true;
	f.rundir = S("/var/run");
	f.type = S("ufs");
	f.file.path = S("/var/db/cfgfs/etc.store");
	f.init = SETUP_RC;
	(void)strs_put(&f.units, S("rc.d/cfgfs"));
}

static void
nanobsd(void)
{
	freebsd();
	f.type = S("tmpfs");
	f.ram = f.own = true;
	f.conf_base = S("/conf/base/etc");
	f.file.path = NULL;
	f.cfg = S("/cfg");
	f.in_cfg.path = S("/cfg/etc.store");
	f.in_cfg.file = true;
}

static struct setup_place *
part(const char *path, uint64_t mb, enum setup_holds holds)
{
	struct setup_place	*q = &parts[f.n++];

	q->path = S(path);
	q->size = mb << 20;
	q->holds = holds;
	q->what = S("an NTFS file system");
	return q;
}

/* The commands of the plan, and what is to be done by hand. */
static bool
would(const char *want)
{
	struct buf	 b = BUF_INIT;
	size_t		 i, k;
	bool		 same;

	memset(&e, 0, sizeof(e));
	if (setup_plan(&p, &f, &e) < 0)
		put_fmt(&b, "%s", e.msg);
	for (i = 0; i < p.n; i++)
		for (k = 0; k < p.v[i].cmds.n; k++)
			put_fmt(&b, "%s\n", p.v[i].cmds.v[k]);
	for (i = 0; i < p.image_lines.n; i++)
		put_fmt(&b, "image %s\n", p.image_lines.v[i]);
	put_u8(&b, '\0');
	same = strcmp((char *)b.p, want) == 0;
	if (!same)
		tap_diag("have: %s", (char *)b.p);
	buf_free(&b);
	setup_free(&p);
	free(f.units.v);
	memset(&f.units, 0, sizeof(f.units));
	return same;
}

/* Only the command that makes the store, or the refusal. */
static bool
takes(const char *want)
{
	bool	 same;
	size_t	 n;

	if (setup_plan(&p, &f, &e) < 0)
		same = strcmp(e.msg, want) == 0;
	else {
		n = p.n > 0 && p.v[0].kind == SETUP_MAKE ?
		    p.v[0].cmds.n : 0;
		same = strcmp(n == 0 ? "" : p.v[0].cmds.v[n - 1], want) == 0;
		if (!same)
			tap_diag("have: %s", n == 0 ? "" :
			    p.v[0].cmds.v[n - 1]);
	}
	setup_free(&p);
	free(f.units.v);
	memset(&f.units, 0, sizeof(f.units));
	return same;
}

#define A_FILE	"cfg init --size 4096K /var/lib/cfgfs/etc.store"

static void
a_writable_root(void)
{
	debian();
	(void)strs_put(&f.units, S("cfgfs.service"));
	(void)strs_put(&f.units, S("cfgfs-shutdown.service"));
	f.initramfs = true;
	OK(would("mkdir -p /var/lib/cfgfs\n" A_FILE "\n"
	    "mkdir -p /etc/default\n"
	    "echo 'STORE=/var/lib/cfgfs/etc.store' >> /etc/default/cfgfs\n"
	    "systemctl enable cfgfs.service cfgfs-shutdown.service\n"
	    "systemctl start cfgfs-shutdown.service\n"
	    "update-initramfs -u\n"
	    "cfgfs -o store=/var/lib/cfgfs/etc.store /etc\n"));
	debian();
	part("/dev/sda3", 8, SETUP_BLANK)->id = S("1-2-3");
	f.dracut = true;
	OK(would("cfg init /dev/sda3\n"
	    "mkdir -p /etc/default\n"
	    "echo 'STORE=PARTUUID=1-2-3' >> /etc/default/cfgfs\n"
	    "dracut -f\n"
	    "cfgfs -o store=/dev/sda3 /etc\n"));
	debian();
	f.init = SETUP_OPENRC;
	(void)strs_put(&f.units, S("sysinit/cfgfs"));
	(void)strs_put(&f.units, S("default/cfgfs-shutdown"));
	part("/dev/sda3", 8, SETUP_BLANK)->name = S("cfgfs");
	OK(would("cfg init /dev/sda3\n"
	    "mkdir -p /etc/default\n"
	    "echo 'STORE=PARTLABEL=cfgfs' >> /etc/default/cfgfs\n"
	    "rc-update add cfgfs sysinit\n"
	    "rc-update add cfgfs-shutdown default\n"
	    "rc-service cfgfs-shutdown start\n"
	    "cfgfs -o store=/dev/sda3 /etc\n"));
}

static void
what_is_another_s_is_not_taken(void)
{
	struct setup_place	*q;

	debian();
	part("/dev/sda3", 8, SETUP_OTHER);
	OK(takes(A_FILE));
	debian();
	part("/dev/sda3", 8, SETUP_BLANK)->used = true;
	OK(takes(A_FILE));
	debian();
	part("/dev/sda3", 8, SETUP_BLANK)->fstab = true;
	OK(takes(A_FILE));
	debian();
	part("/dev/sda3", 65, SETUP_BLANK);
	OK(takes(A_FILE));
	debian();
	q = part("/dev/sda3", 8, SETUP_OTHER);
	q->name = S("cfgfs");
	OK(takes(A_FILE));
	q->holds = SETUP_BLANK;
	q->fstab = true;
	OK(takes(A_FILE));
	debian();
	part("/dev/sda3", 8, SETUP_BLANK)->size = 4096;
	OK(takes(A_FILE));
	debian();
	part("/dev/sda3", 8, SETUP_BLANK);
	part("/dev/sda4", 8, SETUP_BLANK);
	OK(takes("/dev/sda3 and /dev/sda4 are blank: --store says which"));
	debian();
	part("/dev/sda3", 8, SETUP_STORE);
	part("/dev/sda4", 8, SETUP_STORE);
	OK(takes("/dev/sda3 and /dev/sda4 hold a store: --store says "
	    "which"));
	debian();
	f.file.path = NULL;
	OK(takes("no place for a store is seen here: --store names one"));
	f.file.path = S("/var/lib/cfgfs/etc.store");
	f.file.holds = SETUP_OTHER;
	f.file.what = S("a file's content");
	OK(takes("/var/lib/cfgfs/etc.store: holds a file's content; cfg init "
	    "--force overwrites it"));
}

static void
the_better_place_comes_first(void)
{
	nanobsd();
	part("/dev/ada0s4", 8, SETUP_BLANK);
	OK(takes("cfg init --size 1024K /cfg/etc.store"));
	part("/dev/ada0s5", 100, SETUP_BLANK)->name = S("CFG");
	OK(takes("cfg init /dev/ada0s5"));
	part("/dev/ada0s6", 200, SETUP_STORE);
	OK(takes(""));
}

static void
what_is_named(void)
{
	debian();
	part("/dev/sda3", 8, SETUP_STORE);
	f.asked = (struct setup_place){ .path = S("/dev/sda9"),
	    .size = 1u << 30, .holds = SETUP_BLANK };
	OK(takes("cfg init /dev/sda9"));
	f.asked.fstab = true;		/* he knows */
	OK(takes("cfg init /dev/sda9"));
	f.size = 1 << 20;
	OK(takes("/dev/sda9: is there and has its size; --size is for a new "
	    "file"));
	f.size = 0;
	f.asked.used = true;
	OK(takes("/dev/sda9: in use: mounted, swap, or part of another "
	    "device"));
	f.asked.used = false;
	f.asked.holds = SETUP_OTHER;
	f.asked.what = S("swap space");
	OK(takes("/dev/sda9: holds swap space; cfg init --force overwrites "
	    "it"));
	f.asked = (struct setup_place){ .path = S("/a b"), .file = true };
	OK(takes("/a b: a name with blanks, commas or quotes can't be in the "
	    "settings"));
	f.asked.path = S("/srv/store");
	f.size = 100000;
	OK(takes("cfg init --size 97K /srv/store"));
	f.set.path = S("/dev/sda3");
	f.set_in = S("/etc/default/cfgfs");
	OK(takes("/srv/store: /etc/default/cfgfs has the store /dev/sda3 "
	    "already"));
}

static void
an_appliance(void)
{
	debian();
	f.ram = f.own = true;
	f.under = true;
	part("/dev/mmcblk0p3", 1, SETUP_BLANK);
	(void)strs_put(&f.units, S("cfgfs.service"));
	OK(would("cfg init /dev/mmcblk0p3\n"
	    "mkdir -p /run/cfgfs/.image-etc\n"
	    "mount --bind / /run/cfgfs/.image-etc\n"
	    "cfgfs -o store=/dev/mmcblk0p3,base=/run/cfgfs/.image-etc/etc "
	    "/etc\n"
	    "image /etc/default/cfgfs: STORE=/dev/mmcblk0p3\n"));
	f.under = false;
	OK(would("/etc is a RAM disk, and the image has none below it: "
	    "--base names the directory that it is made from"));
	f.basearg = S("/image/etc");
	OK(would("cfg init /dev/mmcblk0p3\n"
	    "cfgfs -o store=/dev/mmcblk0p3,base=/image/etc /etc\n"
	    "image /etc/default/cfgfs: STORE=/dev/mmcblk0p3\n"));
	/* A root that is read-only, and no RAM disk yet. */
	f.ram = f.own = false;
	f.ro = true;
	f.basearg = NULL;
	OK(would("cfg init /dev/mmcblk0p3\n"
	    "cfgfs -o store=/dev/mmcblk0p3 /etc\n"
	    "image /etc/default/cfgfs: STORE=/dev/mmcblk0p3\n"));
	f.below = S("/etc/pve");
	OK(would("/etc/pve: something is mounted there, and the view would "
	    "hide it"));
	f.below = NULL;
	f.own = true;
	OK(would("/etc is a file system of its own: cfg setup is for a "
	    "directory of the root's, or for one in RAM"));
	debian();
	f.mount = S("/opt/etc");
	f.tag = S("opt-etc");
	f.file.path = S("/var/lib/cfgfs/opt-etc.store");
	f.file.holds = SETUP_STORE;
	OK(would("cfgfs -o store=/var/lib/cfgfs/opt-etc.store /opt/etc\n"
	    "image /etc/fstab: /var/lib/cfgfs/opt-etc.store /opt/etc "
	    "fuse.cfgfs nofail 0 0\n"));
}

static void
freebsd_and_nanobsd(void)
{
	freebsd();
	part("/dev/ada0p4", 8, SETUP_BLANK)->name = S("cfg");
	OK(would("cfg init /dev/ada0p4\n"
	    "echo 'cfgfs_enable=\"YES\"' >> /etc/rc.conf\n"
	    "echo 'cfgfs_store=\"/dev/gpt/cfg\"' >> /etc/rc.conf\n"
	    "cfgfs -o store=/dev/ada0p4 /etc\n"));
	freebsd();
	f.mount = S("/usr/local/etc");
	f.tag = S("usr-local-etc");
	f.file.path = S("/var/db/cfgfs/usr-local-etc.store");
	f.enabled = true;
	OK(would("mkdir -p /var/db/cfgfs\n"
	    "cfg init --size 4096K /var/db/cfgfs/usr-local-etc.store\n"
	    "echo 'cfgfs_store=\"/var/db/cfgfs/usr-local-etc.store\"' >> "
	    "/usr/local/etc/rc.conf\n"
	    "echo 'cfgfs_mount=\"/usr/local/etc\"' >> "
	    "/usr/local/etc/rc.conf\n"
	    "cfgfs -o store=/var/db/cfgfs/usr-local-etc.store "
	    "/usr/local/etc\n"));
	nanobsd();
	OK(would("cfg init --size 1024K /cfg/etc.store\n"
	    "mount -r /cfg\n"
	    "cfg -s /cfg/etc.store import --base /conf/base/etc /cfg\n"
	    "umount /cfg\n"
	    "cfgfs -o store=/cfg/etc.store,base=/conf/base/etc /etc\n"
	    "image /conf/cfgfs.conf: store=/cfg/etc.store\n"
	    "image /conf/cfgfs.conf: base=/conf/base/etc\n"
	    "image /etc/rc.conf: cfgfs_enable=\"YES\"\n"
	    "image /etc/rc.conf: cfgfs_store=\"/cfg/etc.store\"\n"));
}

static void
a_store_is_there(void)
{
	/* A card that was cloned. */
	debian();
	part("/dev/sda3", 8, SETUP_STORE);
	OK(would("mkdir -p /etc/default\n"
	    "echo 'STORE=/dev/sda3' >> /etc/default/cfgfs\n"
	    "cfgfs -o store=/dev/sda3 /etc\n"));
	nanobsd();
	f.enabled = true;
	f.set.path = S("/dev/ada0s4");
	f.set.holds = SETUP_STORE;
	f.set_in = S("/conf/cfgfs.conf");
	OK(would("cfgfs -o store=/dev/ada0s4,base=/conf/base/etc /etc\n"));
	/* All is there. */
	f.served = S("/dev/ada0s4");
	f.served_base = S("/conf/base/etc");
	OK(would(""));
	OK(setup_plan(&p, &f, &e) == 0 && setup_done(&p));
	setup_free(&p);
	/* Served, but no boot knows of it; other places do not count. */
	debian();
	part("/dev/sda4", 8, SETUP_BLANK);
	part("/dev/sda5", 8, SETUP_STORE);
	f.served = S("/srv/store");
	f.served_base = S("/run/cfgfs/etc/base");
	f.now = (struct setup_place){ .path = f.served, .file = true,
	    .holds = SETUP_STORE };
	OK(would("image /etc/default/cfgfs: STORE=/srv/store\n"));
	/* The settings name one that is not made yet. */
	debian();
	f.set.path = S("/dev/sda3");
	f.set.holds = SETUP_BLANK;
	f.set_in = S("/etc/default/cfgfs");
	OK(would("cfg init /dev/sda3\ncfgfs -o store=/dev/sda3 /etc\n"));
}

int
main(int argc, char **argv)
{
	static const struct tap_case	 v[] = {
		{ "a root that can be written to", a_writable_root },
		{ "what another may want is never taken",
		    what_is_another_s_is_not_taken },
		{ "the better place for a store comes first",
		    the_better_place_comes_first },
		{ "what the user names, and what is refused of that",
		    what_is_named },
		{ "an image: its lines are said and not written",
		    an_appliance },
		{ "FreeBSD and NanoBSD", freebsd_and_nanobsd },
		{ "what is there already is not done again",
		    a_store_is_there },
	};

	return tap_main(argc, argv, v, sizeof(v) / sizeof(v[0]));
}
