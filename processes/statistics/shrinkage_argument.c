/* Names of shrinkages. See shrinkage_argument.h. */
#include "processes/statistics/shrinkage_argument.h"

#include <string.h>

static const char *const names[] = {[SHRINKAGE_NONE] = "none",
                                    [SHRINKAGE_LEDOIT_WOLF] = "ledoit-wolf",
                                    [SHRINKAGE_SCHAEFER_STRIMMER] = "schaefer-strimmer",
                                    [SHRINKAGE_DIAGONAL] = "diagonal"};

int call_shrinkage(struct call *call, const char *name, enum shrinkage *out)
{
  const char *text;
  if (call_text(call, name, &text) != 0) {
    return -1;
  }
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    if (strcmp(text, names[i]) == 0) {
      *out = (enum shrinkage)i;
      return 0;
    }
  }
  return error_parameter(call->error, ERROR_ProcessParameterInvalid, name, "there is no shrinkage '%s'", text);
}
