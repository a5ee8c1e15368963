/* What the comparisons share: operands may be of different types, and types that do not fit decide the result. */
#ifndef TWINCUBE_PROCESSES_COMPARE_OPERANDS_H
#define TWINCUBE_PROCESSES_COMPARE_OPERANDS_H

#include "processes/process.h"

enum operand_type { OPERAND_NULL, OPERAND_NUMBER, OPERAND_BOOLEAN, OPERAND_TEXT, OPERAND_OTHER };

enum operand_type operand_type(const struct value *value);

/* `answer` at every position, but missing where one of the operands is missing: for operands whose types decide. */
struct value decided(struct call *call, const struct value *x, const struct value *y, bool answer);

/* op over arguments x and y where both are numbers; else false (missing where an operand is). */
int emit_comparison(struct call *call, enum kernel_op op, struct value *result);

/* Strict equality of two values as eq defines it: a boolean value, null, or boolean lanes. delta <= 0: exact. */
struct equality {
  double delta;
  bool fold_case; /* texts are compared without regard to case */
};
struct value values_equal(struct call *call, const struct value *x, const struct value *y, struct equality how);
/* The same with the arguments x, y, delta and case_sensitive of call. */
int emit_equality(struct call *call, struct value *result);
/* not */
struct value value_negated(struct call *call, const struct value *value);

#endif
