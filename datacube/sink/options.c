/* Reading save_result's options. */
#include "datacube/sink/options.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* "a, b, c" into text. */
static void join_names(const char *const *names, char *text, size_t room)
{
  size_t used = 0;
  text[0] = '\0';
  for (size_t i = 0; names[i] != NULL && used < room; i++) {
    int n = snprintf(text + used, room - used, "%s%s", i == 0 ? "" : ", ", names[i]);
    used += n > 0 ? (size_t)n : 0;
  }
}

static const struct sink_option *find_option(struct sink_options options, const char *name)
{
  for (size_t i = 0; i < options.count; i++)
    if (strcasecmp(options.list[i].name, name) == 0)
      return &options.list[i];
  return NULL;
}

const char *sink_options_text(struct sink_options options, const char *name)
{
  const struct sink_option *option = find_option(options, name);
  return option == NULL ? NULL : option->value;
}

int sink_options_items(struct sink_options options, const char *name, struct sink_options *out, struct error *error)
{
  const struct sink_option *option = find_option(options, name);
  *out = (struct sink_options){0};
  if (option == NULL)
    return 0;
  if (option->items == NULL)
    return error_parameter(error, ERROR_ProcessParameterInvalid, "options", "option '%.100s' is an object, not %.60s",
                           name, option->value);
  *out = (struct sink_options){option->items, option->item_count};
  return 0;
}

int sink_options_bool(struct sink_options options, const char *name, bool *out, struct error *error)
{
  const char *text = sink_options_text(options, name);
  if (text == NULL)
    return 0;
  bool yes = strcasecmp(text, "true") == 0 || strcmp(text, "1") == 0 || strcasecmp(text, "yes") == 0;
  bool no = strcasecmp(text, "false") == 0 || strcmp(text, "0") == 0 || strcasecmp(text, "no") == 0;
  if (!yes && !no)
    return error_parameter(error, ERROR_ProcessParameterInvalid, "options", "option '%s' is true or false, not '%.60s'",
                           name, text);
  *out = yes;
  return 0;
}

int sink_options_number(struct sink_options options, const char *name, double *out, bool *given, struct error *error)
{
  const char *text = sink_options_text(options, name);
  if (given != NULL)
    *given = text != NULL;
  if (text == NULL)
    return 0;
  char *end;
  double value = strtod(text, &end);
  if (end == text || *end != '\0' || !isfinite(value))
    return error_parameter(error, ERROR_ProcessParameterInvalid, "options", "option '%s' is a number, not '%.60s'",
                           name, text);
  *out = value;
  return 0;
}

int sink_options_integer(struct sink_options options, const char *name, int lowest, int highest, int *out,
                         struct error *error)
{
  double value = 0;
  bool given = false;
  if (sink_options_number(options, name, &value, &given, error) != 0)
    return -1;
  if (!given)
    return 0;
  if (value != floor(value) || value < lowest || value > highest)
    return error_parameter(error, ERROR_ProcessParameterInvalid, "options",
                           "option '%s' is a whole number from %d to %d, not %g", name, lowest, highest, value);
  *out = (int)value;
  return 0;
}

int sink_options_choice(struct sink_options options, const char *name, const char *const *choices, int *out,
                        struct error *error)
{
  const char *text = sink_options_text(options, name);
  if (text == NULL)
    return 0;
  for (int i = 0; choices[i] != NULL; i++)
    if (strcasecmp(text, choices[i]) == 0) {
      *out = i;
      return 0;
    }
  char known[256];
  join_names(choices, known, sizeof known);
  return error_parameter(error, ERROR_ProcessParameterInvalid, "options", "option '%s' is one of %s, not '%.60s'", name,
                         known, text);
}
