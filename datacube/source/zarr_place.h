/* Where a Zarr hierarchy is: a folder here, or an address of another host, whose path (remote_file.h) ends with a
 * slash. Its files are opened by their names below it. On another host a file of which all is wanted comes by one
 * request, and what will soon be wanted is asked for ahead. Where there are references (zarr_references.h), a file is
 * what its name leads to: bytes of the document, or a range of another file.
 *
 * Behind an address names of variables may stand, "…/x.zarr/#variables=a,b/", which tell what to look for where no
 * document of the hierarchy does (zarr_consolidated.c). */
#ifndef TWINCUBE_DATACUBE_SOURCE_ZARR_PLACE_H
#define TWINCUBE_DATACUBE_SOURCE_ZARR_PLACE_H

#include "datacube/remote/remote_file.h"
#include "datacube/source/zarr_references.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Of a place with references to other hosts, for one thread: the file that was read last stays open, and what will be
 * wanted of it is asked for together with what is wanted first. */
struct zarr_kept {
  struct remote_file *file; /* or NULL */
  const char *target;       /* its name, borrowed */
  struct remote_range ahead[REMOTE_RANGES_MOST];
  size_t ahead_count;
};

struct zarr_place {
  int root;                                 /* the folder's descriptor; -1: it is elsewhere, or not open */
  const char *path;                         /* borrowed */
  const struct zarr_references *references; /* borrowed; or NULL */
  struct zarr_kept *kept;                   /* borrowed; or NULL */
};

struct zarr_file {
  int descriptor;
  uint64_t size;              /* bytes */
  uint64_t state;             /* changes when the file does */
  struct remote_file *remote; /* or NULL */
  struct zarr_kept *kept;     /* has it; NULL: it is the file's own */
  uint64_t start;             /* where it begins in what the descriptor is of */
  const unsigned char *bytes; /* what it holds, where there is no descriptor; or NULL */
  uint32_t skipped;           /* codecs that it was written without, a bit each */
  uint32_t part;              /* of a GRIB message the field, from 0 */
};

bool zarr_place_is_remote(const char *path);

#define ZARR_PLACE_NAMES "/#variables="

/* The names with commas between and a slash at the end; NULL: there are none. */
const char *zarr_place_names(const char *path);

/* Borrows path and references (or NULL). Error FileContentInvalid. */
int zarr_place_open(const char *path, const struct zarr_references *references, struct zarr_place *out,
                    struct error *error);
void zarr_place_close(struct zarr_place *place); /* all zero but root -1 is allowed */

/* Opens a file below the place: 1; 0 where there is none; -1 with an error of its host, or without one where it is no
 * file that is read. `most`: all of it is wanted, at most so many bytes; 0: parts of it are. */
int zarr_file_open(const struct zarr_place *place, const char *name, uint64_t most, struct zarr_file *out,
                   struct error *error);
/* The same for any file, by its path, to be read in parts. */
int zarr_file_open_path(const char *path, struct zarr_file *out, struct error *error);
void zarr_file_close(struct zarr_file *file);

/* Bytes of the file. False where they cannot be had; an error of its host is told. */
bool zarr_file_read(const struct zarr_file *file, uint64_t at, size_t length, void *to, struct error *error);

/* Whether a file of that name would be of another host. */
bool zarr_file_is_remote(const struct zarr_place *place, const char *name);

/* Lets a file come that will be opened so. False: too many are on their way. True at once for what is here. */
bool zarr_file_ahead(const struct zarr_place *place, const char *name, uint64_t most);

/* A number that changes when the file does, or comes, or goes; on another host: with the work at hand. */
uint64_t zarr_file_state(const struct zarr_place *place, const char *name);
/* The same of any remote path. */
uint64_t zarr_remote_state(const char *path);

#endif
