/*
 * seal-key.c: files of keys.
 */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../lib/osdep.h"
#include "b64.h"
#include "seal-int.h"

#define WORD		"cfgfs-key-1 "
#define WORD_LEN	(sizeof(WORD) - 1)
#define CHARS		((SEAL_KEY + 2) / 3 * 4)
#define LINE_LEN	(WORD_LEN + CHARS)

static int
none(const char *file, struct err *e)
{
	return err_setx(e, EINVAL, "%s: not a key that cfg-mirror made", file);
}

/* The line, with or without its newline. */
static bool
parse(const uint8_t *p, size_t n, uint8_t key[SEAL_KEY])
{
	size_t	 i;

	if (n == LINE_LEN + 1 && p[LINE_LEN] == '\n')
		n--;
	if (n != LINE_LEN || memcmp(p, WORD, WORD_LEN) != 0)
		return false;
	for (i = WORD_LEN; i < n; i++)
		if (p[i] <= ' ')	/* which b64_get() would leave out */
			return false;
	return b64_get(p + WORD_LEN, CHARS, key, SEAL_KEY) == SEAL_KEY;
}

static int
read_line(int fd, const char *file, uint8_t key[SEAL_KEY], struct err *e)
{
	uint8_t		 line[LINE_LEN + 2];	/* more than there may be */
	struct stat	 st;
	size_t		 n = 0;
	ssize_t		 k = 1;
	int		 rc = 0;

	if (fstat(fd, &st) == -1)
		return err_set(e, errno, "stat %s", file);
	if (!S_ISREG(st.st_mode))
		return none(file, e);
	if ((st.st_mode & (S_IRWXG | S_IRWXO)) != 0)
		return err_setx(e, EPERM, "%s: a key that others than its "
		    "owner can use (mode %04o)", file,
		    (unsigned)(st.st_mode & 07777));
	while (n < sizeof(line) && k > 0) {
		if ((k = read(fd, line + n, sizeof(line) - n)) > 0)
			n += (size_t)k;
		else if (k == -1 && errno == EINTR)
			k = 1;
		else if (k == -1)
			rc = err_set(e, errno, "read %s", file);
	}
	if (rc == 0 && !parse(line, n, key))
		rc = none(file, e);
	explicit_bzero(line, sizeof(line));
	return rc;
}

int
seal_key_read(const char *file, uint8_t key[SEAL_KEY], struct err *e)
{
	int	 fd, rc;

	/* Not to wait for who writes to a pipe of that name. */
	if ((fd = open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK)) == -1)
		return err_set(e, errno, "open %s", file);
	if ((rc = read_line(fd, file, key, e)) < 0)
		explicit_bzero(key, SEAL_KEY);
	(void)close(fd);		/* only read */
	return rc;
}

/* Make the name of a new file last. */
static int
sync_parent(const char *file)
{
	const char	*slash = strrchr(file, '/');
	char		*dir;
	int		 fd, rc = 0;

	dir = slash == NULL ? strdup(".") :
	    strndup(file, slash == file ? 1 : (size_t)(slash - file));
	if (dir == NULL)
		return -ENOMEM;
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	free(dir);
	if (fd == -1)
		return -errno;
	/* EINVAL: a file system that has no such thing. */
	if (fsync(fd) == -1 && errno != EINVAL)
		rc = -errno;
	(void)close(fd);
	return rc;
}

static int
write_line(int fd, const struct buf *b)
{
	size_t	 n;
	ssize_t	 k;

	for (n = 0; n < b->len; n += (size_t)k)
		if ((k = write(fd, b->p + n, b->len - n)) == -1) {
			if (errno != EINTR)
				return -errno;
			k = 0;
		}
	return fsync(fd) == -1 ? -errno : 0;
}

int
seal_key_make(const char *file, struct err *e)
{
	uint8_t		 key[SEAL_KEY];
	struct buf	 b = BUF_INIT;
	int		 fd = -1, rc;

	/* At once in one piece: what it grew out of would stay in memory. */
	if (buf_room(&b, LINE_LEN + 1) == NULL)
		return err_set(e, ENOMEM, "create %s", file);
	os_random(key, sizeof(key));
	put_bytes(&b, WORD, WORD_LEN);
	b64_put(&b, key, sizeof(key));
	put_u8(&b, '\n');
	explicit_bzero(key, sizeof(key));
	fd = open(file, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd == -1) {
		rc = err_set(e, errno, "create %s", file);
		goto out;
	}
	rc = write_line(fd, &b);
	if (close(fd) == -1 && rc == 0)
		rc = -errno;
	if (rc == 0)
		rc = sync_parent(file);
	if (rc < 0) {
		(void)unlink(file);	/* the first failure counts */
		rc = err_set(e, -rc, "create %s", file);
	}
out:
	explicit_bzero(b.p, b.len);
	buf_free(&b);
	return rc;
}
