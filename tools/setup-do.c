/*
 * setup-do.c: what a plan says, done.
 */
#include <sys/stat.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../config.h"
#include "../lib/buf.h"
#include "../lib/osdep.h"
#include "hook.h"
#include "init.h"
#include "remote.h"
#include "setup-do.h"
#include "spawn.h"

#define WORDS		16	/* of a command */
#define SECONDS		900	/* an initramfs takes its time */

struct job {
	struct cfg	*c;
	const struct setup *p;
	struct note	 note;
	struct err	*e;
};

static int
run_words(const char *file, char *const *argv, bool tell, struct err *e)
{
	char		*env[] = { (char *)(uintptr_t)"PATH=" SPAWN_PATH,
			    (char *)(uintptr_t)"LC_ALL=C", NULL };
	struct buf	 out = BUF_INIT;
	struct spawn	 s = { .file = file, .argv = argv, .env = env,
			    .in = -1, .seconds = SECONDS, .out = &out };
	int		 rc = spawn_run(&s, e);

	if (rc != 0 || tell)
		hook_show(&out);
	buf_free(&out);
	return rc == 1 ? -EIO : rc;
}

int
setup_run(const char *command, struct err *e)
{
	char	*argv[WORDS + 1], *text = strdup(command), *save = NULL;
	char	 file[256];
	struct err why;
	size_t	 n = 0;
	int	 rc;

	if (text == NULL)
		return err_set(e, ENOMEM, "%s", command);
	argv[0] = strtok_r(text, " ", &save);
	while (argv[n] != NULL && n + 1 < WORDS)
		argv[++n] = strtok_r(NULL, " ", &save);
	argv[n] = NULL;
	if (!spawn_find(argv[0], strlen(argv[0]), file, sizeof(file)))
		rc = err_setx(e, ENOENT, "%s: there is no such program",
		    argv[0]);
	else if ((rc = run_words(file, argv, false, &why)) < 0)
		rc = err_setx(e, -rc, "%s: %s", command, why.msg);
	free(text);
	return rc;
}

int
setup_cfg(const struct cfg *c, char *const *argv, struct err *e)
{
	int	 rc = other_run(c, "cfg-more", argv);

	return rc == 0 ? 0 : err_setx(e, EIO, "cfg %s failed", argv[3]);
}

/* cfgfs: beside this program, or where it is installed, or in the PATH. */
static int
run_cfgfs(struct job *j, char *const *argv)
{
	const char	*self = *j->c->argv, *slash = strrchr(self, '/');
	char		 file[256];

	(void)snprintf(file, sizeof(file), "%.*scfgfs", slash == NULL ? 0 :
	    (int)(slash - self) + 1, self);
	if (slash == NULL || access(file, X_OK) == -1)
		(void)snprintf(file, sizeof(file), "%s/cfgfs", SBINDIR);
	if (access(file, X_OK) == -1 &&
	    !spawn_find("cfgfs", 5, file, sizeof(file)))
		return err_setx(j->e, ENOENT, "cfgfs: there is no such "
		    "program");
	return run_words(file, argv, true, j->e);
}

/* ---- the steps */

/* What was looked at may be another thing by now. */
static int
look_again(struct job *j)
{
	struct setup_place	 now = { .path = NULL };
	int			 rc;

	if (j->p->at->file || !j->p->guessed)
		return 0;
	now.path = strdup(j->p->at->path);
	rc = now.path == NULL ? err_set(j->e, ENOMEM, "setup") :
	    place_look(&now, j->e);
	if (rc == 0 && now.holds != SETUP_BLANK)
		rc = err_setx(j->e, EEXIST, "%s: is not blank any more",
		    now.path);
	place_free(&now);
	return rc;
}

static int
do_make(struct job *j)
{
	const struct setup_place	*at = j->p->at;
	struct init	 in = { .c = j->c, .path = at->path };
	char		*dir;
	int		 rc = 0;

	if (at->file) {
		in.size = j->p->f->size;
		if (in.size == 0 && at != &j->p->f->in_cfg)
			in.size = SETUP_FILE;
		if ((dir = strdup(at->path)) == NULL)
			return err_set(j->e, ENOMEM, "setup");
		*strrchr(dir, '/') = '\0';
		if (at == &j->p->f->file)
			rc = note_mkdir(&j->note, dir, j->e);
		free(dir);
	}
	if (rc == 0 && (rc = look_again(j)) == 0)
		rc = init_store(&in, j->e);
	/* Behind it: what it refuses to overwrite must not be ours. */
	return rc == 0 ? note_put(&j->note, "made-store", at->path, j->e) :
	    rc;
}

static int
mount_cfg(struct job *j, bool *was)
{
	struct os_mnt	 m;
	char		 cmd[300];

	*was = os_mnt_at(j->p->f->cfg, &m, j->e) == 0;
	if (*was) {
		os_mnt_free(&m);
		return 0;
	}
	(void)snprintf(cmd, sizeof(cmd), "mount -r %s", j->p->f->cfg);
	return setup_run(cmd, j->e);
}

static int
do_import(struct job *j)
{
	const struct setup	*p = j->p;
	char	*argv[] = { *j->c->argv, (char *)(uintptr_t)"-s", p->at->path,
		    (char *)(uintptr_t)"import",
		    (char *)(uintptr_t)"--base", p->base, p->f->cfg, NULL };
	struct err	 ignored;
	bool		 was;
	int		 rc;

	if ((rc = note_put(&j->note, "import", p->f->cfg, j->e)) < 0 ||
	    (rc = mount_cfg(j, &was)) < 0)
		return rc;
	rc = setup_cfg(j->c, argv, j->e);
	if (!was && rc == 0)
		rc = os_unmount(p->f->cfg, false, j->e);
	else if (!was)
		(void)os_unmount(p->f->cfg, false, &ignored);
	return rc;
}

static int
do_lines(struct job *j)
{
	const struct setup	*p = j->p;
	char	*dir = strdup(p->conf), *l;
	size_t	 i;
	bool	 cut;
	int	 rc;

	if (dir == NULL)
		return err_set(j->e, ENOMEM, "setup");
	*strrchr(dir, '/') = '\0';
	rc = note_mkdir(&j->note, dir, j->e);
	free(dir);
	if (rc == 0 && access(p->conf, F_OK) == -1)
		rc = note_put(&j->note, "made-file", p->conf, j->e);
	for (i = 0; rc == 0 && i < p->lines.n; i++) {
		if (asprintf(&l, "%s %s", p->conf, p->lines.v[i]) == -1)
			return err_set(j->e, ENOMEM, "setup");
		rc = note_put(&j->note, "line", l, j->e);
		free(l);
	}
	if (rc == 0 && (rc = lines_add(p->conf, &p->lines, &cut,
	    j->e)) == 0 && cut)
		rc = note_put(&j->note, "cut", p->conf, j->e);
	return rc;
}

static int
do_commands(struct job *j, const struct setup_step *s)
{
	size_t	 i;
	int	 rc = 0;

	for (i = 0; rc == 0 && i < s->cmds.n; i++)
		rc = setup_run(s->cmds.v[i], j->e);
	return rc;
}

static int
do_enable(struct job *j, const struct setup_step *s)
{
	const struct facts	*f = j->p->f;
	const char		*key = f->init == SETUP_SYSTEMD ? "systemd" :
				    "openrc";
	size_t			 i;
	int			 rc = 0;

	for (i = 0; rc == 0 && i < f->units.n; i++)
		rc = note_put(&j->note, key, f->units.v[i], j->e);
	return rc < 0 ? rc : do_commands(j, s);
}

static int
bind_image(struct job *j)
{
	const struct setup	*p = j->p;
	struct os_mnt		 m;
	char			*up;
	int			 rc;

	if (p->image == NULL)
		return 0;
	if ((up = strdup(p->f->mount)) == NULL)
		return err_set(j->e, ENOMEM, "setup");
	*strrchr(up, '/') = '\0';
	rc = note_put(&j->note, "image", p->image, j->e);
	if (rc == 0 && mkdir(p->image, 0755) == -1 && errno != EEXIST)
		rc = err_set(j->e, errno, "mkdir %s", p->image);
	if (rc == 0 && os_mnt_at(p->image, &m, NULL) == 0)
		os_mnt_free(&m);
	else if (rc == 0)
		rc = os_mount_bind(*up == '\0' ? "/" : up, p->image, true,
		    j->e);
	free(up);
	return rc;
}

static int
do_view(struct job *j)
{
	const struct setup	*p = j->p;
	char			*opts;
	int			 rc;

	if ((rc = bind_image(j)) < 0 ||
	    (rc = note_put(&j->note, "view", p->f->mount, j->e)) < 0)
		return rc;
	if (strcmp(p->base, p->f->mount) == 0)
		rc = asprintf(&opts, "store=%s", p->at->path);
	else
		rc = asprintf(&opts, "store=%s,base=%s", p->at->path, p->base);
	if (rc == -1)
		return err_set(j->e, ENOMEM, "setup");
	char *const	 argv[] = { (char *)(uintptr_t)"cfgfs",
			    (char *)(uintptr_t)"-o", opts, p->f->mount,
			    NULL };

	rc = run_cfgfs(j, argv);
	free(opts);
	return rc;
}

static int
do_step(struct job *j, const struct setup_step *s)
{
	switch (s->kind) {
	case SETUP_MAKE:
		return do_make(j);
	case SETUP_IMPORT:
		return do_import(j);
	case SETUP_LINES:
		return do_lines(j);
	case SETUP_ENABLE:
		return do_enable(j, s);
	case SETUP_INITRD:
		return do_commands(j, s);
	case SETUP_VIEW:
		return do_view(j);
	}
	return -EINVAL;
}

/* What holds of all of it, before anything is done. */
static int
begin(struct job *j)
{
	const struct setup	*p = j->p;
	char			*dir;
	int			 rc;

	if ((rc = note_load(&j->note, p->record, j->e)) < 0)
		return rc;
	if ((dir = strdup(p->record)) == NULL)
		return err_set(j->e, ENOMEM, "setup");
	*strrchr(dir, '/') = '\0';
	rc = note_mkdir(&j->note, dir, j->e);
	free(dir);
	if (rc == 0 && (rc = note_put(&j->note, "mount", p->f->mount,
	    j->e)) == 0 && (rc = note_put(&j->note, "base", p->base,
	    j->e)) == 0)
		rc = note_put(&j->note, "store", p->at->path, j->e);
	return rc;
}

int
setup_do(struct cfg *c, const struct setup *p, struct err *e)
{
	struct job	 j = { .c = c, .p = p, .e = e };
	size_t		 i;
	int		 rc = begin(&j);
	const bool	 fresh = p->f->record == NULL;

	for (i = 0; rc == 0 && i < p->n; i++) {
		(void)printf("%zu of %zu: %s\n", i + 1, p->n, p->v[i].say);
		(void)fflush(stdout);
		rc = do_step(&j, &p->v[i]);
	}
	if (rc < 0 && i <= 1 && fresh)
		note_forget(&j.note);
	else if (rc < 0 && i > 1)
		(void)printf("The %zu before are done.  cfg setup goes on, "
		    "cfg setup --undo takes them back.\n", i - 1);
	note_free(&j.note);
	return rc;
}
