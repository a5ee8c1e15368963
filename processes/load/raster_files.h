/* Rasters that belong together only because somebody names them in one breath, as one cube.
 *
 * Dates and times come from the files' names, from all or from none: without them the cube has no dimension of time.
 * Bands are those that the files describe or that a file's name tells (B04); other files of one band are bands of
 * their own where they lie over each other, named by the words of their names, and parts of one band where they do not.
 * The first file's pixels are the cube's; others are resampled once, to the nearest pixel. Where files overlap the
 * first valid pixel counts. */
#ifndef TWINCUBE_PROCESSES_LOAD_RASTER_FILES_H
#define TWINCUBE_PROCESSES_LOAD_RASTER_FILES_H

#include "processes/load/user_file.h"

/* Errors: those of the files, code NoDataAvailable; FormatUnsuitable where some have a date and some do not. */
int raster_files_load(struct call *call, const struct user_file *files, size_t count, const struct node **out);

#endif
