/* A program: what a callback computes, per position, over scalars and arrays.
 *
 * A process emits steps through these functions; the plan later inlines programs into each other and compiles them to
 * kernels (kernel.h). A `struct lanes` is a handle of a value in a program: one number per position, or an array of
 * `length` numbers per position (dates, bands). Scalars broadcast over arrays. Builders hold a sticky failure
 * (out of memory, lengths that differ), checked once by program_failed. */
#ifndef TWINCUBE_HPC_KERNEL_PROGRAM_H
#define TWINCUBE_HPC_KERNEL_PROGRAM_H

#include "datacube/base/arena.h"
#include "datacube/base/error.h"
#include "datacube/dimension.h"
#include "datacube/element.h"
#include "hpc/kernel/array_function.h"
#include "hpc/kernel/kernel.h"

enum lane_class { LANES_NUMBER, LANES_BOOLEAN };

struct lanes {
  const struct program *program;
  int value; /* id in the program */
  bool is_array;
  size_t length; /* of an array, 0 allowed; 1 for a scalar */
  enum lane_class class;
  enum element_type type;         /* natural type of the values: an input's type survives selection; arithmetic gives
                                     ELEMENT_F32 or ELEMENT_F64, comparison ELEMENT_BOOLEAN */
  const struct dimension *labels; /* labels of an array (size == length), or NULL */
  bool is_complex;                /* type is ELEMENT_C64 or ELEMENT_C128, value is the real part; class LANES_NUMBER */
  int imaginary;                  /* id of the imaginary part, of the same shape, where is_complex */
};

enum program_step_kind {
  PROGRAM_INPUT,
  PROGRAM_CONSTANT,
  PROGRAM_ELEMENT,
  PROGRAM_REDUCE,
  PROGRAM_SERIES,
  PROGRAM_PICK,
  PROGRAM_CONCAT,
  PROGRAM_FIT,
  PROGRAM_FUNCTION
};

/* A function whose parameters are to be found. */
struct program_curve {
  const struct program *model; /* input 0, its only one: the array of the parameters */
  int values;                  /* in the model: the array of the function's values, one for each element of the data */
};

struct program_step { /* step i computes value i */
  enum program_step_kind kind;
  uint16_t op;
  bool is_array;
  size_t length;
  int operand[3];           /* value ids; unused: -1 */
  size_t input;             /* INPUT: slot */
  int component;            /* INPUT: 0 the number or its real part, 1 its imaginary part */
  double constant;          /* CONSTANT scalar */
  const double *parameters; /* REDUCE, SERIES; CONSTANT array: its elements; FIT: ignore (1: NA is left out, 0: it makes
                               the result NA), then a first guess of each parameter */
  size_t parameter_count;
  const size_t *indexes; /* PICK: elements taken, in order */
  const int *parts;      /* CONCAT: value ids, scalars and arrays */
  size_t part_count;
  const struct program_curve *curve;     /* FIT */
  const struct array_function *function; /* FUNCTION */
  bool wants_f64;                        /* constants that f32 cannot hold, … */
};

struct program {
  struct arena *arena;
  struct program_step *steps;
  size_t count, capacity;
  size_t input_count;
  bool failed;
  bool mismatch;           /* failed because lengths differ or an index is out of range, not for want of memory */
  const char *unsupported; /* failed because of this operation, which complex numbers do not have; or NULL */
};

struct program *program_new(struct arena *arena); /* NULL when out of memory */
bool program_failed(const struct program *program);
/* Says why a program failed: ProcessParameterInvalid, FeatureUnsupported, or Internal when out of memory. Returns
 * -1. */
int program_error(const struct program *program, struct error *error);

/* Slot `input` of the program: a scalar, or an array when is_array. A complex type makes two INPUT steps of the slot,
 * one a component; where one part is NA, both are. */
struct lanes program_input(struct program *p, size_t input, bool is_array, size_t length, enum element_type type,
                           const struct dimension *labels);
struct lanes program_constant(struct program *p, double value);
struct lanes program_boolean(struct program *p, bool value);
struct lanes program_missing(struct program *p); /* NA */
/* The same array at every position; the values are copied, NA kept. */
struct lanes program_array(struct program *p, const double *values, size_t count);
struct lanes program_unary(struct program *p, enum kernel_op op, struct lanes a);
struct lanes program_binary(struct program *p, enum kernel_op op, struct lanes a, struct lanes b);
struct lanes program_ternary(struct program *p, enum kernel_op op, struct lanes a, struct lanes b, struct lanes c);
/* Array to scalar (QUANTILES: to an array of the probabilities' count). parameters are copied. */
struct lanes program_reduce(struct program *p, enum kernel_reducer reducer, struct lanes array,
                            const double *parameters, size_t count);
struct lanes program_series(struct program *p, enum kernel_series series, struct lanes array, const double *parameters,
                            size_t count);
/* The parameters that bring the curve closest to the array by least squares, as an array; NA where fewer elements than
 * parameters are there or the first guess gives no number. parameters: as in the step, copied. */
struct lanes program_fit(struct program *p, struct lanes array, const struct program_curve *curve,
                         const double *parameters, size_t count);
/* The function's results, as an array. It is borrowed; the array has as many elements as it takes, none complex. */
struct lanes program_function(struct program *p, struct lanes array, const struct array_function *function);
/* Element i as a scalar; elements by index as an array (any order, repeats allowed). */
struct lanes program_element(struct program *p, struct lanes array, size_t index);
struct lanes program_pick(struct program *p, struct lanes array, const size_t *indexes, size_t count);
/* Scalars and arrays one behind the other, as one array without labels. */
struct lanes program_concat(struct program *p, const struct lanes *parts, size_t count);

/* `result` was computed from `element`, a scalar that was taken from `array` just before: the array of what the same
 * steps give for each element. False where they are no mere element operations; nothing is lost then. */
bool program_spread(struct program *p, struct lanes array, struct lanes element, struct lanes result,
                    struct lanes *out);

/* Complex numbers are pairs of lanes. The builders above take them where the operation has a meaning for them: ADD,
 * SUB, MUL, DIV, NEG, ABS (modulus), EXP, LN, EQ, NEQ, MASK, SELECT, IS_…; SUM, MEAN, FIRST, LAST, COUNT; CUMSUM,
 * REVERSE; elements and concatenation. All else fails. Beside a complex operand, a real one has the imaginary part 0.
 * Division by zero is NaN. The functions below take a real number for a complex one. */
struct lanes program_complex(struct program *p, struct lanes real, struct lanes imaginary);
struct lanes program_real(struct program *p, struct lanes z);
struct lanes program_imaginary(struct program *p, struct lanes z);
struct lanes program_conjugate(struct program *p, struct lanes z);
/* Angle in radians, -pi … pi. */
struct lanes program_argument(struct program *p, struct lanes z);

/* Marks the steps that `result` depends on; needed has room for program->count. */
void program_mark_needed(const struct program *program, int result, bool *needed);

/* Values of a program without inputs: folding. out has room for lanes.length numbers, NA kept. Error FeatureUnsupported
 * or Internal. */
int program_evaluate(const struct program *p, struct lanes result, double *out, struct error *error);

#endif
