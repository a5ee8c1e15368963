/* What readers of remote files and the fetcher say to each other, over a Unix socket that keeps messages apart
 * (SOCK_SEQPACKET): one question a message, one answer to each but REMOTE_CLOSE, in any order. Both ends are the same
 * program, so structs travel as they are; the fetcher checks every length all the same, since a reader may have been
 * broken by what it read. */
#ifndef TWINCUBE_DATACUBE_REMOTE_REMOTE_PROTOCOL_H
#define TWINCUBE_DATACUBE_REMOTE_REMOTE_PROTOCOL_H

#include "datacube/base/error.h"

#include <stdint.h>

enum {
  REMOTE_PAGE = 16384,      /* bytes: what is there of a file is counted in pages */
  REMOTE_RANGES_MOST = 128, /* of one question */
  REMOTE_URL_SIZE = 8192,   /* with the NUL */
  REMOTE_VALIDATOR_SIZE = 256
};

struct remote_range {
  uint64_t offset, length; /* bytes; not empty, inside the file */
};

enum remote_question_kind {
  REMOTE_OPEN = 1, /* an address follows, without a NUL: the file's number, size and place here */
  REMOTE_NEED,     /* ranges follow, or none: answered as soon as they are there, in a file of their own */
  REMOTE_CLOSE     /* the file is needed no longer by this one who opened it; not answered */
};

enum remote_whole {
  REMOTE_PARTS,   /* what is needed of it */
  REMOTE_WHOLE,   /* all of it, fetched before the answer */
  REMOTE_DOCUMENT /* the same of what is small: it is there soon, or an error */
};

struct remote_question {
  uint64_t id; /* the answer repeats it */
  uint32_t kind;
  uint32_t whole; /* OPEN: enum remote_whole */
  uint64_t quiet; /* OPEN, NEED: 1 where nobody waits for the answer, which then ends before the path */
  uint64_t file;  /* NEED, CLOSE: its number */
  uint64_t most;  /* OPEN: bytes of a file that is fetched whole */
};

struct remote_answer { /* as long as it has to be: what a socket holds is little, and who asked may not listen yet */
  uint64_t id;
  uint64_t file, size;    /* OPEN */
  uint64_t is_complete;   /* OPEN: 1 where all of it is there */
  uint64_t there;         /* OPEN: bytes from its beginning that are there */
  uint64_t is_slot, slot; /* OPEN: 1 where these, and no others, lie in the file of the path from that
                             place on, beside others' */
  char path[512];         /* OPEN, NEED: of a file of this machine, sparse where nothing was fetched yet */
  char validator[REMOTE_VALIDATOR_SIZE]; /* OPEN: what names this state of the content (ETag, else the date), or "" */
  struct error error;                    /* left out where there is none */
};

#endif
