/*
 * confedit.c: a line more or less in the configuration, saved as an editor
 * does it: a new file that takes the place of the old.
 */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "conf.h"
#include "confedit.h"
#include "out.h"

/* Write the text to a new file with the old one's mode and owner. */
static int
write_new(const char *tmp, const char *file, const struct buf *b)
{
	struct stat	 st = { .st_mode = 0644, .st_uid = (uid_t)-1,
	    .st_gid = (gid_t)-1 };
	int		 fd, rc;

	(void)stat(file, &st);		/* or as a new one is */
	(void)unlink(tmp);		/* left by one that was killed */
	fd = open(tmp, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
	    0600);
	if (fd == -1)
		return -errno;
	if (fchown(fd, st.st_uid, st.st_gid) == -1 ||
	    fchmod(fd, st.st_mode & 07777) == -1)
		rc = -errno;
	else
		rc = out_fd(fd, b);
	if (close(fd) == -1 && rc == 0)
		rc = -errno;
	if (rc == 0 && rename(tmp, file) == -1)
		rc = -errno;
	if (rc < 0)
		(void)unlink(tmp);
	return rc;
}

static int
save(const char *root, const struct buf *b, struct err *e)
{
	char	*dir = NULL, *file = NULL, *tmp = NULL;
	int	 rc = 0;

	if (asprintf(&dir, "%s/cfgfs", root) == -1)
		dir = NULL;
	else if (asprintf(&file, "%s/config", dir) == -1)
		file = NULL;
	else if (asprintf(&tmp, "%s/.config.new", dir) == -1)
		tmp = NULL;
	if (tmp == NULL || b->bad)
		rc = -ENOMEM;
	else if (mkdir(dir, 0755) == -1 && errno != EEXIST)
		rc = -errno;
	else
		rc = write_new(tmp, file, b);
	rc = rc < 0 ? err_set(e, -rc, "write %s/cfgfs/config", root) : 0;
	free(dir);
	free(file);
	free(tmp);
	return rc;
}

/* Whether it can be one word of a line. */
static bool
word_ok(const char *s)
{
	for (; *s != '\0'; s++)
		if ((unsigned char)*s <= ' ' || *s == '#' || *s == 0x7f)
			return false;
	return true;
}

static int
put_word(struct buf *b, const char *key, const char *v, struct err *e)
{
	if (v == NULL)
		return 0;
	if (*v == '\0' || !word_ok(v))
		return err_setx(e, EINVAL, "%.100s: can't be in the "
		    "configuration: blanks or a #", v);
	put_fmt(b, " %s%s", key, v);
	return 0;
}

/* The file, without its NUL and with a newline at its end. */
static int
text(const char *root, struct buf *b, struct err *e)
{
	char	*file;
	int	 rc;

	if (asprintf(&file, "%s/cfgfs/config", root) == -1)
		return err_set(e, ENOMEM, "configuration");
	if ((rc = conf_load(file, b, e)) == 0 && b->len > 0) {
		b->len--;
		if (b->len > 0 && b->p[b->len - 1] != '\n')
			put_u8(b, '\n');
	}
	free(file);
	return rc;
}

int
conf_add(const char *root, const struct conf_far *f, struct err *e)
{
	struct buf	 b = BUF_INIT;
	struct conf	 c;
	int		 rc;

	if ((rc = conf_read(&c, root, e)) < 0)
		return rc;
	if (!conf_name_ok(f->name))
		rc = err_setx(e, EINVAL, "%.100s: not a name", f->name);
	else if (conf_mirror(&c, f->name) != NULL)
		rc = err_setx(e, EEXIST, "%s: there is a mirror of that name",
		    f->name);
	conf_free(&c);
	if (rc == 0)
		rc = text(root, &b, e);
	put_fmt(&b, "mirror %s", f->name);
	if (rc == 0 && (rc = put_word(&b, "", f->url, e)) == 0 &&
	    (rc = put_word(&b, "key=", f->key, e)) == 0 &&
	    (rc = put_word(&b, "known-hosts=", f->known, e)) == 0 &&
	    (rc = put_word(&b, "encrypt=", f->encrypt, e)) == 0) {
		if (f->timeout != CONF_TIMEOUT)
			put_fmt(&b, " timeout=%d", f->timeout);
		put_fmt(&b, "%s\n", f->manual ? " manual" : "");
		rc = save(root, &b, e);
	}
	buf_free(&b);
	return rc;
}

/* Whether this line (n bytes) is the mirror's. */
static bool
is_line_of(const char *p, size_t n, const char *name)
{
	char	*s = strndup(p, n), *tok, *w;
	bool	 yes;

	if (s == NULL)
		return false;
	s[strcspn(s, "#")] = '\0';
	w = strtok_r(s, " \t\r", &tok);
	yes = w != NULL && strcmp(w, "mirror") == 0 &&
	    (w = strtok_r(NULL, " \t\r", &tok)) != NULL &&
	    strcmp(w, name) == 0;
	free(s);
	return yes;
}

int
conf_remove(const char *root, const char *name, struct err *e)
{
	struct buf	 b = BUF_INIT, out = BUF_INIT;
	const char	*p, *end;
	bool		 found = false;
	size_t		 n;
	int		 rc;

	if ((rc = text(root, &b, e)) < 0)
		goto out;
	p = (char *)b.p;
	for (end = p + b.len; p < end; p += n) {
		n = (size_t)((const char *)memchr(p, '\n',
		    (size_t)(end - p)) - p) + 1;
		if (is_line_of(p, n - 1, name))
			found = true;
		else
			put_bytes(&out, p, n);
	}
	rc = found ? save(root, &out, e) : err_setx(e, ENOENT,
	    "%.100s: there is no mirror of that name", name);
out:
	buf_free(&b);
	buf_free(&out);
	return rc;
}
