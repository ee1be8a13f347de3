/*
 * oscopy.c: os_copy(), with what the systems have alike: holes by
 * lseek(2), and copy_file_range(2).
 */
#include <sys/param.h>
#include <sys/stat.h>

#include <errno.h>
#include <unistd.h>

#include "osdep.h"

/* Below this, asking the kernel to copy costs more than it saves. */
#define COPY_SMALL	(128 * 1024)

/* Copy up to n bytes by reading and writing; *eof where fewer came. */
static int
copy_rw(int from, int to, uint64_t n, bool *eof)
{
	char	 buf[32 * 1024];
	ssize_t	 r, w, k;

	while (n > 0) {
		r = read(from, buf, n < sizeof(buf) ? (size_t)n : sizeof(buf));
		if (r == -1) {
			if (errno == EINTR)
				continue;
			return -errno;
		}
		if (r == 0) {
			*eof = true;
			return 0;
		}
		for (w = 0; w < r; w += k)
			if ((k = write(to, buf + w, (size_t)(r - w))) == -1) {
				if (errno != EINTR)
					return -errno;
				k = 0;
			}
		n -= (uint64_t)r;
	}
	return 0;
}

/* The same by copy_file_range(2), as far as that gets. */
static int
copy_range(int from, int to, uint64_t n, bool *eof)
{
#if !defined(__FreeBSD__) || __FreeBSD_version >= 1300037
	ssize_t	 k;

	while (n >= COPY_SMALL) {
		k = copy_file_range(from, NULL, to, NULL,
		    n < 1u << 30 ? (size_t)n : 1u << 30, 0);
		if (k <= 0)
			break;	/* not between these two, or the end */
		n -= (uint64_t)k;
	}
#endif
	return copy_rw(from, to, n, eof);
}

/*
 * Copy the data between pos and end, and skip the holes.  `to` is at the
 * place where pos goes.
 */
static int
copy_sparse(int from, int to, off_t pos, off_t end, bool *eof)
{
	struct stat	 st;
	off_t		 data, hole, out;
	int		 rc;

	/* What to add to an offset in `from`. */
	if ((out = lseek(to, 0, SEEK_CUR)) == -1)
		return -errno;
	out -= pos;
	for (; pos < end; pos = hole) {
		if ((data = lseek(from, pos, SEEK_DATA)) == -1) {
			if (errno != ENXIO)
				return -errno;
			break;		/* a hole up to the end */
		}
		if (data >= end)
			break;
		if ((hole = lseek(from, data, SEEK_HOLE)) == -1)
			return -errno;
		if (hole > end)
			hole = end;
		if (lseek(from, data, SEEK_SET) == -1 ||
		    lseek(to, data + out, SEEK_SET) == -1)
			return -errno;
		rc = copy_range(from, to, (uint64_t)(hole - data), eof);
		if (rc < 0 || *eof)
			return rc;
	}
	if (lseek(from, end, SEEK_SET) == -1 ||
	    lseek(to, end + out, SEEK_SET) == -1 || fstat(to, &st) == -1)
		return -errno;
	if (st.st_size < end + out && ftruncate(to, end + out) == -1)
		return -errno;
	return 0;
}

int
os_copy(int from, int to, uint64_t n)
{
	struct stat	 st;
	off_t		 pos;
	bool		 eof = false;

	if (fstat(from, &st) == -1)
		return -errno;
	/* Fewer blocks than bytes: there are holes, if they can be told. */
	if (S_ISREG(st.st_mode) && st.st_blocks < st.st_size / 512 &&
	    lseek(to, 0, SEEK_CUR) != -1 &&
	    (pos = lseek(from, 0, SEEK_CUR)) != -1 && pos < st.st_size &&
	    lseek(from, pos, SEEK_HOLE) != -1 &&
	    lseek(from, pos, SEEK_SET) == pos) {
		if (n > (uint64_t)(st.st_size - pos))
			n = (uint64_t)(st.st_size - pos);
		return copy_sparse(from, to, pos, pos + (off_t)n, &eof);
	}
	return copy_range(from, to, n, &eof);
}
