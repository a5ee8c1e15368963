/* The files that a back-end's answer becomes, in the folder of loaded results: NAME, and where there are several
 * NAME.2, NAME.3, … (processes/local_files.h); one at a time is written. No link is followed, and no file is
 * overwritten. */
#ifndef TWINCUBE_SERVER_FEDERATION_ANSWER_FILES_H
#define TWINCUBE_SERVER_FEDERATION_ANSWER_FILES_H

#include "datacube/base/buffer.h"
#include "datacube/base/error.h"

#include <stdint.h>
#include <stdio.h>

enum { ANSWER_FILES_MOST = 1000 };

struct answer_files { /* all others zero */
  int folder;
  const char *name;
  FILE *file;     /* that is written; or NULL */
  size_t count;   /* of those that were begun */
  uint64_t bytes; /* of those that are whole */
};

/* Ends the file that is written, and begins the next one. Error StorageFailure. */
int answer_files_next(struct answer_files *files, struct error *error);
/* Ends the last one. Error StorageFailure. */
int answer_files_end(struct answer_files *files, struct error *error);
/* After an error: none of them stays. */
void answer_files_remove(struct answer_files *files);
/* Puts what was said beside them, for who reads them; that it cannot be put there harms nobody. */
void answer_files_tell(const struct answer_files *files, const struct buffer *logs);

#endif
