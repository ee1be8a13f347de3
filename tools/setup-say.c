/*
 * setup-say.c: facts and a plan as text that a shell takes: what is to be
 * read is a comment.
 */
#include <stdio.h>
#include <string.h>

#include "../lib/buf.h"
#include "out.h"
#include "setup.h"

#define WIDTH	78		/* columns of a comment */

/* A sentence or more as comments, in lines that a console has. */
static void
put_text(struct buf *b, const char *first, const char *text)
{
	size_t	 n, col = strlen(first);

	put_fmt(b, "%s", first);
	for (; *text != '\0'; text += n) {
		while (*text == ' ')
			text++;
		n = strcspn(text, " ");
		if (col + n + 1 > WIDTH && col > 2) {
			put_fmt(b, "\n#");
			col = 1;
		}
		put_fmt(b, " %.*s", (int)n, text);
		col += n + 1;
	}
	put_u8(b, '\n');
}

static void
say_place(struct buf *b, const struct setup *p)
{
	const struct setup_place	*at = p->at;

	put_fmt(b, "# Store: %s", at->path);
	if (at->name != NULL) {
		put_fmt(b, " (");
		out_path(b, at->name);
		put_fmt(b, ")");
	}
	switch (at->holds) {
	case SETUP_NONE:
		put_fmt(b, ", a new file");
		break;
	case SETUP_STORE:
		put_fmt(b, ", which holds a store");
		break;
	case SETUP_BLANK:
	case SETUP_OTHER:
		put_fmt(b, ", blank, ");
		out_size(b, at->size);
		break;
	}
	if (p->f->set_in != NULL && at == &p->f->set)
		put_fmt(b, ", as %s says", p->f->set_in);
	put_u8(b, '\n');
}

static void
say_boot(struct buf *b, const struct facts *f)
{
	static const char *const	 inits[] = { NULL, "systemd",
	    "OpenRC", "rc" };
	struct buf	 t = BUF_INIT;
	size_t		 i;

	if (f->units.n + f->on.n == 0) {
		put_text(b, "#", "Boot: none of cfgfs's boot parts is "
		    "installed, so each boot has to be told: see "
		    "cfgfs-boot, or the package.");
		return;
	}
	put_fmt(&t, "Boot: %s", f->init == SETUP_NOINIT ? "no manager" :
	    inits[f->init]);
	for (i = 0; i < f->on.n; i++)
		put_fmt(&t, ", %s is enabled", f->on.v[i]);
	for (i = 0; i < f->units.n; i++)
		put_fmt(&t, "%s %s", i == 0 ? "; not enabled:" : ",",
		    f->units.v[i]);
	put_u8(&t, '\0');
	put_text(b, "#", t.bad ? "" : (char *)t.p);
	buf_free(&t);
}

static void
say_facts(struct buf *b, const struct setup *p)
{
	const struct facts	*f = p->f;

	if (f->served != NULL)
		put_fmt(b, "# %s: served by cfgfs\n", f->mount);
	else {
		put_fmt(b, "# %s: %s, on ", f->mount, f->type);
		out_path(b, f->from);
		put_fmt(b, "%s%s\n", f->ram ? ", a RAM disk" : "",
		    f->ro ? ", read-only" : "");
	}
	if (strcmp(p->base, f->mount) == 0)
		put_fmt(b, "# Base: %s as it is now\n", f->mount);
	else
		put_fmt(b, "# Base: %s\n", p->base);
	say_place(b, p);
	say_boot(b, f);
	if (f->record != NULL)
		put_fmt(b, "# Set up before: %s\n", f->record);
}

static void
say_image(struct buf *b, const struct setup *p)
{
	size_t	 i;

	if (p->image_lines.n == 0)
		return;
	put_text(b, "\n#", "By hand: the image has to say so, too, or the "
	    "next boot knows of nothing.  It is not changed here, as it "
	    "can't be, or is not all that there is of it.");
	for (i = 0; i < p->image_lines.n; i++)
		put_fmt(b, "#\t%s\n", p->image_lines.v[i]);
	if (p->f->bsd && p->f->conf_base != NULL)
		put_text(b, "#", "And it needs /conf/default/etc/extract in "
		    "the place of /conf/default/etc/remount: see "
		    "boot/nanobsd.");
}

void
setup_say(struct buf *b, const struct setup *p)
{
	const struct setup_step	*s;
	char			 first[16];
	size_t			 i, k;

	say_facts(b, p);
	for (i = 0; i < p->n; i++) {
		s = &p->v[i];
		(void)snprintf(first, sizeof(first), "\n# %zu.", i + 1);
		put_text(b, first, s->say);
		for (k = 0; k < s->cmds.n; k++)
			put_fmt(b, "%s\n", s->cmds.v[k]);
	}
	say_image(b, p);
}
