/* The forms of a leg: where it finds its operands (kernel_relay.h).
 *
 * A and B: the two values that a relay holds in vector registers. M: a block or an element of memory. C: a constant
 * that is not NaN. The result becomes A. A form that does not take A lets it become B (PUSH), the others leave B as it
 * is (STAY). FORMS_n(FORM, x) gives FORM(x, name, PUSH or STAY, places of up to three operands) for the forms of n
 * operands, the cheapest first; those with a constant stand apart: an operation may be simpler there. An operation
 * has the forms of its class in kernel_ops.def and the number of its operands. */
#ifndef TWINCUBE_HPC_KERNEL_KERNEL_FORMS_H
#define TWINCUBE_HPC_KERNEL_KERNEL_FORMS_H

#define FORMS_1(FORM, x) FORM(x, A, STAY, A, N, N) FORM(x, M, PUSH, M, N, N)
#define FORMS_1_CONSTANT(FORM, x)
#define FORMS_2(FORM, x)                                                                                               \
  FORM(x, AB, STAY, A, B, N)                                                                                           \
  FORM(x, BA, STAY, B, A, N)                                                                                           \
  FORM(x, AM, STAY, A, M, N)                                                                                           \
  FORM(x, MA, STAY, M, A, N)                                                                                           \
  FORM(x, MM, PUSH, M, M, N)
#define FORMS_2_CONSTANT(FORM, x)                                                                                      \
  FORM(x, AC, STAY, A, C, N)                                                                                           \
  FORM(x, CA, STAY, C, A, N)                                                                                           \
  FORM(x, MC, PUSH, M, C, N)                                                                                           \
  FORM(x, CM, PUSH, C, M, N)
#define FORMS_3(FORM, x)                                                                                               \
  FORM(x, BMA, STAY, B, M, A)                                                                                          \
  FORM(x, MBA, STAY, M, B, A)                                                                                          \
  FORM(x, AMB, STAY, A, M, B)                                                                                          \
  FORM(x, MAB, STAY, M, A, B)                                                                                          \
  FORM(x, MMA, STAY, M, M, A)                                                                                          \
  FORM(x, AMM, STAY, A, M, M)                                                                                          \
  FORM(x, MAM, STAY, M, A, M)                                                                                          \
  FORM(x, MMM, PUSH, M, M, M)
#define FORMS_3_CONSTANT(FORM, x)
/* What gives booleans gets along with fewer: a form less is as many functions less as there are operations. */
#define BOOLEAN_FORMS_2(FORM, x)                                                                                       \
  FORM(x, AB, STAY, A, B, N)                                                                                           \
  FORM(x, BA, STAY, B, A, N)                                                                                           \
  FORM(x, AM, STAY, A, M, N)                                                                                           \
  FORM(x, MM, PUSH, M, M, N)
#define BOOLEAN_FORMS_2_CONSTANT(FORM, x)                                                                              \
  FORM(x, AC, STAY, A, C, N)                                                                                           \
  FORM(x, MC, PUSH, M, C, N)
#define BOOLEAN_FORMS_1 FORMS_1
#define BOOLEAN_FORMS_1_CONSTANT FORMS_1_CONSTANT
#define NUMBER_FORMS_1 FORMS_1
#define NUMBER_FORMS_1_CONSTANT FORMS_1_CONSTANT
#define NUMBER_FORMS_2 FORMS_2
#define NUMBER_FORMS_2_CONSTANT FORMS_2_CONSTANT
#define SELECTED_FORMS_2 BOOLEAN_FORMS_2
#define SELECTED_FORMS_2_CONSTANT FORMS_1_CONSTANT
#define SELECTED_FORMS_3 FORMS_3
#define SELECTED_FORMS_3_CONSTANT FORMS_3_CONSTANT
#define ALL_FORMS(FORM, x) FORMS_1(FORM, x) FORMS_2_CONSTANT(FORM, x) FORMS_2(FORM, x) FORMS_3(FORM, x)

enum kernel_form {
  FORM_NONE,
#define FORM(x, name, push, ...) FORM_##name,
  ALL_FORMS(FORM, )
#undef FORM
      FORM_COUNT_
};

#endif
