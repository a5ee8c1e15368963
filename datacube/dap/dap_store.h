/* Datasets that a server gives by DAP 2 (OPeNDAP) as hierarchies of Zarr, so that one reader of the CF conventions
 * serves them, too: DDS and DAS (dap_dataset.h, dap_attributes.h) become arrays and their attributes, and a chunk is
 * not a file but a question:
 *
 *   http://host/x.nc.dods?t%5B0:1:11%5D%5B20:1:83%5D%5B0:1:179%5D      t[0:1:11][20:1:83][0:1:179], the ends included
 *
 * So chunks are what we choose: as large as pays for a question, and no larger than what was selected of the dataset
 * (dap_window). Answers have no ranges and seldom a validator; where documents of the dataset are dated alike, its
 * values must be dated so, too, and else a change while it is read cannot be seen, which the log says. */
#ifndef TWINCUBE_DATACUBE_DAP_DAP_STORE_H
#define TWINCUBE_DATACUBE_DAP_DAP_STORE_H

#include "datacube/dap/dap_dataset.h"
#include "datacube/source/zarr_store.h"

enum {
  DAP_REQUEST_BYTES = 4 << 20, /* of values, in one answer */
  DAP_HEAD_BYTES = 1 << 16     /* of what stands before them */
};

struct dap_array {     /* of a zarr_array: how its chunks are asked for */
  const char *dataset; /* path of the dataset (dap_address.h) */
  const char *path;    /* of the variable, as part of an address */
  enum dap_type type;
  size_t origin[CUBE_MAX_DIMENSIONS]; /* indexes of the dataset: of the array's first element */
  const char *date;                   /* that answers must have; NULL: any */
};

/* Reads both documents. The path is the dataset's (dap_address.h). Errors: FileContentInvalid, and those of
 * remote_open. */
int dap_store_read(struct arena *arena, const char *path, struct zarr_store *out, struct error *error);

struct dap_window { /* of an array, per dimension; indexes of the array */
  size_t start[CUBE_MAX_DIMENSIONS], count[CUBE_MAX_DIMENSIONS];
  size_t run[CUBE_MAX_DIMENSIONS]; /* how many indexes at most are wanted one behind the other */
};

/* The part of an array in a window, as an array whose chunks fit it: *out, in the arena. */
int dap_window(struct arena *arena, const struct zarr_array *array, const struct dap_window *window,
               const struct zarr_array **out, struct error *error);
/* The same in room of the caller's, with chunks that are no larger than those of the array. */
void dap_window_of(const struct zarr_array *array, const struct dap_window *window, struct dap_array *dap,
                   struct zarr_array *out);

#endif
