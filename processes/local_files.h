/* Which files of this machine, beside a user's own, a graph may name. */
#ifndef TWINCUBE_PROCESSES_LOCAL_FILES_H
#define TWINCUBE_PROCESSES_LOCAL_FILES_H

#include "datacube/base/arena.h"
#include "datacube/base/error.h"

struct elsewhere {        /* what another server is to compute */
  const char *collection; /* its name here; of several of the same server one */
  const char *graph; /* a process graph, JSON, that loads them under such names; one node is marked as the result */
  double bytes;      /* that it is expected to have; 0: nothing is known */
  bool is_raster; /* it has no more than bands, of known names, y and x: GTiff will do where netCDF is not to be had */
};

struct elsewhere_part { /* of a graph */
  const char *node;     /* load_collection that stands for it in the rest of the graph */
  const char *server;   /* name of who computes it */
  const char *steps;    /* for people: "load_collection, filter_bands" */
  struct elsewhere wanted;
  double bytes_as_loaded; /* that would come here if its collections alone were loaded there */
  bool is_job;            /* it is large enough to be computed by a batch job */
  bool is_assumed;        /* the bytes are those of usual cubes: the collection does not tell of its own */
  /* What its cube has and a file of it need not have. */
  bool has_lost_bands;       /* it has no dimension of bands, as the collections had */
  const char *period;        /* that labels along time are of (aggregate_temporal_period); or NULL */
  const char *const *labels; /* along time (aggregate_temporal) … */
  size_t label_count;        /* … or 0 */
  const char *geometries;    /* GeoJSON of the dimension "geometry" (aggregate_spatial); or NULL */
  const char *const *bands;  /* of a raster … */
  size_t band_count;         /* … or 0 */
};

/* Behind the name of a file that another server made: what it said meanwhile. A line an entry: its level, a tab, a
 * message. */
#define LOADED_LOGS_END ".log"
/* Behind that name, and the number from 2 on: further files of the same cube. */
#define LOADED_NEXT_END ".%zu"

struct interpreters; /* hpc/udf/interpreters.h */

struct local_files {          /* all zero: none */
  bool all;                   /* what the process itself may read: the command line */
  const char *const *folders; /* else what lies below these: absolute, without links */
  size_t folder_count;
  const char *published; /* the one in which files of published results lie, stac/published.h; or NULL */
  /* The STAC document, in a folder with all that it leads to, of an address of the web at which this server publishes
   * it for the user; *out is NULL where it is none. NULL: there are no such addresses. */
  int (*find_published)(void *context, struct arena *arena, const char *url, const char **out, struct error *error);
  /* The netCDF file of a cube that another server makes, or the first of several; or a GTiff file, NAME.tif; *out is
   * NULL where none has the collection. NULL: there are no others. */
  int (*compute_elsewhere)(void *context, struct arena *arena, const struct elsewhere *wanted, const char **out,
                           struct error *error);
  /* What a collection's server has, JSON: {"backend": its name, "processes": {ID: …}, "job_bytes": above which it
   * computes by batch jobs (not there: it has none), "vectors": whether its netCDF files have vector cubes,
   * "rasters_only": whether it writes GTiff and no netCDF, "collection": of its document what tells its sizes}; *out is
   * NULL where there is no such server, or nothing can be computed there now. NULL: there are no others. */
  int (*offered_elsewhere)(void *context, struct arena *arena, const char *collection, const char **out,
                           struct error *error);
  void *context;
  const struct elsewhere_part *parts; /* of the graph at hand, found before it is bound */
  size_t part_count;
  struct interpreters *interpreters; /* of users' scripts; or NULL */
};

/* The path without links of a file named by a path or file:// address: absolute, or below the working directory (all)
 * or one of the folders. NULL where there is none, it may not be named, or memory is out. */
const char *local_files_find(const struct local_files *files, struct arena *arena, const char *name);

#endif
