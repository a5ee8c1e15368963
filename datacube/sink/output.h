/* The file a sink writes: made under a temporary name in the same folder, renamed when it is whole. */
#ifndef TWINCUBE_DATACUBE_SINK_OUTPUT_H
#define TWINCUBE_DATACUBE_SINK_OUTPUT_H

#include "datacube/base/error.h"

#include <stddef.h>
#include <stdint.h>

struct output {
  char path[4096];      /* final name */
  char temporary[4160]; /* "" while there is no temporary file */
};

/* Creates an empty temporary file beside path. Errors: StorageFailure. */
int output_begin(struct output *output, const char *path, struct error *error);
/* Renames the temporary file to the final name. */
int output_commit(struct output *output, struct error *error);
/* Removes the temporary file, if there still is one. */
void output_discard(struct output *output);

/* Writes all bytes at the offset, whatever it takes. Errors: StorageFailure. Thread safe. */
int output_write_at(int file, const void *bytes, size_t length, uint64_t offset, struct error *error);
/* StorageFailure with the text of errno. */
int output_error(struct error *error, const char *what);

/* Room for `bytes` bytes, zeroed: memory up to 64 MiB, above that a file without a name in the folder of `beside`,
 * mapped, with its disk space reserved. NULL with an error (StorageFailure or Internal). */
void *spill_new(size_t bytes, const char *beside, struct error *error);
/* The same, always as a file. */
void *spill_file(size_t bytes, const char *beside, struct error *error);
/* The same, as a new file of that name, which stays. */
void *spill_named(size_t bytes, const char *path, struct error *error);
void spill_free(void *room, size_t bytes);

#endif
