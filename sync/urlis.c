/*
 * urlis.c: telling what lies on another host from what lies here.
 */
#include <string.h>

#include "url.h"

bool
url_is(const char *s)
{
	return strncmp(s, "sftp://", 7) == 0;
}
