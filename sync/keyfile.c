/*
 * keyfile.c: what a file with a private key says without being decrypted.
 * OpenSSH's format is PROTOCOL.key of its sources.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "b64.h"
#include "keyfile.h"
#include "sshwire.h"

#define BEGIN		"-----BEGIN "
#define DASHES		"-----"
#define MAGIC		"openssh-key-v1"	/* its NUL belongs to it */

/* rsaEncryption, 1.2.840.113549.1.1.1, as PKCS#8 has it. */
static const uint8_t rsa_oid[] = { 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7,
    0x0d, 0x01, 0x01, 0x01 };

/* Where s is in n bytes, or NULL. */
static const uint8_t *
find(const uint8_t *p, size_t n, const void *s, size_t len)
{
	size_t	 i;

	for (i = 0; len <= n && i <= n - len; i++)
		if (memcmp(p + i, s, len) == 0)
			return p + i;
	return NULL;
}

static bool
str_is(const uint8_t *p, size_t n, const char *s)
{
	return p != NULL && n == strlen(s) && memcmp(p, s, n) == 0;
}

/* The decoded content of OpenSSH's format. */
static int
look_openssh(struct keyfile *k, const uint8_t *p, size_t n)
{
	struct rd	 r = { p, n, false };
	const uint8_t	*magic, *cipher, *pub, *type;
	size_t		 ncipher, npub, ntype, skip;
	struct rd	 blob;

	magic = rd_bytes(&r, sizeof(MAGIC));
	if (magic == NULL || memcmp(magic, MAGIC, sizeof(MAGIC)) != 0)
		return 0;
	cipher = sw_rdstr(&r, &ncipher);
	(void)sw_rdstr(&r, &skip);		/* kdf and its options */
	(void)sw_rdstr(&r, &skip);
	if (sw_rd32(&r) != 1)
		return 0;			/* it can hold many, in theory */
	pub = sw_rdstr(&r, &npub);
	if (r.bad)
		return 0;
	blob = (struct rd){ pub, npub, false };
	type = sw_rdstr(&blob, &ntype);
	if (type == NULL)
		return 0;
	k->is_key = true;
	k->encrypted = !str_is(cipher, ncipher, "none");
	k->rsa = str_is(type, ntype, "ssh-rsa");
	put_bytes(&k->pub, pub, npub);
	return k->pub.bad ? -ENOMEM : 0;
}

static int
look_inside(struct keyfile *k, bool openssh, const uint8_t *p, size_t n)
{
	size_t		 max = n / 4 * 3 + 3;
	uint8_t		*bin = malloc(max);
	ssize_t		 len;
	int		 rc = 0;

	if (bin == NULL)
		return -ENOMEM;
	len = b64_get(p, n, bin, max);
	if (len >= 0 && openssh)
		rc = look_openssh(k, bin, (size_t)len);
	else if (len >= 0) {
		k->is_key = true;
		k->rsa = find(bin, (size_t)len, rsa_oid, sizeof(rsa_oid)) !=
		    NULL;
	}
	explicit_bzero(bin, max);
	free(bin);
	return rc;
}

int
keyfile_look(struct keyfile *k, const struct buf *file)
{
	const uint8_t	*p, *end, *label, *stop;
	size_t		 n;

	memset(k, 0, sizeof(*k));
	if (file->p == NULL)
		return 0;
	end = file->p + file->len;
	p = find(file->p, file->len, BEGIN, strlen(BEGIN));
	if (p == NULL)
		return 0;
	label = p + strlen(BEGIN);
	p = find(label, (size_t)(end - label), DASHES, strlen(DASHES));
	if (p == NULL)
		return 0;
	n = (size_t)(p - label);
	p += strlen(DASHES);
	stop = find(p, (size_t)(end - p), DASHES, strlen(DASHES));
	if (stop == NULL)
		return 0;
	if (str_is(label, n, "OPENSSH PRIVATE KEY"))
		return look_inside(k, true, p, (size_t)(stop - p));
	if (str_is(label, n, "PRIVATE KEY"))
		return look_inside(k, false, p, (size_t)(stop - p));
	k->rsa = str_is(label, n, "RSA PRIVATE KEY");
	k->encrypted = str_is(label, n, "ENCRYPTED PRIVATE KEY");
	k->is_key = k->rsa || k->encrypted ||
	    str_is(label, n, "EC PRIVATE KEY");
	if (find(p, (size_t)(stop - p), "Proc-Type: 4,ENCRYPTED", 22) != NULL)
		k->encrypted = true;
	return 0;
}
