/* Files of features: what a vector collection is made of. Read whole: features are a dimension's labels.
 *
 * Untrusted files may come: only the drivers of a short list are tried, on a regular file, so no file can name another
 * file, a database or an address to be opened in its place. */
#ifndef TWINCUBE_DATACUBE_SOURCE_VECTOR_FILE_H
#define TWINCUBE_DATACUBE_SOURCE_VECTOR_FILE_H

#include "datacube/base/error.h"
#include "datacube/geometry.h"
#include "datacube/source.h"

enum { VECTOR_FILE_MOST_FEATURES = 4 << 20 };

struct vector_file {
  const char *path;           /* absolute; "FILE:LAYER" for one layer of several */
  const char *extension;      /* ".gpkg": it is read as if its name ended so; NULL: by its name */
  const char *crs;            /* of a file that names none; NULL: longitude and latitude */
  const char *title, *origin; /* as in struct cube and struct source; or NULL */
};

struct vector_selection {
  const char *const *bands; /* properties that are values of the cube; NULL: all of numbers and booleans */
  size_t band_count;
  const bool *wanted;         /* of each feature; NULL: all */
  const volatile int *cancel; /* becomes nonzero: ends with RequestTimeout; or NULL */
};

/* Whether the name of the file (of "FILE:LAYER") is that of a format that is read; ".json" may be much else. */
bool vector_file_is(const char *path);

/* The features as a source in memory: dimension "geometry" and, where there are values, "bands". Ids (a column "id")
 * and all properties stay with the geometries. Dates and times are properties as texts. Heights are dropped. In tables
 * of text (CSV) what stands in quotes is text, an empty field is null, and a column of nothing but true and false is
 * one of booleans. Memory comes from the arena, up to its limit. Errors: FileNotFound, FileTypeInvalid,
 * FileContentInvalid, FileSizeExceeded, BandNotAvailable, RequestTimeout. */
int vector_file_source(struct arena *arena, const struct vector_file *file, const struct vector_selection *selection,
                       const struct source **out, struct error *error);

#endif
