/* Compiled kernels on disk: a file for each image, named by the hash of what it was made from.
 *
 * Files appear whole, by renaming, and hold the hash of what they contain: one that is broken counts as missing. Where
 * the folder cannot be written, nothing is kept. */
#ifndef TWINCUBE_HPC_DEVICE_KERNEL_CACHE_H
#define TWINCUBE_HPC_DEVICE_KERNEL_CACHE_H

#include "datacube/base/buffer.h"
#include "datacube/base/hash.h"

enum { KERNEL_CACHE_FILES = 1000, KERNEL_CACHE_BYTES = 256 << 20 }; /* the oldest go first */

/* Adds the image to out; false where there is none. */
bool kernel_cache_find(const char *folder, struct hash key, struct buffer *out);
void kernel_cache_keep(const char *folder, struct hash key, const void *image, size_t bytes);

#endif
