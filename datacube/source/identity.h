/* Pieces of a source's identity: text that changes when the data would. See source_ops.identity.
 *
 * Numbers are hexadecimal floats, so that no digit is lost; texts go with their length, so that no two lists of texts
 * read the same. */
#ifndef TWINCUBE_DATACUBE_SOURCE_IDENTITY_H
#define TWINCUBE_DATACUBE_SOURCE_IDENTITY_H

#include "datacube/base/buffer.h"
#include "datacube/cube.h"
#include "datacube/grid.h"

void identity_text(struct buffer *out, const char *text); /* NULL is a value of its own */
void identity_number(struct buffer *out, double number);
void identity_count(struct buffer *out, uint64_t count);
/* Path, device, inode, size and time of the content's last change in nanoseconds; or that there is no such file.
 * Of a remote file: its address and state (remote_states.h). */
void identity_file(struct buffer *out, const char *path);
/* What no other call adds, on this machine: of contents that cannot be told from others. */
void identity_unique(struct buffer *out);
void identity_grid(struct buffer *out, const struct grid *grid);
void identity_extent(struct buffer *out, const struct extent *extent);
/* Short contents as they are, longer ones as two 64-bit sums over all bytes (accidents differ; no defence against
 * contents that were made to collide). */
void identity_bytes(struct buffer *out, const void *bytes, size_t length);
/* Element type, no-data, CRS, and name, size and labels of every dimension. */
void identity_cube(struct buffer *out, const struct cube *cube);

#endif
