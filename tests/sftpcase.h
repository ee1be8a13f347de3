/*
 * sftpcase.h: what tests of the SFTP client share: one session at a time,
 * with a real server, and a directory that is made for the test.
 */
#ifndef SFTPCASE_H
#define SFTPCASE_H

#include "sftpkit.h"
#include "tap.h"

#define SECONDS	20		/* no answer takes so long */

extern struct far_host	 host;
extern struct filter	 flt;		/* over it */
extern struct sftp	*s;		/* the session */
extern struct err	 e;		/* of whatever was called last */
extern bool		 plain;	/* the next host has no extensions */

/* main(): a directory, the cases, and all is gone again. */
int	case_main(int argc, char **argv, const struct tap_case *, size_t n);
const char *case_dir(void);
/* The path of this name in it; good for three more calls. */
const char *at(const char *name);
/* Whether the line in e has these words; what it has is printed. */
bool	says(const char *);

void	put_file(const char *name, const void *, size_t, unsigned mode);
bool	file_is(const char *name, const void *, size_t);

/* Start a server as host_start() does, and a session; false: it's said. */
bool	case_begin(int kind, uid_t uid, uint64_t fsize);
void	case_end(void);
/* Run a case with each server; and once more without extensions. */
void	with_each(void (*fn)(void));
void	with_each_and_less(void (*fn)(void));

#endif
