/*
 * urlis.c: what is an address on another host, and what a path.  All of
 * url.h that cfg itself needs.
 */
#include <strings.h>

#include "url.h"

bool
url_is(const char *s)
{
	return strncasecmp(s, "sftp://", 7) == 0;
}
