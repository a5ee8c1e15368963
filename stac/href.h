/* Where an href leads: a path of this machine, or something that is elsewhere. */
#ifndef TWINCUBE_STAC_HREF_H
#define TWINCUBE_STAC_HREF_H

#include "datacube/base/arena.h"
#include "datacube/base/buffer.h"

#include <stdbool.h>

/* Has a scheme other than file, or is one of GDAL's names for what is elsewhere ("/vsicurl/…"). */
bool href_is_remote(const char *href);

/* Whether it is an address that other hosts are asked for: of the web (http or https), or of S3 ("s3://BUCKET/KEY",
 * where nothing is escaped). */
bool href_is_web(const char *href);

/* The address to which an href leads from a document at address `base`: whole, without a fragment, with no "." and ".."
 * in its path. NULL: out of memory, or the href leads to something that is not on the web ("file:", "s3:", …). */
const char *href_resolve(struct arena *arena, const char *base, const char *href);

/* The path in an href that is not remote: "file://" goes, and what is escaped there is decoded. A path without it is
 * given back as it is: escapes count there only where no file has that very name (href_decoded). NULL: out of memory.
 */
const char *href_path(struct arena *arena, const char *href);

/* Every %XX decoded but %00. NULL: out of memory. */
const char *href_decoded(struct arena *arena, const char *text);

/* Text as one piece of an address's path: every byte escaped but letters, digits and "-._~". */
void href_encode(const char *text, struct buffer *out);

/* Whether a path, without links, is the folder or lies below it. */
bool path_is_below(const char *path, const char *folder);

#endif
