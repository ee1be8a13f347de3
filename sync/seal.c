/*
 * seal.c: keys, sealing and opening.  All that is libsodium's is here.
 *
 * Every key comes from that of the file by crypto_kdf: one for the salt,
 * one that makes the store's own of the salt, and from this one for each
 * purpose.
 */
#include <errno.h>
#include <string.h>

#include <sodium.h>

#include "../lib/crc.h"
#include "seal-int.h"

#define CONTEXT	"cfgseal1"	/* crypto_kdf_CONTEXTBYTES */

_Static_assert(SEAL_KEY == crypto_kdf_KEYBYTES, "key");
_Static_assert(sizeof(CONTEXT) - 1 == crypto_kdf_CONTEXTBYTES, "context");
_Static_assert(SEAL_TAG == crypto_aead_xchacha20poly1305_ietf_ABYTES, "tag");
_Static_assert(SEAL_NONCE == crypto_aead_xchacha20poly1305_ietf_NPUBBYTES,
    "nonce");
_Static_assert(SH_SUPER + SUPER_LEN + SEAL_TAG <= SH_LEN - 4, "header");
_Static_assert(SF_MORE < SEAL_OVER, "frame");

enum { SUB_SALT = 1, SUB_STORE };		/* of the file's key */
enum { SUB_NONCE = 1, SUB_SUPER, SUB_HEAD, SUB_REST };	/* of the store's */

int
seal_init(struct err *e)
{
	if (sodium_init() < 0)
		return err_setx(e, EIO, "libsodium can't be used");
	return 0;
}

/* These can fail only for lengths, which are constants here. */
static void
derive(uint8_t out[32], uint64_t id, const uint8_t key[32])
{
	(void)crypto_kdf_derive_from_key(out, 32, id, CONTEXT, key);
}

static void
keyed_hash(uint8_t *out, size_t n, const uint8_t *p, size_t len,
    const uint8_t key[32])
{
	(void)crypto_generichash(out, n, p, len, key, 32);
}

static void
derive_keys(struct seal_keys *k, const uint8_t key[SEAL_KEY],
    const uint8_t salt[SEAL_SALT])
{
	uint8_t	 sub[32], store[32];

	derive(sub, SUB_STORE, key);
	keyed_hash(store, sizeof(store), salt, SEAL_SALT, sub);
	derive(k->nonce, SUB_NONCE, store);
	derive(k->super, SUB_SUPER, store);
	derive(k->head, SUB_HEAD, store);
	derive(k->rest, SUB_REST, store);
	sodium_memzero(sub, sizeof(sub));
	sodium_memzero(store, sizeof(store));
}

void
seal_forget(struct seal_keys *k)
{
	sodium_memzero(k, sizeof(*k));
}

static void
enclose(uint8_t *out, const uint8_t *p, size_t n, const uint8_t *ad,
    size_t nad, const uint8_t nonce[SEAL_NONCE], const uint8_t key[32])
{
	(void)crypto_aead_xchacha20poly1305_ietf_encrypt(out, NULL, p, n, ad,
	    nad, NULL, nonce, key);
}

/* n bytes from n + SEAL_TAG. */
static bool
disclose(uint8_t *out, const uint8_t *p, size_t n, const uint8_t *ad,
    size_t nad, const uint8_t nonce[SEAL_NONCE], const uint8_t key[32])
{
	if (crypto_aead_xchacha20poly1305_ietf_decrypt(out, NULL, NULL, p,
	    n + SEAL_TAG, ad, nad, nonce, key) == 0)
		return true;
	memset(out, 0, n);
	return false;
}

/* --- the copy's header */

void
seal_super(uint8_t b[SH_LEN], struct seal_head *h, struct seal_keys *k,
    const uint8_t key[SEAL_KEY], const uint8_t super[SUPER_LEN])
{
	uint8_t	 sub[32];

	derive(sub, SUB_SALT, key);
	keyed_hash(h->salt, SEAL_SALT, super, SUPER_LEN, sub);
	sodium_memzero(sub, sizeof(sub));
	derive_keys(k, key, h->salt);
	seal_head_put(b, h);
	keyed_hash(b + SH_NONCE, SEAL_NONCE, super, SUPER_LEN, k->nonce);
	enclose(b + SH_SUPER, super, SUPER_LEN, b, SH_CLEAR, b + SH_NONCE,
	    k->super);
	seal_head_sum(b);
}

int
seal_unsuper(const uint8_t b[SH_LEN], const struct seal_head *h,
    struct seal_keys *k, const uint8_t key[SEAL_KEY],
    uint8_t super[SUPER_LEN])
{
	derive_keys(k, key, h->salt);
	if (disclose(super, b + SH_SUPER, SUPER_LEN, b, SH_CLEAR,
	    b + SH_NONCE, k->super))
		return 0;
	seal_forget(k);
	return -EACCES;
}

/* --- frames */

static void
frame_nonce(uint8_t out[SEAL_NONCE], const struct seal_frame *f,
    const uint8_t *rec, const uint8_t key[32])
{
	crypto_generichash_state	 st;
	uint8_t				 off[8];

	set_le64(off, f->off);
	(void)crypto_generichash_init(&st, key, 32, SEAL_NONCE);
	(void)crypto_generichash_update(&st, off, sizeof(off));
	(void)crypto_generichash_update(&st, rec, f->len);
	(void)crypto_generichash_final(&st, out, SEAL_NONCE);
}

/* With the rest goes the header's tag: they belong to each other. */
static void
rest_data(uint8_t ad[SF_AUTH + SEAL_TAG], const uint8_t *b)
{
	memcpy(ad, b, SF_AUTH);
	memcpy(ad + SF_AUTH, b + SF_REST - SEAL_TAG, SEAL_TAG);
}

void
seal_frame(uint8_t *b, struct seal_frame *f, const struct seal_keys *k,
    const uint8_t *rec)
{
	uint8_t	 ad[SF_AUTH + SEAL_TAG];
	uint8_t	*nonce = b + SF_CLEAR;

	f->sum = 0;
	seal_frame_put(b, f);
	frame_nonce(nonce, f, rec, k->nonce);
	enclose(b + SF_HEAD, rec, REC_LEN, b, SF_AUTH, nonce, k->head);
	rest_data(ad, b);
	enclose(b + SF_REST, rec + REC_LEN, (size_t)f->len - REC_LEN, ad,
	    sizeof(ad), nonce, k->rest);
	f->sum = crc32c(0, nonce, (size_t)f->len + SF_MORE - SF_CLEAR);
	seal_frame_put(b, f);
}

int
seal_unhead(const uint8_t *b, const struct seal_keys *k,
    uint8_t rec[REC_LEN])
{
	return disclose(rec, b + SF_HEAD, REC_LEN, b, SF_AUTH, b + SF_CLEAR,
	    k->head) ? 0 : -EBADMSG;
}

int
seal_unrest(const uint8_t *b, const struct seal_frame *f,
    const struct seal_keys *k, uint8_t *rest)
{
	uint8_t	 ad[SF_AUTH + SEAL_TAG];

	rest_data(ad, b);
	return disclose(rest, b + SF_REST, (size_t)f->len - REC_LEN, ad,
	    sizeof(ad), b + SF_CLEAR, k->rest) ? 0 : -EBADMSG;
}
