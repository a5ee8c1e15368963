/* Files that are packed as a whole with gzip or zstd, as texts often are: unpacked as a stream, whatever their length.
 */
#ifndef TWINCUBE_DATACUBE_BASE_PACKED_FILE_H
#define TWINCUBE_DATACUBE_BASE_PACKED_FILE_H

#include "datacube/base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Whether bytes begin as those of such a file do. */
bool packed_file_is(const void *bytes, size_t length);

/* Writes what all of the file's bytes hold to `to`, at most `most` bytes; several streams follow each other. Errors:
 * FileContentInvalid (damaged, or cut off), FileSizeExceeded, StorageFailure. */
int packed_file_unpack(const void *bytes, size_t length, int to, uint64_t most, struct error *error);

#endif
