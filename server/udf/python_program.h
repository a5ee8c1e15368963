/* The interpreter of the machine, asked what it is. */
#ifndef TWINCUBE_SERVER_UDF_PYTHON_PROGRAM_H
#define TWINCUBE_SERVER_UDF_PYTHON_PROGRAM_H

#include "server/confine/path_list.h"

struct python_program {
  char *text;             /* owned: what it said of itself */
  const char *version;    /* of the text, as the others */
  const char *json;       /* as of a member of /udf_runtimes, on one line */
  const char *program;    /* the file itself, without links */
  const char *path;       /* as it calls itself, which is how it finds its libraries */
  struct path_list reads; /* that it reads */
};

enum { PYTHON_WHY = 200 };

/* `name`: a path, a name that is looked for in PATH, or "" for the system's. -1: there is none that runs scripts, and
 * why. */
int python_program_find(const char *name, struct python_program *out, char why[PYTHON_WHY]);
void python_program_free(struct python_program *program);

#endif
