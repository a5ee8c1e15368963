/* Boxes that were put and wait until they are placed: their encoded chunks, for the sinks with chunks. */
#ifndef TWINCUBE_DATACUBE_SINK_PARCELS_H
#define TWINCUBE_DATACUBE_SINK_PARCELS_H

#include "datacube/sink/netcdf_encoding.h"

#include <pthread.h>

struct parcels {
  pthread_mutex_t lock;
  struct parcel *first;
};

typedef int parcel_write(void *data, const struct netcdf_parcel *parcel, struct error *error);

void parcels_begin(struct parcels *parcels);
void parcels_end(struct parcels *parcels, struct netcdf_encoding *encoding); /* what still waits is dropped */
/* Encodes a box: its elements, row-major, in the dimensions of the plan's cube. Thread safe. Error Internal: memory. */
int parcels_put(struct parcels *parcels, struct netcdf_encoding *encoding, const struct box *box, const char *data,
                struct error *error);
/* Writes the chunks of a box that was put, by `write`; one caller at a time. */
int parcels_place(struct parcels *parcels, struct netcdf_encoding *encoding, const struct box *box, parcel_write *write,
                  void *data, struct error *error);
/* The same for all that wait. */
int parcels_place_all(struct parcels *parcels, struct netcdf_encoding *encoding, parcel_write *write, void *data,
                      struct error *error);

#endif
