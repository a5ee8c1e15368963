/* Fields to begin with, site by site. See gauge_start.h. */
#include "physics/lattice/gauge_start.h"

#include "physics/lattice/su_orthonormal.h"

/* ---- hot --------------------------------------------------------------------------------------------------------- */

struct hot_task {
  struct gauge_field *field;
  struct philox_stream stream;
};

/* Rows of normal numbers made orthonormal are Haar distributed in U(N), and with the determinant's phase taken away in
 * SU(N). Link (site, mu) has the normals from 2 N N (site dimensions + mu) on. */
static void heat_blocks(void *context, size_t first, size_t last)
{
  const struct hot_task *task = context;
  const struct lattice *lattice = task->field->lattice;
  size_t n = task->field->colours, count = 2 * n * n;
  double normals[2 * GAUGE_MAX_COLOURS * GAUGE_MAX_COLOURS];
  for (size_t i = first * lattice->dimensions; i < last * lattice->dimensions; i++) {
    size_t block = i / lattice->dimensions, mu = i % lattice->dimensions;
    double *link = gauge_link(task->field, block, mu);
    for (size_t l = 0; l < LATTICE_LANES; l++) {
      bool some = false;
      for (size_t k = 0; k < count; k++) {
        some |= link[k * LATTICE_LANES + l] != 0;
      }
      philox_normals(task->stream, (lattice_site(lattice, block, l) * lattice->dimensions + mu) * count, count,
                     normals);
      for (size_t k = 0; k < count; k++) {
        link[k * LATTICE_LANES + l] = some ? normals[k] : 0.0;
      }
    }
    su_orthonormal(n, link);
  }
}

void gauge_start_hot(struct gauge_field *field, struct philox_stream stream, unsigned threads)
{
  lattice_run(threads, 0, field->lattice->blocks, heat_blocks, &(struct hot_task){field, stream});
}

/* ---- site by site ------------------------------------------------------------------------------------------------ */

static bool is_last(const struct lattice *lattice, size_t mu, size_t at)
{
  return mu == 0 ? lattice_slice(lattice, at) + 1 == lattice->whole : at + 1 == lattice->extent[mu];
}

void gauge_start_open(struct gauge_field *field, const bool *open)
{
  const struct lattice *lattice = field->lattice;
  size_t count = gauge_matrix_stride(field) / LATTICE_LANES, at[LATTICE_MAX_DIMENSIONS];
  for (size_t block = 0; block < lattice->blocks; block++) {
    for (size_t l = 0; l < LATTICE_LANES; l++) {
      lattice_coordinates(lattice, block, l, at);
      for (size_t mu = 0; mu < lattice->dimensions; mu++) {
        for (size_t k = 0; k < count && open[mu] && is_last(lattice, mu, at[mu]); k++) {
          gauge_link(field, block, mu)[k * LATTICE_LANES + l] = 0;
        }
      }
    }
  }
}

#define TWO_PI 6.283185307179586

/* Phases of the links with 2 pi charge / sites in every plaquette. */
static void flux_links(const struct lattice *lattice, int charge, const size_t *at, double *phase)
{
  double each = TWO_PI * charge / (double)lattice->sites;
  phase[0] = at[0] + 1 == lattice->extent[0] ? -each * (double)(lattice->extent[0] * at[1]) : 0.0;
  phase[1] = each * (double)at[0];
}

/* Integral of 1 / (t^2 + s^2) over a link from t on. */
static double link_integral(double t, double s)
{
  return (atan((t + 1.0) / s) - atan(t / s)) / s;
}

/* a = angles of the link along mu: exp(i a . sigma). A^a = 2 eta_{a mu nu} y_nu (1 / y^2 - 1 / (y^2 + rho^2)), T =
 * sigma / 2; eta_{a i j} = eps_{aij}, eta_{a i 0} = +-delta_{ai} for charge +-1. */
static void instanton_link(const struct lattice *lattice, const struct gauge_instanton *instanton, const size_t *at,
                           size_t mu, double a[3])
{
  double y[4], square = 0, sign = instanton->charge > 0 ? 1.0 : -1.0;
  for (size_t k = 0; k < 4; k++) {
    y[k] = (double)at[k] - 0.5 * (double)(lattice->extent[k] - 1) - (lattice->extent[k] % 2 != 0 ? 0.5 : 0.0);
    square += k == mu ? 0 : y[k] * y[k];
  }
  double rho = instanton->radius;
  double strength = link_integral(y[mu], sqrt(square)) - link_integral(y[mu], sqrt(square + rho * rho));
  for (size_t k = 0; k < 3; k++) {                              /* spatial axes are 1, 2, 3 */
    size_t i = k + 1, j = (k + 1) % 3 + 1, l = (k + 2) % 3 + 1; /* eps_{kjl} = 1 */
    double sum = 0;
    if (mu == 0) {
      sum = -sign * y[i];
    } else if (mu == i) {
      sum = sign * y[0];
    } else if (mu == j) {
      sum = y[l];
    } else {
      sum = -y[j];
    }
    a[k] = -sum * strength;
  }
}

/* The lane's link = exp(i a . sigma) in the first two colours. */
static void put_su2(const struct gauge_field *field, double *link, size_t lane, const double a[3])
{
  size_t n = field->colours;
  double length = sqrt(a[0] * a[0] + a[1] * a[1] + a[2] * a[2]);
  double c = cos(length), s = length > 0 ? sin(length) / length : 1.0;
  const double entry[2][2][2] = {{{c, s * a[2]}, {s * a[1], s * a[0]}}, {{-s * a[1], s * a[0]}, {c, -s * a[2]}}};
  for (size_t i = 0; i < 2; i++) {
    for (size_t j = 0; j < 2; j++) {
      link[su_at(n, i, j) + lane] = entry[i][j][0];
      link[su_at(n, i, j) + LATTICE_LANES + lane] = entry[i][j][1];
    }
  }
}

void gauge_start_instanton(struct gauge_field *field, const struct gauge_instanton *instanton)
{
  const struct lattice *lattice = field->lattice;
  gauge_field_cold(field);
  for (size_t block = 0; block < lattice->blocks; block++) {
    for (size_t l = 0; l < LATTICE_LANES; l++) {
      size_t at[LATTICE_MAX_DIMENSIONS];
      double phase[2], a[3];
      lattice_coordinates(lattice, block, l, at);
      for (size_t mu = 0; mu < lattice->dimensions; mu++) {
        double *link = gauge_link(field, block, mu);
        if (field->colours == 1) {
          flux_links(lattice, instanton->charge, at, phase);
          link[l] = cos(phase[mu]);
          link[LATTICE_LANES + l] = sin(phase[mu]);
        } else {
          instanton_link(lattice, instanton, at, mu, a);
          put_su2(field, link, l, a);
        }
      }
    }
  }
}
