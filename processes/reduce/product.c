/* Product. */
#include "processes/process.h"

static int product_call(struct call *call, struct value *result)
{
  return emit_reduce(call, KRED_PRODUCT, result);
}

const struct process process_product = {.id = "product", .shape = PROCESS_REDUCER, .call = product_call};
