/* A GRIB file as arrays of Zarr whose chunks are its messages (referenced_file.h).
 *
 * Fields of one parameter, type of level, kind of step and grid are a variable, called as the CF conventions call the
 * parameter (else by its short name), with the type of level, and where need be the kind of step, behind that where the
 * file has several of one name. Its dimensions are, those with one label left out:
 *
 *   time                   what the fields are for; of an interval its end
 *   reference_time, step   in its place where there are several steps of several forecasts, in hours
 *   number                 members of an ensemble
 *   isobaricInhPa, …       levels, called by their type; those of Pa are among those of hPa
 *   latitude, longitude    or rlat and rlon, or y and x of a projection, which the grid mapping tells
 *
 * Time is there with one label, too. Labels are those of all variables with the same kinds of dimensions; fields that
 * are not in the file are missing values. Of fields of one place the last one counts. Sums from the forecast's
 * beginning and sums of shorter intervals that end together are variables of their own (NAME_interval). Values are
 * floats, or doubles where they are packed in more than 24 bits. */
#ifndef TWINCUBE_DATACUBE_GRIB_GRIB_REFERENCES_H
#define TWINCUBE_DATACUBE_GRIB_GRIB_REFERENCES_H

#include "datacube/source/referenced_file.h"
#include "datacube/source/zarr_place.h"

/* Fills in the arrays; `target` is what references call the file (borrowed). Errors: FileContentInvalid,
 * FeatureUnsupported (grids, and more fields than a document may name), and those of remote_open. */
int grib_references(const struct zarr_file *file, const char *target, struct referenced_file *out, struct error *error);

#endif
