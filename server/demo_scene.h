/* A made-up landscape and what a satellite like Sentinel-2 would see of it: for demonstrations and tests.
 *
 * Fields with crops that grow and ripen, meadows, woods, a river, lakes and paths over gentle hills; clouds and their
 * shadows on each date. Everything follows from one seed by hashing pixel coordinates, so any part can be made alone
 * and is the same every time. Frame: pixel column and row of the landscape, (0,0) north-west. */
#ifndef TWINCUBE_SERVER_DEMO_SCENE_H
#define TWINCUBE_SERVER_DEMO_SCENE_H

#include <stddef.h>
#include <stdint.h>

enum demo_band { DEMO_B02, DEMO_B03, DEMO_B04, DEMO_B08, DEMO_QA, DEMO_BAND_COUNT };

/* Classes of the quality band, numbered as in Sentinel-2's scene classification; 0 is no data. */
enum demo_class {
  CLASS_NODATA = 0,
  CLASS_SHADOW = 3,
  CLASS_VEGETATION = 4,
  CLASS_BARE = 5,
  CLASS_WATER = 6,
  CLASS_CLOUD_THIN = 8,
  CLASS_CLOUD = 9
};

struct demo_scene {
  int day_of_year;   /* 1 … 366 */
  unsigned tile;     /* changes the noise of the sensor: the same ground differs a little from tile to tile */
  double cloudiness; /* part of the ground that is hidden, 0 … 1, roughly */
  double swath_edge; /* columns east of it (slanting with the row) are no data; beyond the width: none */
};

enum { DEMO_WIDTH = 656, DEMO_HEIGHT = 512 }; /* pixels of 10 m */

struct demo_landscape;                           /* what does not change with time, one entry a pixel */
struct demo_landscape *demo_landscape_new(void); /* NULL when out of memory */
void demo_landscape_free(struct demo_landscape *landscape);

/* The digital numbers of one pixel: reflectance times 10 000 (0: no data), and the class in DEMO_QA. */
void demo_pixel(const struct demo_landscape *landscape, const struct demo_scene *scene, size_t column, size_t row,
                uint16_t out[DEMO_BAND_COUNT]);

#endif
