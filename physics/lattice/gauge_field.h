/* A gauge field: an N x N complex matrix on every link of a lattice.
 *
 * U(x, mu) is the parallel transporter from x + mu to x: it goes as G(x) U(x, mu) G(x + mu)^dagger under gauge
 * transformations. N = 1 is U(1), else SU(N). On an open axis the links that leave the last slice are zero.
 *
 * Layout: links[block][mu][row][column][re, im][lane], doubles; see lattice.h for blocks and lanes. Lanes that repeat
 * others hold the same values, and every writer keeps it so. A narrow field has floats in the same layout: simulations
 * move such (gauge_heatbath.h, gauge_momentum.h, gauge_action_kick, and gauge_slab_exchange), all else wants doubles.
 * As numbers outside (files, cubes): [site][mu][row][column] complex, sites row-major with x0 slowest.
 * Thread rule: one writer at a time; work inside goes to threads by blocks. */
#ifndef TWINCUBE_PHYSICS_LATTICE_GAUGE_FIELD_H
#define TWINCUBE_PHYSICS_LATTICE_GAUGE_FIELD_H

#include "physics/lattice/lattice.h"
#include "physics/lattice/su_products.h"

enum { GAUGE_MAX_COLOURS = 8 };

struct gauge_field {
  const struct lattice *lattice;   /* borrowed */
  size_t colours;                  /* N: 1 is U(1) */
  double *links;                   /* NULL: it is narrow */
  float *narrow;                   /* its links then, else NULL */
  struct su_products_f64 products; /* of two of its matrices, for this machine */
  struct su_products_f32 narrow_products;
  struct gauge_slab *slab; /* whose halo updates bring up to date (gauge_slab.h), borrowed; NULL: it has none */
};

/* Numbers from one block's links to the next, and from one direction's matrix to the next. */
static inline size_t gauge_block_stride(const struct gauge_field *field)
{
  return field->lattice->dimensions * field->colours * field->colours * 2 * LATTICE_LANES;
}

static inline size_t gauge_matrix_stride(const struct gauge_field *field)
{
  return field->colours * field->colours * 2 * LATTICE_LANES;
}

static inline double *gauge_link(const struct gauge_field *field, size_t block, size_t mu)
{
  return field->links + block * gauge_block_stride(field) + mu * gauge_matrix_stride(field);
}

/* Bytes of the links; 0 where that overflows. */
size_t gauge_field_bytes(const struct lattice *lattice, size_t colours);

/* A field over `memory` (gauge_field_bytes, aligned to 64, borrowed, taken as it is). */
struct gauge_field gauge_field_over(const struct lattice *lattice, size_t colours, void *memory);

/* The same of a narrow field, whose links are half as many bytes; and what it holds from the other kind and back. */
struct gauge_field gauge_field_narrow(const struct lattice *lattice, size_t colours, void *memory);
void gauge_field_round(struct gauge_field *narrow, const struct gauge_field *from, unsigned threads);
void gauge_field_widen(struct gauge_field *to, const struct gauge_field *narrow, unsigned threads);

/* All links to the unit matrix. */
void gauge_field_cold(struct gauge_field *field);

/* Copies all links in and out: values[site][mu][row][column][re, im]. A slab's are set from those of the whole lattice;
 * out come its own, without the halo. */
void gauge_field_set(struct gauge_field *field, unsigned threads, const double *values);
void gauge_field_get(const struct gauge_field *field, unsigned threads, double *values);
/* Takes in what gauge_field_get gives; a slab's halo stays as it is. */
void gauge_field_put(struct gauge_field *field, unsigned threads, const double *values);

#endif
