/* A sink: takes the tiles of a cube in any order, from any thread, and ends as one or more files.
 *
 * Files are written beside their final names and renamed by finish, so a reader never sees half a result. */
#ifndef TWINCUBE_DATACUBE_SINK_H
#define TWINCUBE_DATACUBE_SINK_H

#include "datacube/base/error.h"
#include "datacube/cube.h"

struct sink;
struct statistics; /* datacube/sink/statistics.h */

struct sink_option { /* from save_result's options */
  const char *name;
  const char *value;               /* numbers and booleans as text ("2", "true"), arrays and objects as JSON */
  const struct sink_option *items; /* of an object, in its order; else NULL */
  size_t item_count;
};

struct sink_request {
  const char *format; /* name as in file_formats, any case: "GTiff", "netCDF", … */
  const struct sink_option *options;
  size_t option_count;
  const char *path;                 /* file to write; its folder exists */
  const char *history;              /* one line of provenance for the file's metadata, or NULL */
  size_t tile[CUBE_MAX_DIMENSIONS]; /* shape of the boxes that will be put, from index 0 on; 0: not known */
  unsigned threads;                 /* the format may use so many for encoding; 0 or 1: none of its own */
};

struct sink_file { /* what finish leaves */
  char path[4096];
  const char *media_type;
};

enum file_bands {                    /* what a band of the file is, for metadata */
                  FILE_BANDS_LABELS, /* a label of the bands dimension */
                  FILE_BANDS_PLANES, /* a combination of the labels beside x and y (sink/layout.h) */
                  FILE_BANDS_COLOURS /* none of the cube's: values were turned into colours */
};

/* Row of the table of formats, for /file_formats and for the checks of save_result. */
struct sink_format {
  const char *name; /* "GTiff" */
  const char *title;
  const char *description;
  const char *extension;      /* "tif" */
  const char *media_type;     /* "image/tiff; application=geotiff" */
  const char *parameters;     /* JSON object of the options as in /file_formats */
  const char *const *options; /* their names, NULL-terminated; NULL: it has none. Others are passed over */
  enum file_bands bands;
  bool text;      /* JSON-like: may hold any cube, also without spatial dimensions */
  bool vector;    /* may hold vector cubes */
  bool no_raster; /* holds nothing else */
  /* Whether the libraries that are there write it: it is listed then, and else check tells why not. NULL: always. */
  bool (*available)(void);
  /* Whether the cube fits the format; error FormatUnsuitable says why not. */
  int (*check)(const struct cube *cube, const struct sink_option *options, size_t count, struct error *error);
  /* Tile shape the sink writes best (0: any), called with the cube. */
  void (*prefer)(const struct cube *cube, const struct sink_option *options, size_t count, size_t tile[]);
  int (*open)(const struct sink_request *request, const struct cube *cube, struct sink **out, struct error *error);
};

extern const struct sink_format *const sink_formats[]; /* NULL-terminated, sorted by name */

struct sink_alias { /* another name of a format */
  const char *name;
  const struct sink_format *format;
  bool listed; /* in /file_formats, too: a word that people look for; else an extension or a way of writing it */
};
extern const struct sink_alias sink_aliases[]; /* ends with a row without a name */

/* Any case, aliases ("GeoTIFF", "NetCDF", "COG"); or NULL. */
const struct sink_format *sink_format_find(const char *name);
/* Whether the format has an option of that name, in any case. */
bool sink_format_knows(const struct sink_format *format, const char *option);

struct sink_ops {
  /* data: the box's elements, row-major, in cube.type. Thread safe. */
  int (*put)(struct sink *sink, const struct box *box, const void *data, struct error *error);
  /* After put, for each box once: one at a time, in an order that depends on the plan and not on threads. What decides
   * where bytes lie in a file belongs here. NULL: nothing does. Boxes that nobody has placed are placed by finish. */
  int (*place)(struct sink *sink, const struct box *box, struct error *error);
  int (*finish)(struct sink *sink, struct error *error); /* makes the file visible */
  void (*close)(struct sink *sink);                      /* frees; removes what was not finished */
  /* Of a band of the file (in the sense of sink_format.bands), after finish; false where they are not known. NULL: the
   * format gathers none. */
  bool (*statistics)(const struct sink *sink, size_t band, struct statistics *out);
};

struct sink { /* first member of each driver's own struct */
  const struct sink_ops *ops;
  const char *media_type; /* of the file, decided at open (COG differs from GTiff) */
};

#endif
