/* The versions of the openEO API that are spoken, each below a root of its own, all from one table of routes. */
#ifndef TWINCUBE_SERVER_HTTP_API_VERSION_H
#define TWINCUBE_SERVER_HTTP_API_VERSION_H

#include <stdbool.h>
#include <stddef.h>

struct api_version {
  const char *number;   /* "1.3.0" */
  const char *root;     /* "/openeo/1.3" */
  unsigned major, minor;
};

/* The newest first: what a path without a version means. */
extern const struct api_version api_versions[];
extern const size_t api_version_count;

/* The version that a path as sent lies below, double slashes aside; *path moves behind its root. NULL: none, and the
 * path stays where it is. */
const struct api_version *api_version_of(const char **path);

/* Whether a path asks for a version that is not spoken. */
bool api_version_is_unknown(const char *path);

/* Whether a version has what came with another one. */
bool api_version_reaches(const struct api_version *version, unsigned major, unsigned minor);

/* The next piece of a path between slashes and its length; *path moves behind it. */
size_t path_piece(const char **path, const char **piece);

#endif
