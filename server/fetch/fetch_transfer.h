/* One request to another host: the head of a file, a range of it, or all of it.
 *
 * Whatever goes wrong on the way is tried again with growing, random pauses (no answer, too much to do, a body that is
 * short or of other bytes than were asked for); what cannot get better is an error at once. A range counts only where
 * its answer has the validator and the size that the head had: `If-Range` asks for that, and the answer is checked
 * all the same. Each address, those of redirects too, is judged by what may be asked, and the net's address by the
 * guard. What our account for an address has goes where a redirect leads only below the account's own prefix. */
#ifndef TWINCUBE_SERVER_FETCH_FETCH_TRANSFER_H
#define TWINCUBE_SERVER_FETCH_FETCH_TRANSFER_H

#include "server/fetch/fetch_account.h"
#include "server/fetch/fetch_cache.h"
#include "server/web/web_guard.h"

enum {
  FETCH_PART_PAGES = 256,                   /* of one range */
  FETCH_TRIES = 4,                          /* of one transfer */
  FETCH_WHOLE_BYTES = 1 << 30,              /* of a file whose server knows no ranges, or names no state */
  FETCH_DOCUMENT_BYTES = 256 * 1024 * 1024, /* files of at most so many bytes are asked for in one piece, if whole */
  FETCH_DOCUMENT_MS = 60000                 /* for all tries of a document, however steadily its bytes drip */
};

enum fetch_kind { FETCH_HEAD, FETCH_PART, FETCH_WHOLE };

enum fetch_outcome { FETCH_DONE, FETCH_AGAIN /* at `start` */, FETCH_FAILED /* `error` */ };

struct fetch_transfer {
  const struct fetch_access *access;
  struct fetch_cache *cache;
  struct fetch_file *file; /* held */
  enum fetch_kind kind;
  uint64_t offset, length; /* asked for; a part's offset is a page's, and so is its end, or it is the file's */
  uint64_t most;           /* WHOLE: bytes */
  bool is_document;        /* WHOLE: may come packed, and of unknown length */
  int64_t patience;        /* milliseconds for all tries; 0: as long as bytes come */
  /* of the try at hand */
  CURL *curl;
  struct curl_slist *headers;
  struct web_guard guard;
  char *url;              /* of a redirect, or NULL */
  char *asked;            /* what is asked for, where that is another address (fetch_account.h) */
  uint64_t expected;      /* bytes of the body, where they are known */
  uint64_t got, reserved; /* bytes of the body so far; of these, what the disk has room set aside for */
  bool is_judged;         /* the answer's headers were looked at */
  bool is_final;          /* trying again is no use */
  bool has_account;       /* it went with an account of ours */
  struct error error;
  /* of all tries */
  unsigned tries, redirects;
  int64_t start;   /* steady milliseconds when it may begin */
  int64_t end;     /* … when its patience is over; 0: it has not begun, or has no end */
  uint64_t host;   /* stands for the host that it goes to */
  bool is_running; /* the loop's */
  bool is_ahead;   /* the loop's: nobody had asked for it when it was made */
  struct fetch_transfer *next;
};

/* Borrows access and cache; holds the file until fetch_transfer_free. NULL: out of memory. */
struct fetch_transfer *fetch_transfer_new(const struct fetch_access *access, struct fetch_cache *cache,
                                          struct fetch_file *file, enum fetch_kind kind);
/* Makes transfer->curl ready to be performed, CURLOPT_PRIVATE the transfer. -1: transfer->error. */
int fetch_transfer_begin(struct fetch_transfer *transfer);
/* After it was performed. */
enum fetch_outcome fetch_transfer_end(struct fetch_transfer *transfer, CURLcode code);
void fetch_transfer_free(struct fetch_transfer *transfer);

#endif
