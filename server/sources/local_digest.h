/* Names, sizes and dates of what lies at a path of this machine, in one number: it changes when something there does.
 */
#ifndef TWINCUBE_SERVER_SOURCES_LOCAL_DIGEST_H
#define TWINCUBE_SERVER_SOURCES_LOCAL_DIGEST_H

#include "datacube/base/error.h"
#include "datacube/base/hash.h"

#include <stdbool.h>

/* Links are followed where `follow` says so: see local_tree.h. Error FileNotFound. */
int local_digest(const char *path, bool follow, struct hash *out, struct error *error);

#endif
