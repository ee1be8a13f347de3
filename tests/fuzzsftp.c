/*
 * fuzzsftp.c: whatever a server says does the SFTP client no harm: the
 * input is all that it says, from the greeting on.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fuzzrun.h"
#include "sftpkit.h"

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct script	 sc;
	struct session	 res;
	struct err	 e;
	const char	*c;
	int		 rc, early;

	for (early = 0; early < 2; early++) {
		e = (struct err){ 0, "" };
		script_open(&sc, p, n);
		sc.early = early != 0;
		rc = session_run(&sc.st, "/f", &res, &e);
		FUZZ_MUST(rc <= 0 && (rc == 0 || e.code == -rc));
		FUZZ_MUST(rc == 0 || strstr(e.msg, "far") != NULL);
		FUZZ_MUST(rc != 0 || res.got <= sizeof(res.tail));
		for (c = e.msg; *c != '\0'; c++)
			FUZZ_MUST((unsigned char)*c >= ' ' && *c != 0x7f);
	}
	return 0;
}

#ifndef LIBFUZZER
int
main(int argc, char **argv)
{
	static const char	 hello[] = "\0\0\0\x05\x02\0\0\0\x03";
	char			 dir[] = "/tmp/cfgfs-fuzzsftp.XXXXXX";
	struct buf		 seeds[KINDS + 1];
	size_t			 i, n = 1;
	int			 kind, rc;

	memset(seeds, 0, sizeof(seeds));
	put_bytes(&seeds[0], hello, sizeof(hello) - 1);
	FUZZ_MUST(mkdtemp(dir) != NULL);
	for (kind = 0; kind < KINDS; kind++)
		if (host_has(kind) && session_record(kind, dir, &seeds[n]))
			n++;
	FUZZ_MUST(rmdir(dir) == 0);	/* the session removed its file */
	rc = fuzz_main(argc, argv, seeds, n, 10000);
	for (i = 0; i < n; i++)
		buf_free(&seeds[i]);
	return rc;
}
#endif
