/*
 * store-int.h: what the parts of the store share.  cfgstore(5) has the
 * words: an area is a checkpoint followed by commits, a record is either.
 *
 * super.c    the superblock
 * create.c   making a store
 * record.c   a record's header
 * overlay.c  applying a commit's steps to an overlay
 * hidden.c   entries that are no part of a tree
 * meta.c     steps to bytes
 * parse.c    and back
 * blob.c     contents
 * area.c     reading an area
 * open.c     finding the head
 * steps.c    from changes to steps
 * draft.c    making a record
 * commit.c   appending
 * note.c     trials and tags
 * keep.c     older generations that are kept
 * history.c  older generations, contents
 * ledger.c   what was written
 * verify.c   reading everything; space
 */
#ifndef STORE_INT_H
#define STORE_INT_H

#include "store.h"

#define AREAS_LEAST	3
#define AREAS_MOST	64
#define ALIGN_LEAST	512
#define ALIGN_MOST	65536
#define CONTENT_MAX	(256u << 20)	/* bytes of the largest content */
#define META_MAX	(256u << 20)	/* bytes of a record's inflated meta */
#define SCAN_MAX	(256u << 10)	/* bytes looked at behind a bad record */

/* --- super.c */

#define SUPER_LEN	512

struct super {
	uint32_t	 version;
	uint32_t	 compat;	/* feature words */
	uint32_t	 rocompat;
	uint32_t	 incompat;
	uint64_t	 id;		/* of the store, random */
	uint64_t	 size;		/* bytes of the store */
	uint32_t	 align;
	uint32_t	 areas;
	uint64_t	 area;		/* bytes of one area */
	uint64_t	 first;		/* where area 0 begins */
};

/*
 * Read the superblock or, where that is bad, its copy (*copied).  Errors
 * as store_open().
 */
int	super_read(struct io *, struct super *, bool *copied, struct err *);
/* The same of bytes that are at hand; -EINVAL where they are no whole one. */
int	super_parse(const uint8_t buf[SUPER_LEN], const char *name,
	    struct super *, struct err *);
void	super_put(uint8_t buf[SUPER_LEN], const struct super *);
bool	super_geom_ok(const struct super *);
/* Whether the superblock at the begin (or its copy) is whole. */
bool	super_good(struct io *, bool copy);

/* --- record.c */

#define REC_LEN		76		/* bytes of a header */

enum rec_type {
	REC_CHECK = 1,		/* the whole overlay of generation seq */
	REC_COMMIT = 2,		/* what changed from seq - 1 to seq */
	REC_WHOLE = 3,		/* both: a commit that carries the overlay
				   which it leads to */
	REC_SKIP = 0x80,	/* this and above: who does not know it goes
				   on behind it; seq as the one before */
	REC_NOTE = 0x80		/* steps that touch hidden entries alone */
};

#define REC_FIRST	0x01	/* in one write with the checkpoint before it */
#define REC_PACKED	0x02	/* meta is deflated */

struct rec {
	enum rec_type	 type;
	uint8_t		 flags;
	uint32_t	 gen;		/* generation of the area */
	uint32_t	 parent;	/* sum of the record before; 0: none */
	uint64_t	 seq;		/* generation of the overlay after it */
	uint64_t	 life;		/* nonce of the area's first record */
	uint64_t	 nonce;		/* random */
	uint32_t	 metalen;	/* bytes as stored */
	uint32_t	 rawlen;	/* and inflated */
	uint64_t	 datalen;	/* bytes of contents, behind the meta */
	uint32_t	 metasum;	/* crc32c of the stored meta */
	uint32_t	 datasum;	/* and of the contents */
	uint32_t	 sum;		/* of the header and its position */
	uint64_t	 off;		/* position on the medium */
	size_t		 blob;		/* number of its first content */
};

/* The bytes of r, for its position r->off; sets r->sum. */
void	rec_put(uint8_t buf[REC_LEN], struct rec *r, uint64_t id);
/*
 * The header in these bytes read at `off`, of a record that must end by
 * `end`.  False where there is none of this store.
 */
bool	rec_get(const uint8_t buf[REC_LEN], uint64_t id, uint64_t off,
	    uint64_t end, struct rec *);
/*
 * Mask n bytes of its meta or contents, which lie at `at` on the medium,
 * by its nonce; or unmask them.  A commit that a power cut tore is often
 * made again, in the same place and with much the same bytes.  So, no
 * sector of the one can complete what there is of the other.
 */
void	rec_mask(const struct rec *, uint8_t *, size_t n, uint64_t at);
/* Bytes that the record takes, padded to align. */
uint64_t rec_size(const struct rec *, uint32_t align);

/* --- overlay.c */

#define NOWHERE		SIZE_MAX

/* One change, as a step from one overlay to the next. */
struct step {
	struct change	 c;		/* data is not looked at */
	size_t		 at;		/* index of the path in the overlay
					   before; NOWHERE: not there */
	bool		 carried;	/* not changed by this commit */
};

struct steps {
	struct step	*v;		/* in path_cmp() order */
	size_t		 n;
};

/* What an overlay will be; made by overlay_plan(). */
struct plan {
	const struct ent **from;	/* in the overlay before or in steps */
	struct ent	*v;		/* room for them */
	size_t		 n;
	bool		*gone;		/* entries of the old one to be freed */
};

void	steps_free(struct steps *);
/*
 * Plan the steps: -EINVAL with *bad the path at which an entry would lie
 * below a whiteout or what is no directory; -ENOMEM.
 */
int	overlay_plan(const struct ents *, const struct steps *, struct plan *,
	    const char **bad);
/* Carry the plan out; what the overlay and the steps own changes hands. */
void	overlay_do(struct ents *, struct steps *, struct plan *);
void	plan_free(struct plan *);
/* Both at once. */
int	overlay_apply(struct ents *, struct steps *, const char **bad);
/* Whether an entry can be in an overlay, as far as it alone tells. */
bool	overlay_ent_ok(const struct ent *);

/* --- hidden.c */

enum hid {			/* the format's: behind the first slash */
	HID_NOT = 0,
	HID_BASE = 'b',		/* what the base had at this path */
	HID_DROP = 'd',		/* the trial lets the path follow the base */
	HID_TAG = 'g',		/* a tag of this name */
	HID_INFO = 'i',		/* of the trial: when, who, what for */
	HID_KEPT = 'k',		/* of a kept generation: N, N/t/PATH, N/b/PATH */
	HID_TRIAL = 't',	/* what the trial has at this path */
	HID_UNDER = 'u'		/* and what the base had there */
};

/* "/k/PATH", or "/k" for the root: a new string, or NULL. */
char	*hid_path(enum hid, const char *path);
bool	hid_is(const char *path);
enum hid hid_kind(const char *path);
/* The path behind it. */
const char *hid_of(const char *path);
/* Whether it can be a path of an overlay, hidden or not. */
bool	hid_ok(const char *path);
/* Where the entries of a kind begin; they end where it is another. */
size_t	hid_from(const struct ents *, enum hid);
struct ent *hid_find(const struct ents *, enum hid, const char *path);
/* The entry that says so of the base at a path: *e is the caller's. */
int	hid_base(const struct ent_base *, const char *path, struct ent *e);
/* Set e's base from such an entry; -ENOMEM. */
int	hid_to_base(const struct ent *from, struct ent *e);
/* Take the hidden ones out of an overlay: what they say of the base goes
 * to the entries it is of.  -ENOMEM. */
int	hid_strip(struct ents *);

/* --- blob.c */

enum enc {			/* the format's */
	ENC_RAW = 0,		/* as it is */
	ENC_PACKED = 1,		/* deflated */
	ENC_DELTA = 2,		/* against the path's content before; `how` in
				   the high four bits */
	ENC_HEAD = 3,		/* the content of another entry */
	ENC_HERE = 4,		/* of an earlier step of the record */
	ENC_LOST = 5,		/* it was unreadable when it was copied */
	ENC_NEAR = 6,		/* a delta against another content of the area:
				   in memory an ENC_DELTA */
	ENC_HASH = 7		/* of the base: not kept */
};

struct blob {
	uint64_t	 off;		/* position on the medium */
	uint64_t	 len;		/* bytes stored */
	uint64_t	 size;		/* bytes of the content */
	uint64_t	 full;		/* an estimate of it stored alone */
	struct hash	 hash;
	size_t		 base;		/* DELTA: number of the blob before */
	uint64_t	 near;		/* NEAR: where that is, while it is made */
	uint32_t	 depth;		/* of deltas to get there; 0: none */
	uint8_t		 enc;		/* enum enc */
	uint8_t		 how;		/* DELTA: delta.h */
};

struct blobs {
	struct blob	*v;
	size_t		 n;
	size_t		 cap;
};

int	blobs_add(struct blobs *, const struct blob *);

/* ent.loc: the area (from 1) and in it the number of the blob. */
#define LOC(area, blob)	((uint64_t)((area) + 1) << 40 | (blob))
#define LOC_AREA(loc)	((uint32_t)((loc) >> 40) - 1)
#define LOC_BLOB(loc)	((size_t)((loc) & 0xffffffffff))

/* Read the stored bytes of a blob of this area: b->len of them. */
int	blob_load(struct store *, uint32_t area, const struct blob *b,
	    uint8_t *, struct err *);
/* Append to *out the content of a blob of this area, verified. */
int	blob_read(struct store *, uint32_t area, size_t blob, struct buf *out,
	    struct err *);
/*
 * Encode p into b (enc, len, size, hash, ...; off is the caller's) and
 * append the bytes to *data: the smallest of what there is.  `old` is the
 * content of `base`, blob number `basenr`, where it may be a delta.
 */
int	blob_make(struct buf *data, struct blob *b, const struct buf *p,
	    const struct hash *, const struct buf *old,
	    const struct blob *base, size_t basenr);

/* --- meta.c */

struct meta {
	struct commit	 c;		/* time, uid, user, msg alone */
	struct steps	 s;
};

void	meta_free(struct meta *);
/*
 * The record's raw meta.  blobs[i] says where step i has its content:
 * ENC_NONE as before, ENC_HEAD or ENC_HERE with `base` the index of entry
 * or step, or a blob of its own.
 */
int	meta_put(struct buf *, const struct meta *, const struct ents *before,
	    const struct blob *blobs);
/*
 * Read it.  Contents are numbered from `first` on and lie one behind
 * another from `data` to `end`; those that are not in *blobs yet are
 * added.  -EBADMSG, -ENOMEM.
 */
int	meta_get(struct rd, enum rec_type, const struct ents *before,
	    uint32_t area, uint64_t data, uint64_t end, struct blobs *,
	    size_t first, struct meta *);

/* --- area.c */

enum area_state {
	AREA_BLANK,		/* zeros where the first record would be */
	AREA_GOOD,		/* has the header of a first record */
	AREA_BAD		/* has not, or is known to be damaged */
};

struct area {
	enum area_state	 state;
	uint32_t	 gen;		/* of its life: GOOD */
	uint64_t	 life;
	uint64_t	 first;		/* seq of its first record */
	bool		 whole;		/* that one is REC_WHOLE */
	bool		 loaded;	/* the fields below are there */
	struct rec	*rec;		/* the records that hold */
	size_t		 nrec;
	struct blobs	 blobs;
	uint64_t	 end;		/* behind the last one */
	uint64_t	 lost;		/* seq of the last record known to be
					   behind damage; 0: none */
	uint64_t	 cut;		/* seq of the record at the end that is
					   begun and not whole; 0: none */
};

struct store {
	struct io	*io;
	struct super	 sb;
	struct area	*area;		/* sb.areas of them */
	uint32_t	 cur;		/* the head's */
	uint64_t	 seq;		/* the head's generation */
	struct ents	 head;		/* its overlay */
	uint32_t	 maxgen;	/* highest area generation seen */
	bool		 fresh;		/* next commit goes to a fresh area */
	bool		 failed;	/* closed to writing */
	bool		 readonly;	/* it never was open to it */
	uint64_t	 written;	/* see store_space */
	uint64_t	 keep;		/* see store_keep() */
	int64_t		 since;
	char		*damage;	/* what opening found */
	struct memo {			/* what was replayed last, to go on
					   from: history.c */
		struct ents	 ov;
		uint32_t	 area;
		uint64_t	 life;	/* the area's then */
		size_t		 n;	/* records of it; 0: nothing */
	}		 memo;
	uint8_t		*win;		/* read-ahead */
	uint64_t	 winoff;
	size_t		 winlen;
};

uint64_t area_off(const struct store *, uint32_t area);
/* Read through the window: for headers and metas, which lie close. */
int	win_read(struct store *, void *, size_t n, uint64_t off, struct err *);
/*
 * Read an area's records up to the first that is not valid, and make
 * the overlay at its end (*ov, replaced).  -EBADMSG where not even its
 * first record holds; a->lost tells damage from a torn tail.
 */
int	area_load(struct store *, uint32_t area, struct ents *ov,
	    struct err *);
/* Apply record number i to the overlay before it. */
int	area_step(struct store *, uint32_t area, size_t i, struct ents *ov,
	    struct err *);
/* Decode record number i, `before` being the overlay before it. */
int	area_meta(struct store *, uint32_t area, size_t i,
	    const struct ents *before, struct meta *, struct err *);
/* Whether the record's contents have their checksum: 0, -EBADMSG. */
int	area_data(struct store *, const struct rec *, struct err *);
/* Forget what is known of an area that is to be written anew. */
void	area_reset(struct area *);
/*
 * The highest seq of a record from `from` on (within SCAN_MAX) before
 * which there was a flush, of this life or, where that is 0, of an area
 * generation above gen; 0: none.  *top is raised to generations seen.
 */
uint64_t area_scan(struct store *, uint32_t area, uint64_t from,
	    uint32_t gen, uint64_t life, uint32_t *top);
/* Look at an area's first record: sets its state. */
int	area_head(struct store *, uint32_t area, struct rec *, struct err *);
/* Add a record to those that hold.  -ENOMEM. */
int	area_append(struct area *, const struct rec *);

/* --- commit.c */

/* The area that the next checkpoint goes to; never `avoid`, nor the
 * head's. */
uint32_t area_pick(const struct store *, uint32_t avoid);

/* --- open.c */

/* Note damage, keeping what was noted first. */
void	store_note(struct store *, const char *, ...)
	    __attribute__((format(printf, 2, 3)));

#endif
