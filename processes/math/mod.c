/* Remainder of a division, with the divisor's sign (KOP_MOD); by zero an infinity with the dividend's sign. */
#include "processes/process.h"

static int mod_call(struct call *call, struct value *result)
{
  return emit_binary(call, KOP_MOD, "x", "y", result);
}

const struct process process_mod = {.id = "mod", .shape = PROCESS_VALUE, .call = mod_call};
