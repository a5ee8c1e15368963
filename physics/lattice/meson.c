/* Meson correlators, slice by slice. See meson.h. */
#include "physics/lattice/meson.h"

#include "physics/lattice/gamma.h"
#include "physics/lattice/gauge_slab.h"

#include <math.h>
#include <string.h>

enum { COLUMNS_MAX = FERMION_MAX_SPINS * FERMION_MAX_COLOURS };

static const char *const names_of_four[GAMMA_STRUCTURES] = {
    "1", "g0", "g1", "g2", "g3", "g5", "g0g5", "g1g5", "g2g5", "g3g5", "g0g1", "g0g2", "g0g3", "g1g2", "g1g3", "g2g3"};
static const unsigned sets_of_four[GAMMA_STRUCTURES] = {0, 1, 2, 4, 8, 16, 17, 18, 20, 24, 3, 5, 9, 6, 10, 12};
static const char *const names_of_two[] = {"1", "g0", "g1", "g5"};
static const unsigned sets_of_two[] = {0, 1, 2, 16};
static const char *const names_of_one[] = {"g5"};

size_t meson_structures(size_t spins)
{
  return spins == 4 ? GAMMA_STRUCTURES : spins == 2 ? 4 : 1;
}

const char *const *meson_names(size_t spins)
{
  return spins == 4 ? names_of_four : spins == 2 ? names_of_two : names_of_one;
}

struct structure {
  struct gamma_product sink, source; /* G, and Gbar gamma_5 */
};

struct meson_task {
  const struct fermion_shape *shape;
  const double *columns;
  const struct meson_request *request;
  struct structure structure[GAMMA_STRUCTURES];
  double *out;
};

/* S(x): rows are spin and colour of the sink, columns those of the source. */
static void gather(const struct meson_task *task, const size_t *at, double complex *s)
{
  const struct fermion_shape *shape = task->shape;
  const size_t size = shape->spins * shape->colours, field = shape->lattice->blocks * 2 * size * LATTICE_LANES;
  size_t block, lane;
  lattice_locate(shape->lattice, at, &block, &lane);
  for (size_t column = 0; column < size; column++) {
    const double *from = task->columns + column * field + block * 2 * size * LATTICE_LANES + lane;
    for (size_t row = 0; row < size; row++) {
      s[row * size + column] = complex_of(from[2 * row * LATTICE_LANES], from[(2 * row + 1) * LATTICE_LANES]);
    }
  }
}

/* Sum over colours of S(a, b) S(a', b')^*, spins as given. */
static double complex contract(const double complex *s, size_t colours, size_t size, const size_t spin[4])
{
  double complex sum = 0;
  for (size_t c = 0; c < colours; c++) {
    const double complex *left = s + (spin[0] * colours + c) * size + spin[1] * colours;
    const double complex *right = s + (spin[2] * colours + c) * size + spin[3] * colours;
    for (size_t k = 0; k < colours; k++) {
      sum += left[k] * conj(right[k]);
    }
  }
  return sum;
}

/* - tr [ G S Gbar gamma_5 S^dagger gamma_5 ] */
static double complex trace(const struct structure *structure, const double complex *s, size_t spins, size_t colours)
{
  double complex sum = 0;
  for (size_t a = 0; a < spins; a++) {
    for (size_t b = 0; b < spins; b++) {
      const size_t spin[4] = {structure->sink.column[a], b, a, structure->source.column[b]};
      int power = structure->sink.power[a] + structure->source.power[b] + (a < spins / 2 ? 2 : 0);
      sum += gamma_turn(contract(s, colours, spins * colours, spin), power);
    }
  }
  return sum;
}

/* exp(-i p (x - x_s)) */
static double complex plane_wave(const struct meson_task *task, const int *momentum, const size_t *at)
{
  const struct lattice *lattice = task->shape->lattice;
  double turns = 0;
  for (size_t k = 1; k < lattice->dimensions; k++) {
    double distance = (double)at[k] - (double)task->request->source[k];
    turns += fmod(momentum[k] * distance, (double)lattice->extent[k]) / (double)lattice->extent[k];
  }
  double angle = -2 * acos(-1) * turns;
  return complex_of(cos(angle), sin(angle));
}

static void add_site(const struct meson_task *task, size_t t, const size_t *at)
{
  const size_t spins = task->shape->spins, colours = task->shape->colours;
  const size_t times = task->shape->lattice->whole, momenta = task->request->momenta;
  double complex s[COLUMNS_MAX * COLUMNS_MAX], value[GAMMA_STRUCTURES];
  gather(task, at, s);
  for (size_t i = 0; i < meson_structures(spins); i++) {
    value[i] = spins > 1 ? trace(&task->structure[i], s, spins, colours)
                         : contract(s, colours, colours, (const size_t[4]){0, 0, 0, 0});
  }
  for (size_t m = 0; m < momenta; m++) {
    double complex wave = plane_wave(task, task->request->momentum[m], at);
    for (size_t i = 0; i < meson_structures(spins); i++) {
      task->out[(i * momenta + m) * times + t] += task->request->weight * creal(wave * value[i]);
    }
  }
}

/* Slices [first, last). */
static void add_slices(void *context, size_t first, size_t last)
{
  const struct meson_task *task = context;
  const struct lattice *lattice = task->shape->lattice;
  const size_t volume = lattice->sites / lattice->extent[0];
  for (size_t slice = first; slice < last; slice++) {
    size_t at[LATTICE_MAX_DIMENSIONS] = {slice};
    const size_t t = (lattice_slice(lattice, slice) + lattice->whole - task->request->source[0]) % lattice->whole;
    for (size_t site = 0; site < volume; site++) {
      for (size_t k = lattice->dimensions, rest = site; k-- > 1;) {
        at[k] = rest % lattice->extent[k];
        rest /= lattice->extent[k];
      }
      add_site(task, t, at);
    }
  }
}

void meson_correlators(const struct dirac *dirac, const double *columns, const struct meson_request *request,
                       double *out)
{
  const struct fermion_shape *shape = &dirac->shape;
  const struct lattice *lattice = shape->lattice;
  const size_t count = meson_structures(shape->spins) * request->momenta * lattice->whole;
  struct meson_task task = {.shape = shape, .columns = columns, .request = request, .out = out};
  for (size_t i = 0; shape->spins > 1 && i < meson_structures(shape->spins); i++) {
    struct gamma_product chiral = gamma_product(shape->spins, 16);
    task.structure[i].sink = gamma_product(shape->spins, shape->spins == 4 ? sets_of_four[i] : sets_of_two[i]);
    struct gamma_product bar = gamma_bar(&task.structure[i].sink);
    task.structure[i].source = gamma_times(&bar, &chiral);
  }
  memset(out, 0, count * sizeof *out);
  lattice_run(dirac->threads, 0, lattice->extent[0] - lattice->halo, add_slices, &task);
  gauge_slab_collect(dirac->slab, out, count);
}
