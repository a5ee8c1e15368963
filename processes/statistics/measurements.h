/* What the processes of statistics on cubes share: where the samples lie, samples that are missing, functions of means,
 * and the cube that comes out.
 *
 * The axes are taken as [chain][sample][observable]; where a process has no such parameter, or it is null, there is one
 * of it. A sample counts where none of the observables that are used is missing. */
#ifndef TWINCUBE_PROCESSES_STATISTICS_MEASUREMENTS_H
#define TWINCUBE_PROCESSES_STATISTICS_MEASUREMENTS_H

#include "hpc/plan/number_function.h"
#include "hpc/stage/axes_stage.h"
#include "physics/statistics/samples.h"
#include "processes/process.h"

struct measurements {
  const struct node *data;
  struct axes axes; /* taken */
  size_t chains, samples, observables;
  size_t first, used; /* the run of observables that is used: at first all of them */
  const struct dimension *sample_labels, *observable_labels; /* observable_labels: NULL without such a dimension */
};

/* Reads "data", "dimension", and where they are given "chain" and "observables". Errors: DimensionNotAvailable,
 * ProcessParameterInvalid (one dimension twice, complex numbers, fewer than `least` samples). */
int measurements_read(struct call *call, size_t least, struct measurements *out);

/* Numbers in all. */
size_t measurements_count(const struct measurements *m);

/* Copies the used observables of the samples that count into the table, those of chain c being lengths[c]; returns how
 * many samples there are. */
size_t measurements_keep(const struct measurements *m, const double *in, double *table, size_t *lengths);

/* The callback "derived" of the means along "observables", as a function. With `gradient`, its value is followed by its
 * derivatives along the observables. */
int derived_function(struct call *call, const struct measurements *m, bool gradient, struct number_function *out);

/* The dimension "statistic" with these labels: of bands where the data, less what is taken, has no bands. */
struct dimension statistic_dimension(const struct measurements *m, const char *const *labels, size_t count);

/* The node: the other dimensions, then those made. The function is copied, its data is not; to its hash come the
 * arguments that are known values. Error DimensionExists where a name is there twice. */
int statistic_result(struct call *call, const struct measurements *m, const struct axes_function *function,
                     const struct dimension *made, size_t made_count, struct value *result);

/* Bins of samples in all, none missing; a bin lies within its chain. */
size_t measurements_bins(const struct measurements *m, size_t bin_size);

/* "bin_size": error where the samples make fewer than two bins. */
int read_bin_size(struct call *call, const struct measurements *m, size_t *out);

/* Error ProcessGraphComplexity where `work` multiply-and-adds for each position are more than a process may take. */
int check_statistic_work(struct call *call, double work, const char *parameter);

/* Doubles in a work space, handed out one after the other. */
double *take_doubles(double **work, size_t count);

#endif
