/* x rounded to p decimal places, ties to even; p below zero rounds to tens, hundreds, ….
 *
 *   p > 0   round(x * 10^p) / 10^p; from |x| * 10^p = 2^52 on x has no such decimals, so it stays
 *   p < 0   round(x / 10^-p) * 10^-p
 *
 * Scaling by the whole number 10^|p| keeps halves exact: 0.35 with p = 1 is a tie, as people expect. */
#include "processes/process.h"

#include <math.h>

enum { ROUND_MAX_PLACES = 300 };

static struct lanes round_decimals(struct program *p, struct lanes x, struct lanes scale)
{
  struct lanes scaled = program_binary(p, KOP_MUL, x, scale);
  struct lanes rounded = program_binary(p, KOP_DIV, program_unary(p, KOP_ROUND, scaled), scale);
  struct lanes has_decimals = program_binary(p, KOP_LT, program_unary(p, KOP_ABS, scaled), program_constant(p, 0x1p52));
  return program_ternary(p, KOP_SELECT, rounded, x, has_decimals);
}

static struct lanes round_tens(struct program *p, struct lanes x, struct lanes scale)
{
  struct lanes scaled = program_binary(p, KOP_DIV, x, scale);
  return program_binary(p, KOP_MUL, program_unary(p, KOP_ROUND, scaled), scale);
}

static int round_call(struct call *call, struct value *result)
{
  struct lanes x;
  int64_t places = 0;
  if (call_lanes(call, "x", &x) != 0)
    return -1;
  if (call_has(call, "p") && call_integer(call, "p", -ROUND_MAX_PLACES, ROUND_MAX_PLACES, &places) != 0)
    return -1;
  struct program *p = call->program;
  struct lanes rounded;
  if (places == 0)
    rounded = program_unary(p, KOP_ROUND, x);
  else if (places > 0)
    rounded = round_decimals(p, x, program_constant(p, pow(10, (double)places)));
  else
    rounded = round_tens(p, x, program_constant(p, pow(10, (double)-places)));
  *result = value_lanes(rounded);
  return 0;
}

const struct process process_round = {.id = "round", .shape = PROCESS_VALUE, .call = round_call};
