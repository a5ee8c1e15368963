/* Colours of numbers: ramps by the names that matplotlib gives them. */
#ifndef TWINCUBE_SERVER_SERVICES_COLOUR_RAMP_H
#define TWINCUBE_SERVER_SERVICES_COLOUR_RAMP_H

#include <stdbool.h>
#include <stddef.h>

struct colour {
  unsigned char red, green, blue, opacity;
};

/* Fills `count` colours (at least 2) from the ramp's one end to the other; "NAME_r" is NAME reversed. false: no ramp
 * has that name. */
bool colour_ramp(const char *name, struct colour *out, size_t count);
/* The name of ramp i, in order of names; NULL behind the last one. */
const char *colour_ramp_name(size_t i);
/* "#rrggbb" or "#rrggbbaa". */
bool colour_parse(const char *text, struct colour *out);

#endif
