/* Metropolis sweeps, row by row. See scalar_metropolis.h. */
#include "physics/lattice/scalar_metropolis.h"

#include "physics/random/philox.h"
#include "physics/random/philox_lanes.h"
#include "physics/simd.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

struct metropolis_rows {
  struct scalar_field *field;
  struct philox_stream stream;
  double width;
  unsigned colour;                                                                 /* only rows of this one */
  void (*sweep)(const struct metropolis_rows *task, size_t row, size_t *accepted); /* at this machine's level */
};

/* ---- colours of rows --------------------------------------------------------------------------------------------- */

struct row_place { /* indexes of a row of the whole lattice */
  size_t at[SCALAR_FIELD_MAX_DIMENSIONS];
};

static struct row_place place_of(const struct scalar_action *action, size_t row)
{
  struct row_place place;
  for (size_t k = action->dimensions - 1; k-- > 0;) {
    place.at[k] = row % action->extent[k];
    row /= action->extent[k];
  }
  return place;
}

static void move_on(const struct scalar_action *action, struct row_place *place)
{
  for (size_t k = action->dimensions - 1; k-- > 0;) {
    if (++place->at[k] < action->extent[k]) {
      return;
    }
    place->at[k] = 0;
  }
}

/* Bit 0: parity of the row's indexes; bit k + 1: index k is the last of an odd extent. Neighbours differ in one index
 * k: either bit k + 1 differs, or neither is behind the seam and the parity does. */
static unsigned colour_of(const struct scalar_action *action, const struct row_place *place)
{
  unsigned colour = 0;
  for (size_t k = 0; k + 1 < action->dimensions; k++) {
    size_t extent = action->extent[k], at = place->at[k];
    colour ^= at & 1;
    if (extent > 1 && extent % 2 == 1 && at == extent - 1) {
      colour |= 2U << k;
    }
  }
  return colour;
}

/* ---- pieces of a row --------------------------------------------------------------------------------------------- */

/* Coefficient of phi^2 in what S has of one site. */
static double curvature(const struct scalar_action *action)
{
  double links = 0;
  for (size_t k = 0; k < action->dimensions; k++) {
    links += action->extent[k] > 1 ? 2 : 0;
  }
  return links + action->m2;
}

#define BARRED (-(double)INFINITY)
enum { LANES = 8, PIECE = 512 /* columns, a multiple of twice the lanes */ };

struct row_piece {
  size_t first, count;           /* columns of the row */
  double step[PIECE];            /* proposed */
  double limit[2][PIECE];        /* of dS: -ln u, for even columns' turn and for odd ones'; BARRED the others */
  double around[PIECE];          /* sum over the neighbours in other rows */
  double between[PIECE + LANES]; /* the values after the even columns' turn, and the one behind them */
  uint64_t taken[LANES];         /* accepted proposals */
};

/* From two words a lane. */
SIMD_BODY propose_lanes(double width, const uint32_t word[2][LANES], size_t at, struct row_piece *piece)
{
  double *step = piece->step + at, *even = piece->limit[0] + at, *odd = piece->limit[1] + at;
#pragma omp simd
  for (size_t l = 0; l < LANES; l++) {
    step[l] = width * (2 * philox_open_word(word[0][l]) - 1);
    double limit = -philox_ln(philox_open_word(word[1][l]));
    even[l] = l % 2 == 0 ? limit : BARRED;
    odd[l] = l % 2 == 0 ? BARRED : limit;
  }
}

/* Proposals for the piece's sites in a row of the whole lattice, and their limits. */
SIMD_BODY propose(const struct metropolis_rows *task, size_t row, struct row_piece *piece)
{
  const struct philox_stream *stream = &task->stream;
  for (size_t at = 0; at < piece->count; at += 2 * LANES) {
    uint32_t word[4][LANES];
#pragma omp simd
    for (size_t l = 0; l < LANES; l++) {
      word[0][l] = (uint32_t)((piece->first + at) / 2 + l);
      word[1][l] = (uint32_t)row;
      word[2][l] = (uint32_t)stream->stream;
      word[3][l] = (uint32_t)(stream->stream >> 32);
    }
    philox_rounds(word[0], LANES, stream->seed);
    propose_lanes(task->width, word, at, piece);
    if (at + LANES < piece->count) {
      propose_lanes(task->width, word + 2, at + LANES, piece);
    }
  }
  for (size_t i = piece->count; i % LANES != 0; i++) {
    piece->limit[0][i] = piece->limit[1][i] = BARRED;
  }
}

SIMD_BODY look_around(const struct scalar_field *field, size_t row, struct row_piece *piece)
{
  const size_t outer = field->action.dimensions - 1;
  const uint32_t *rows = field->neighbour + row * 2 * outer;
  for (size_t at = 0; at < piece->count; at += LANES) {
    double around[LANES] = {0};
    for (size_t k = 0; k < outer; k++) {
      const double *forward = field->phi + rows[2 * k] * field->stride + piece->first + at;
      const double *backward = field->phi + rows[2 * k + 1] * field->stride + piece->first + at;
      if (field->action.extent[k] > 1) {
#pragma omp simd
        for (size_t l = 0; l < LANES; l++) {
          around[l] += forward[l] + backward[l];
        }
      }
    }
    memcpy(piece->around + at, around, sizeof around);
  }
}

/* What a proposal makes of a value, given the sum over its neighbours; *taken: 1 or 0. Without a branch, of bits. */
static inline __attribute__((always_inline)) double decide(const double weight[2], double old, double step, double near,
                                                           double limit, uint64_t *taken)
{
  double new = old + step, a = old *old, b = new *new;
  double ds = (b - a) * (weight[0] + weight[1] * (a + b)) - 2 * step * near;
  uint64_t bits;
  memcpy(&bits, &step, sizeof bits);
  *taken = ds < limit; /* so NaN is refused */
  bits &= -*taken;
  memcpy(&step, &bits, sizeof bits);
  return old + step;
}

/* Offers the columns of one parity their proposals: their neighbours have the other. All values go from one array to
 * another, so that no load waits for parts of what was just stored. */
SIMD_BODY offer(const struct scalar_field *field, struct row_piece *piece, const double *from, double *to,
                const size_t parity)
{
  const double weight[] = {curvature(&field->action), field->action.lambda};
  const double beside = field->length > 1 ? 1 : 0; /* a site is no neighbour of itself */
  for (size_t first = 0; first < piece->count; first += LANES) {
    const double *step = piece->step + first, *limit = piece->limit[parity] + first, *around = piece->around + first;
    const double *x = from + first, *left = x - 1, *right = x + 1;
#pragma omp simd
    for (size_t l = 0; l < LANES; l++) {
      uint64_t taken;
      double near = beside * (left[l] + right[l]) + around[l];
      to[first + l] = decide(weight, x[l], step[l], near, limit[l], &taken);
      piece->taken[l] += taken;
    }
  }
}

SIMD_BODY offer_one(const struct scalar_field *field, struct row_piece *piece, size_t column, double *x, double limit)
{
  const double weight[] = {curvature(&field->action), field->action.lambda};
  uint64_t taken;
  *x = decide(weight, x[0], piece->step[column], x[-1] + x[1] + piece->around[column], limit, &taken);
  piece->taken[0] += taken;
}

/* Even columns, then odd ones. The last of an odd number lies next to the first: it comes behind both. */
SIMD_BODY sweep_piece(const struct metropolis_rows *task, size_t row, struct row_piece *piece)
{
  struct scalar_field *field = task->field;
  const size_t length = field->length, count = piece->count;
  const bool seam = piece->first + count == length && length > 1 && length % 2 == 1;
  double *x = field->phi + row * field->stride + piece->first;
  propose(task, field->begin + row, piece);
  look_around(field, row, piece);
  double *last = &piece->limit[(count - 1) % 2][count - 1], limit = *last;
  *last = seam ? BARRED : limit;
  offer(field, piece, x, piece->between, 0);
  piece->between[count] = count == length ? piece->between[0] : x[count];
  offer(field, piece, piece->between, x, 1);
  if (piece->first == 0) {
    x[length] = x[0];
  }
  if (seam) {
    offer_one(field, piece, count - 1, x + count - 1, limit);
  }
}

SIMD_BODY sweep_row_body(const struct metropolis_rows *task, size_t row, size_t *accepted)
{
  const size_t length = task->field->length;
  double *x = task->field->phi + row * task->field->stride;
  struct row_piece piece;
  *accepted = 0;
  memset(piece.taken, 0, sizeof piece.taken);
  for (piece.first = 0; piece.first < length; piece.first += PIECE) {
    piece.count = length - piece.first < PIECE ? length - piece.first : PIECE;
    sweep_piece(task, row, &piece);
  }
  x[-1] = x[length - 1];
  x[length] = x[0];
  for (size_t l = 0; l < LANES; l++) {
    *accepted += piece.taken[l];
  }
}
SIMD_LEVELS(sweep_row, (const struct metropolis_rows *task, size_t row, size_t *accepted), (task, row, accepted))

static void sweep_rows(const void *context, size_t first, size_t last)
{
  const struct metropolis_rows *task = context;
  const struct scalar_action *action = &task->field->action;
  struct row_place place = place_of(action, task->field->begin + first);
  for (size_t row = first; row < last; row++) {
    if (colour_of(action, &place) == task->colour) {
      size_t accepted;
      task->sweep(task, row, &accepted);
      task->field->row_sum[row] = (double)accepted;
    }
    move_on(action, &place);
  }
}

double scalar_metropolis(struct scalar_field *field, uint64_t seed, double width, uint64_t t)
{
  struct metropolis_rows task = {field, {.seed = seed, .stream = 2 * t}, width, 0, SIMD_PICK(sweep_row)};
  unsigned seams = 0; /* bits that a colour can have */
  for (size_t k = 0; k + 1 < field->action.dimensions; k++) {
    size_t extent = field->action.extent[k];
    seams |= (extent > 1 && extent % 2 == 1 ? 2U << k : 0) | (extent > 1 ? 1U : 0);
  }
  for (task.colour = 0; task.colour <= seams; task.colour++) {
    if ((task.colour & ~seams) == 0) {
      scalar_field_rows(field, sweep_rows, &task);
      scalar_field_exchange(field, field->phi);
    }
  }
  return scalar_field_sum(field, field->row_sum) / (double)field->sites;
}
