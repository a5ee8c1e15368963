/* Parcels: a list in the order of coming, looked through by the box. */
#include "datacube/sink/parcels.h"

#include <stdlib.h>
#include <string.h>

struct parcel { /* of a box that was put and waits for its place */
  struct parcel *next;
  struct box box;
  struct netcdf_parcel chunks;
};

void parcels_begin(struct parcels *parcels)
{
  parcels->first = NULL;
  pthread_mutex_init(&parcels->lock, NULL);
}

static int encode_box(struct netcdf_encoding *encoding, const struct box *box, const char *data,
                      struct netcdf_parcel *to, struct error *error)
{
  const struct netcdf_plan *plan = netcdf_encoding_plan(encoding);
  struct netcdf_piece piece = {.data = data};
  size_t step = 1, band_step = 0, band = 0, bands = 1;
  for (size_t d = plan->cube.dimensions, v = plan->rank; d-- > 0;) {
    if (d == plan->bands) {
      band_step = step;
      band = box->start[d];
      bands = box->count[d];
    } else {
      v--;
      piece.start[v] = box->start[d];
      piece.count[v] = box->count[d];
      piece.step[v] = step;
    }
    step *= box->count[d];
  }
  for (size_t i = 0; i < bands; i++) {
    piece.variable = band + i;
    piece.data = data + i * band_step * element_info(plan->cube.type)->size;
    if (netcdf_encoding_add(encoding, &piece, to, error) != 0)
      return -1;
  }
  return 0;
}

static void parcel_free(struct netcdf_encoding *encoding, struct parcel *parcel)
{
  netcdf_parcel_free(encoding, &parcel->chunks);
  free(parcel);
}

int parcels_put(struct parcels *parcels, struct netcdf_encoding *encoding, const struct box *box, const char *data,
                struct error *error)
{
  if (box_elements(box) == 0)
    return 0;
  struct parcel *parcel = calloc(1, sizeof *parcel);
  if (parcel == NULL)
    return error_memory(error);
  parcel->box = *box;
  if (encode_box(encoding, box, data, &parcel->chunks, error) != 0) {
    parcel_free(encoding, parcel);
    return -1;
  }
  pthread_mutex_lock(&parcels->lock);
  struct parcel **end = &parcels->first;
  while (*end != NULL)
    end = &(*end)->next;
  *end = parcel;
  pthread_mutex_unlock(&parcels->lock);
  return 0;
}

/* The parcel of the box, or the first one; NULL where there is none. It is the caller's now. */
static struct parcel *take_parcel(struct parcels *parcels, const struct box *box)
{
  pthread_mutex_lock(&parcels->lock);
  struct parcel **at = &parcels->first;
  while (*at != NULL && box != NULL && memcmp((*at)->box.start, box->start, box->dimensions * sizeof *box->start) != 0)
    at = &(*at)->next;
  struct parcel *parcel = *at;
  if (parcel != NULL)
    *at = parcel->next;
  pthread_mutex_unlock(&parcels->lock);
  return parcel;
}

int parcels_place(struct parcels *parcels, struct netcdf_encoding *encoding, const struct box *box, parcel_write *write,
                  void *data, struct error *error)
{
  struct parcel *parcel = box == NULL || box_elements(box) > 0 ? take_parcel(parcels, box) : NULL;
  if (parcel == NULL)
    return 0;
  int status = write(data, &parcel->chunks, error);
  parcel_free(encoding, parcel);
  return status;
}

int parcels_place_all(struct parcels *parcels, struct netcdf_encoding *encoding, parcel_write *write, void *data,
                      struct error *error)
{
  while (parcels->first != NULL)
    if (parcels_place(parcels, encoding, NULL, write, data, error) != 0)
      return -1;
  return 0;
}

void parcels_end(struct parcels *parcels, struct netcdf_encoding *encoding)
{
  for (struct parcel *parcel; (parcel = take_parcel(parcels, NULL)) != NULL;)
    parcel_free(encoding, parcel);
  pthread_mutex_destroy(&parcels->lock);
}
