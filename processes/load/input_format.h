/* The formats that uploaded files are read in: a row each, also what /file_formats says of them. */
#ifndef TWINCUBE_PROCESSES_LOAD_INPUT_FORMAT_H
#define TWINCUBE_PROCESSES_LOAD_INPUT_FORMAT_H

#include <stdbool.h>
#include <stddef.h>

enum input_kind { INPUT_RASTER, INPUT_NETCDF, INPUT_FEATURES, INPUT_GAUGE };

struct input_format {
  const char *name, *title;
  enum input_kind kind;
  const char *extension;  /* of features: files are read as if their names ended so */
  const char *option;     /* the one that it has, or NULL */
  const char *parameters; /* JSON, as in /file_formats */
};

extern const struct input_format input_formats[]; /* sorted by name */
extern const size_t input_format_count;

/* Any case, and the other names that output formats go by; or NULL. */
const struct input_format *input_format_find(const char *name);
/* Whether the file's first bytes are those of the format; true for features, whose readers look for themselves. */
bool input_format_fits(const struct input_format *format, const char *path);

#endif
