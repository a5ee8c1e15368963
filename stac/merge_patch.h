/* JSON Merge Patch (RFC 7396). */
#ifndef TWINCUBE_STAC_MERGE_PATCH_H
#define TWINCUBE_STAC_MERGE_PATCH_H

#include <jansson.h>

/* What is there with a patch in it: a new tree; NULL where memory is short. */
json_t *merge_patched(const json_t *there, const json_t *patch);

#endif
