/* Paths below a root, as clients name them: never above the root, never through a symbolic link.
 *
 * The normal form is pieces joined by single slashes, "borders/europe.geojson": valid UTF-8 without control characters
 * and backslashes, no piece "." or "..", at most ROOTED_PIECES pieces of at most 255 bytes. */
#ifndef TWINCUBE_DATACUBE_BASE_ROOTED_PATH_H
#define TWINCUBE_DATACUBE_BASE_ROOTED_PATH_H

#include "datacube/base/error.h"

enum { ROOTED_PATH_SIZE = 1025, ROOTED_PIECES = 16 };

/* Reads a path; slashes at the start, at the end and doubled ones do not count. Error FilePathInvalid says why. */
int rooted_path_read(const char *text, char out[ROOTED_PATH_SIZE], struct error *error);

/* Opens a path in normal form below a folder's descriptor, with the flags of open(2) for its last piece: the descriptor
 * (the caller's), or -1 with errno, ELOOP for a link, ENOTDIR where a piece before the last is no folder. */
int rooted_open(int root, const char *path, int flags);

/* The folder that holds the path's last piece, made with those above it where `makes` says so, and that piece's name.
 * The descriptor (the caller's), or -1 with errno. */
int rooted_parent(int root, const char *path, bool makes, const char **name);

#endif
