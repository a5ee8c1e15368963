/* Reading save_result's options: typed, checked, with clear errors (code ProcessParameterInvalid, parameter options).
 */
#ifndef TWINCUBE_DATACUBE_SINK_OPTIONS_H
#define TWINCUBE_DATACUBE_SINK_OPTIONS_H

#include "datacube/sink.h"

struct sink_options {
  const struct sink_option *list;
  size_t count;
};

/* The value, any case of the name; NULL where the option is not given. */
const char *sink_options_text(struct sink_options options, const char *name);
/* Leave *out as it is where the option is not given; *given (may be NULL) says whether it was. */
int sink_options_bool(struct sink_options options, const char *name, bool *out, struct error *error);
int sink_options_number(struct sink_options options, const char *name, double *out, bool *given, struct error *error);
int sink_options_integer(struct sink_options options, const char *name, int lowest, int highest, int *out,
                         struct error *error);
/* The items of an object, borrowed; none where it is not given. */
int sink_options_items(struct sink_options options, const char *name, struct sink_options *out, struct error *error);
/* Index in `choices` (NULL-terminated), any case. */
int sink_options_choice(struct sink_options options, const char *name, const char *const *choices, int *out,
                        struct error *error);

#endif
