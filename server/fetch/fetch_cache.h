/* What was fetched from other hosts: one sparse file each, filled where somebody needed it. A head, and what is no
 * longer than one, lies in a slot (fetch_slots.h) until more of its file comes, or a reader wants a file of its own.
 *
 * A file is of one state of the content, named by its validator; a newer state is another file, and the old one stays
 * for those who hold it. All together take at most so many bytes of the disk: what nobody holds goes first, the longest
 * unused one before others, and so it is with their number. Names are random, so whoever may open files here opens only
 * those that it was told; slots it sees all, so what has an address with a query, which may be signed for somebody, has
 * none. That an address leads to nothing is remembered as well, for a moment. */
#ifndef TWINCUBE_SERVER_FETCH_FETCH_CACHE_H
#define TWINCUBE_SERVER_FETCH_FETCH_CACHE_H

#include "server/fetch/fetch_slots.h"

#include "datacube/remote/remote_protocol.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { FETCH_FILES_MOST = 16384, FETCH_BUCKETS = 4096 };

enum fetch_page { PAGE_ABSENT, PAGE_WANTED, PAGE_UNDER_WAY, PAGE_THERE };

enum fetch_state {
  FETCH_OPENING, /* nothing is known yet */
  FETCH_READY,   /* size and validator are known */
  FETCH_OVER     /* could not be opened (failure), or its content has changed: no more is fetched */
};

/* A place in a file to which readers have come by reading on from one before it (fetch_ahead.c). */
struct fetch_stream {
  size_t begin, end; /* pages: the first that was asked for, and behind the last */
  size_t run;        /* how many of these were. 0: no stream */
  size_t ahead;      /* page up to which what follows is on its way */
  uint64_t used;     /* the file's clock */
};

enum { FETCH_STREAMS = 8 };

struct fetch_file {
  char *url;       /* as it was asked for */
  char *moved;     /* where a redirect led, or NULL */
  uint64_t number; /* not 0, never given again */
  char path[512];  /* of its own, or "" */
  int fd;          /* of that; -1 while nobody holds it, or there is none */
  bool has_slot;
  uint64_t slot; /* its place; what lies there stays as long as the file */
  enum fetch_state state;
  uint64_t size;
  char validator[REMOTE_VALIDATOR_SIZE]; /* ETag, else Last-Modified; "": none, then the file is complete or opening */
  bool is_etag;                          /* the validator is one */
  bool is_complete;
  bool is_outdated;     /* a newer state has taken its place, or none can be had */
  bool is_absent;       /* there is none, at that address and the time `checked` */
  unsigned char *pages; /* enum fetch_page, one each; NULL while opening */
  size_t page_count;
  uint64_t reserved; /* bytes of the disk that count as its own */
  unsigned holds;    /* readers that have it open, and transfers */
  int64_t checked;   /* steady milliseconds when its server was last asked what state it has */
  struct error failure;
  struct fetch_stream streams[FETCH_STREAMS];
  uint64_t clock;                            /* questions for ranges */
  struct fetch_file *later, *earlier;        /* in the order of use */
  struct fetch_file *same_url, *same_number; /* in the bucket of its address, the newest first; of its number */
};

struct fetch_cache {
  char folder[400];        /* without links, ends without '/' */
  int lock;                /* the folder, open and locked: it is this process's; -1: not so */
  uint64_t most, reserved; /* bytes */
  uint64_t last_number;
  struct fetch_slots slots;
  size_t count;
  struct fetch_file *latest, *earliest; /* used */
  struct fetch_file *urls[FETCH_BUCKETS], *numbers[FETCH_BUCKETS];
};

/* Makes the folder where there is none, and empties it. Error StorageFailure, also where another process has it. */
int fetch_cache_open(struct fetch_cache *cache, const char *folder, uint64_t most, struct error *error);
/* Removes all files. */
void fetch_cache_close(struct fetch_cache *cache);

/* The newest file of an address that is not outdated, or NULL. */
struct fetch_file *fetch_cache_find(struct fetch_cache *cache, const char *url);
/* The one that it was before: the newest of the same address that is ready, not outdated and older than the file. */
struct fetch_file *fetch_cache_older(const struct fetch_file *file);
struct fetch_file *fetch_cache_number(struct fetch_cache *cache, uint64_t number);
/* A new one, opening, held once. NULL with an error. */
struct fetch_file *fetch_cache_add(struct fetch_cache *cache, const char *url, struct error *error);
/* Has a file of its own, open for writing while it is held, which is made with what its slot has. Errors:
 * StorageFailure, FileSizeExceeded. */
int fetch_cache_own(struct fetch_cache *cache, struct fetch_file *file, struct error *error);
/* Writes bytes for which there is room. Errors as fetch_cache_own. */
int fetch_cache_write(struct fetch_cache *cache, struct fetch_file *file, uint64_t offset, const char *bytes,
                      size_t length, struct error *error);
/* It is not written to, for now. */
void fetch_file_shut(struct fetch_file *file);
/* One hold less. A file that nobody holds and that is over or outdated goes; what is known to be absent stays. */
void fetch_cache_release(struct fetch_cache *cache, struct fetch_file *file);

/* It counts no longer as what its address leads to, and goes with its last hold. */
void fetch_cache_forget(struct fetch_cache *cache, struct fetch_file *file);

/* Room on the disk for so many bytes more of a file. Error FileSizeExceeded where those who are held leave none. */
int fetch_cache_reserve(struct fetch_cache *cache, struct fetch_file *file, uint64_t bytes, struct error *error);
/* Whether there is room for bytes that nobody has asked for yet: half of all is left to those that somebody has. */
bool fetch_cache_spares(const struct fetch_cache *cache, uint64_t bytes);
void fetch_cache_unreserve(struct fetch_cache *cache, struct fetch_file *file, uint64_t bytes);

/* Size and pages of a file that is being opened. Errors: FileSizeExceeded, Internal (out of memory). */
int fetch_file_set_size(struct fetch_file *file, uint64_t size, struct error *error);
/* Pages [first, end) become `state`; the file is complete when all are there. */
void fetch_file_mark(struct fetch_file *file, size_t first, size_t end, enum fetch_page state);

#endif
