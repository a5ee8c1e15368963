/* Where the chunks of an HDF5 file lie, so that they can be read without the library and its lock, and asked of the
 * system before they are wanted. Callers hold the lock, but for what is done with the descriptor. */
#ifndef TWINCUBE_DATACUBE_SOURCE_HDF5_PLACE_H
#define TWINCUBE_DATACUBE_SOURCE_HDF5_PLACE_H

#include "datacube/base/error.h"

#include <hdf5.h>
#include <stdint.h>

struct hdf5_place {
  uint64_t at;     /* byte of the file */
  uint64_t length; /* 0: the chunk was never written */
  uint32_t mask;   /* filters that its writer skipped */
};

/* Opens a file for reading, with its chunks' places; negative where that fails. One of another host (remote_file.h) is
 * read by ranges; what fails there is told in *error, for as long as it is open. */
hid_t hdf5_place_open(const char *path, struct error *error);
void hdf5_place_close(hid_t file);    /* what was opened in it is closed */
uint64_t hdf5_place_size(hid_t file); /* bytes */
/* Of such a file: what it is read by, as long as it is open; -1 where there is none. */
int hdf5_place_descriptor(hid_t file);
/* The place of the chunk that begins at these elements, by the index that the library looks up and keeps. -1: there is
 * none to be found. */
int hdf5_place_find(hid_t file, hid_t dataset, const hsize_t *offset, struct hdf5_place *out);

#endif
