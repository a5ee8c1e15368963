/* A kernel: a straight-line program over lanes, immutable, shared by threads.
 *
 * Registers hold `blocks` blocks of `lanes` values of the lane type (f32 or f64): register memory is
 * [block][lane]. A lane is one position of the output tile; the blocks of a register run over the axes that are
 * expanded at that point (dates, bands), the last axis fastest. kernel_run takes any number of positions and works
 * through them in pieces of at most lane_block, so all registers of a piece stay in the cache.
 *
 * Loads convert any element type to the lane type and no-data to NA; stores convert back, NA and NaN to no-data
 * (floats without one keep both as they are), integers rounded to nearest and saturated. */
#ifndef TWINCUBE_HPC_KERNEL_KERNEL_H
#define TWINCUBE_HPC_KERNEL_KERNEL_H

#include "datacube/element.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct array_function;
struct buffer;

enum kernel_op {
#define KOP(name, arity, class, expression) KOP_##name,
#include "hpc/kernel/kernel_ops.def"
#undef KOP
  KOP_COUNT_
};

enum kernel_reducer {
#define KRED(name, ...) KRED_##name,
#include "hpc/kernel/kernel_reducers.def"
#undef KRED
  KRED_COUNT_
};

enum kernel_series {
#define KSER(name, ...) KSER_##name,
#include "hpc/kernel/kernel_series.def"
#undef KSER
  KSER_COUNT_
};

enum lane_type { LANE_F32, LANE_F64 };

enum kernel_step_kind {
  STEP_CONSTANT, /* dst[b] = parameters[b], or value where there are no parameters */
  STEP_LOAD,     /* dst[b] = convert(load base + offsets[b] + lane * lane_stride), for b in 0 … blocks */
  STEP_ELEMENT,  /* dst[b] = op(a[b], b[b], c[b]); an operand with step 0 gives its one block to every b */
  STEP_REDUCE,   /* operand a is [outer][n]; dst is [outer], QUANTILES: [outer][parameter_count - 1] */
  STEP_SERIES,   /* operand a is [outer][n]; dst is [outer][n] */
  STEP_FIT,      /* operand a is [outer][n]; dst is [outer][parameter_count - 1] */
  STEP_FUNCTION, /* operand a is [outer][n]; dst is [outer][function's results] */
  STEP_GATHER,   /* dst[b] = a[map[b]] */
  STEP_STORE     /* output base + offsets[b] + lane * lane_stride = convert(a[b]) */
};

struct kernel_operand {
  uint32_t reg;   /* register */
  uint32_t block; /* its first block */
  uint32_t step;  /* 1: one block per destination block; 0: the same block for all */
};

struct kernel_curve;

struct kernel_leg {   /* a step's part in a relay: see kernel_relay.h */
  uint16_t steps;     /* of the relay that begins with this step; 0: none does */
  uint8_t form;       /* ELEMENT, STORE: enum kernel_form */
  bool saved;         /* ELEMENT: the result is also written to its register */
  uint8_t number;     /* ELEMENT: 1 + operand that is a constant for all lanes; 0: none */
  uint8_t reads;      /* bit k: operand k is read from memory */
  uint8_t fixed;      /* bit k: operand k, bit 3: the destination has one block for all of the relay's */
  uint16_t loaded[3]; /* operand k is what the step so many before this one loads; 0: it is not */
};

struct kernel_step {
  enum kernel_step_kind kind;
  uint16_t op;             /* enum kernel_op, kernel_reducer or kernel_series */
  uint32_t dst, dst_block; /* destination register and its first block (not for STORE) */
  uint32_t blocks;         /* destination blocks; for STORE: blocks stored */
  struct kernel_operand operand[3];
  uint32_t outer, n;        /* REDUCE, SERIES, FIT, FUNCTION */
  double value;             /* CONSTANT */
  bool once;                /* CONSTANT: no other step writes its blocks, so a run's first piece sets them for all */
  const double *parameters; /* REDUCE, SERIES: see the .def files; CONSTANT: one value per block, or NULL; FIT: see
                               program.h */
  uint32_t parameter_count;
  const struct kernel_curve *curve;      /* FIT */
  const struct array_function *function; /* FUNCTION; borrowed */
  const uint32_t *map;      /* GATHER: source block, relative to operand[0].block, of each destination block */
  const ptrdiff_t *offsets; /* LOAD, STORE: element offset of each block from the base */
  ptrdiff_t lane_stride;    /* LOAD, STORE: elements from lane to lane; 0 (LOAD only): every lane the same */
  enum element_type type;   /* LOAD, STORE: element type in memory */
  bool has_nodata;
  double nodata; /* LOAD: read as NA, as NaN of floats is; STORE: written for NA and NaN. NA: both stay as they are */
  uint32_t load; /* LOAD: index of its base pointer in kernel_run's bases */
  uint32_t window_columns; /* LOAD: its blocks are rows of so many elements around the lane, row after row; or 0 */
  bool in_place; /* LOAD of elements that lanes hold as they are, and the WEIGHTED_SUM after it, which alone reads them:
                    from memory, and the LOAD's register has none */
  struct kernel_leg leg;
};

struct kernel {
  enum lane_type lane_type;
  const struct kernel_step *steps;
  size_t step_count;
  const size_t *register_offset; /* first block of each register in the scratch, in blocks */
  size_t register_count;
  size_t scratch_blocks; /* blocks of the whole scratch: registers reuse each other's memory */
  size_t lane_block;     /* lanes of a piece, a multiple of 16 */
  size_t work_blocks;    /* f64 blocks of work space behind the registers: the largest of the steps'
                            kernel_step_work_blocks */
  size_t load_count;     /* LOAD steps */
};

struct kernel_curve {  /* the function of a FIT */
  struct kernel model; /* in f64. Its first step stands for the parameters, its last one for who reads the values */
  struct kernel_operand parameters, values; /* [parameter]; [n] */
};

/* Blocks of work space (in f64 blocks of lane_block) a step needs beside the registers. */
size_t kernel_step_work_blocks(const struct kernel_step *step);

/* Bytes of scratch that kernel_run needs, 64-byte aligned; one a worker. */
size_t kernel_scratch_bytes(const struct kernel *kernel);

/* Runs the kernel on `lanes` positions. bases[load] and out point at position 0; elements advance by each step's
 * lane_stride. No allocation, no lock. Picks AVX-512, AVX2 or baseline code at the first call of the process; all
 * three give the same bits, however the lanes are split. The destination of an ELEMENT step may be the very blocks of
 * an operand with step 1; other steps, and other overlaps, need separate memory. */
void kernel_run(const struct kernel *kernel, void *scratch, const void *const *bases, void *out, size_t lanes);

/* "baseline", "avx2", "avx512": what kernel_run uses. TWINCUBE_SIMD in the environment lowers it. */
const char *kernel_simd_level(void);

/* Adds one line a step to out, as `r3[24] = DIV r1 r2`: a register and its blocks, r1+4 for blocks from the fifth on,
 * r2.0 for one block that serves all. */
void kernel_print(const struct kernel *kernel, struct buffer *out);

const char *kernel_op_name(enum kernel_op op);
int kernel_op_arity(enum kernel_op op);
const char *kernel_reducer_name(enum kernel_reducer reducer);
const char *kernel_series_name(enum kernel_series series);

#endif
