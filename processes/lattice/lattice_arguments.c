/* Numbers within bounds and names from a list. See lattice_arguments.h. */
#include "processes/lattice/lattice_arguments.h"

#include "datacube/base/buffer.h"

#include <string.h>

int lattice_number(struct call *call, const char *name, double minimum, double maximum, double *out)
{
  if (call_number(call, name, out) != 0)
    return -1;
  if (*out >= minimum && *out <= maximum) /* so NaN is refused */
    return 0;
  return error_parameter(call->error, ERROR_ProcessParameterInvalid, name,
                         "parameter '%s' of process '%s' must be a number from %g to %g; it is %.17g", name,
                         call->process->id, minimum, maximum, *out);
}

int lattice_count(struct call *call, const char *name, int64_t minimum, int64_t maximum, size_t *out)
{
  int64_t number;
  if (call_integer(call, name, minimum, maximum, &number) != 0)
    return -1;
  *out = (size_t)number;
  return 0;
}

int lattice_choice(struct call *call, const char *name, const char *const *choices, size_t *out)
{
  const char *given, *list = "";
  if (call_text(call, name, &given) != 0)
    return -1;
  for (*out = 0; choices[*out] != NULL; (*out)++)
    if (strcmp(given, choices[*out]) == 0)
      return 0;
  for (size_t i = 0; choices[i] != NULL && list != NULL; i++)
    list = arena_printf(call->arena, "%s%s'%s'", list, i > 0 ? ", " : "", choices[i]);
  return error_parameter(call->error, ERROR_ProcessParameterInvalid, name,
                         "parameter '%s' of process '%s' must be one of %s; it is '%s'", name, call->process->id,
                         list ? list : "its choices", given);
}
