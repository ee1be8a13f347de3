/*
 * viewmany.c: the same thing very many times: what must stay small.
 */
#include <sys/stat.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "viewtool.h"

/*
 * saves TREE COUNT UNIQUE: save one file over and over by a temporary file
 * and rename; the temporary name is always the same, or (UNIQUE 1) never.
 */
int
verb_saves(int argc, char **argv)
{
	char	 tmp[64];
	long	 i, n;
	int	 fd, unique;

	if (argc < 3 || chdir(argv[0]) == -1)
		return 64;
	n = atol(argv[1]);
	unique = atoi(argv[2]);
	for (i = 0; i < n; i++) {
		snprintf(tmp, sizeof(tmp), ".saved.%ld.%d", unique ? i : 0L,
		    unique ? (int)getpid() : 0);
		fd = open(tmp, O_WRONLY | O_CREAT | O_EXCL, 0644);
		if (fd == -1 || write(fd, tmp, sizeof(tmp)) == -1 ||
		    close(fd) == -1 || rename(tmp, "saved") == -1) {
			perror(tmp);
			return 1;
		}
	}
	return 0;
}

/*
 * hog TREE FILES: make files, hold each open after it is unlinked; each
 * must still hold what was written to it.  Says how many it could have.
 */
int
verb_hog(int argc, char **argv)
{
	char		 name[64], b[64];
	struct stat	 st;
	int		*fd, i, n, bad = 0;

	n = argc < 2 ? 0 : atoi(argv[1]);
	if (n <= 0 || chdir(argv[0]) == -1 ||
	    (fd = calloc((size_t)n, sizeof(*fd))) == NULL)
		return 64;
	for (i = 0; i < n; i++) {
		snprintf(name, sizeof(name), "hog%d", i);
		fd[i] = open(name, O_RDWR | O_CREAT | O_EXCL, 0600);
		if (fd[i] == -1 || write(fd[i], name, sizeof(name)) == -1)
			break;
		if (unlink(name) == -1) {
			(void)close(fd[i]);
			break;		/* it has its name still */
		}
	}
	n = i;
	for (i = 0; i < n; i++) {
		snprintf(name, sizeof(name), "hog%d", i);
		if (fstat(fd[i], &st) == -1 || st.st_nlink != 0 ||
		    st.st_size != sizeof(name) ||
		    pwrite(fd[i], "+", 1, sizeof(name)) != 1 ||
		    pread(fd[i], b, sizeof(b), 0) != sizeof(b) ||
		    b[3] != name[3] || b[4] != name[4])
			bad++;
	}
	printf("held %d bad %d\n", n, bad);
	return bad > 0;
}
