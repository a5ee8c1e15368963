/* A transformation between two CRSs, made once and used for many points. */
#ifndef TWINCUBE_DATACUBE_TRANSFORM_H
#define TWINCUBE_DATACUBE_TRANSFORM_H

#include "datacube/base/error.h"
#include "datacube/grid.h"

struct transform; /* one thread at a time */

/* New transformation; the caller frees it. NULL stands for lonlat. Error code CRSInvalid. */
int transform_new(const char *from, const char *to, struct transform **out, struct error *error);
void transform_free(struct transform *transform); /* NULL is allowed */

bool transform_is_identity(const struct transform *transform);
/* 360 degrees in units of the target CRS where it is geographic, else 0. */
double transform_circle(const struct transform *transform);
/* n points in place, traditional axis order; an untransformable point becomes HUGE_VAL. */
void transform_points(struct transform *transform, size_t n, double *x, double *y);
/* The smallest extent found to cover the image: edges densified, bends between the samples allowed for. Around a pole
 * or across the antimeridian the image in a geographic CRS is the whole circle. west > east is taken as crossing the
 * antimeridian where `from` is geographic. crs of the result is the transformation's `to`, owned by it. */
int transform_extent(struct transform *transform, const struct extent *in, struct extent *out, struct error *error);
/* The same, and whether some of the sampled points have no image: then the image may well go beyond `out`. */
int transform_image(struct transform *transform, const struct extent *in, struct extent *out, bool *partial,
                    struct error *error);

#endif
