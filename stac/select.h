/* Choosing from the index: the bands, items and scenes of a request. */
#ifndef TWINCUBE_STAC_SELECT_H
#define TWINCUBE_STAC_SELECT_H

#include "stac/index.h"
#include "stac/region.h"
#include "stac/search/search.h"

struct selected_band {
  const char *name;
  struct band_info info;
  double res_x, res_y; /* finest of the collection, in its CRS */
};

struct selected_item {
  int64_t key, instant;
  int64_t label; /* of its date */
  bool undated;
  const char *id;
  const char *properties; /* JSON, or NULL */
};

struct selection {
  struct arena *arena; /* of what is returned */
  const struct load_request *request;
  int64_t key; /* of the collection */
  const char *title, *crs, *cube_path;
  bool explicit_crs, sub_daily, has_nodata;
  bool undated; /* no scene has a date */
  double resolution, nodata;
  struct selected_band *bands; /* chosen ones, in order */
  size_t band_count;
  size_t *slot_of_band; /* position in the collection -> index of the chosen band, SIZE_MAX: not chosen */
  size_t collection_bands;
  struct load_region region;       /* of the request */
  struct item_condition condition; /* what the index is asked for of an item; no SQL: nothing */
  struct selected_item *items;
  size_t item_count;
  struct raster_scene *scenes; /* date: the index of the item until dates are made */
  size_t scene_count;
};

/* Row of the collection. Error CollectionNotFound. */
int select_collection(struct index *index, struct selection *selection, struct error *error);
/* Error BandNotAvailable, parameter "bands". */
int select_bands(struct index *index, struct selection *selection, struct error *error);
/* Items whose instant lies in the request's interval, whose box meets the region, and which the filter accepts; their
 * dates' labels. */
int select_items(struct index *index, struct selection *selection, struct error *error);
/* Scenes of the chosen bands that meet the region. */
int select_scenes(struct index *index, struct selection *selection, struct error *error);

#endif
