/* What twincube run and twincube explain share: their options, the graph's text, the catalogue. */
#ifndef TWINCUBE_SERVER_COMMANDS_COMMAND_GRAPH_H
#define TWINCUBE_SERVER_COMMANDS_COMMAND_GRAPH_H

#include "server/fetch/account_settings.h"

#include "datacube/base/buffer.h"
#include "hpc/device/device.h"
#include "processes/execute.h"
#include "stac/catalogue.h"

enum { GRAPH_ARGUMENTS_MAX_PARAMETERS = 256 };

struct graph_arguments {
  const char *graph;               /* file name, "-" for standard input */
  const char *output;              /* or NULL */
  const char *data;                /* --data, or NULL */
  const char *files;               /* --files, or NULL */
  const char *workspaces;          /* --workspaces, or NULL */
  struct account_settings remotes; /* --remote, --remote-accounts; owned */
  const char *udf_python;          /* --udf-python, or NULL */
  size_t memory;                   /* bytes, 0: default */
  long threads;                    /* 0: default */
  struct device_options device;
  bool alone;          /* --ranks off */
  struct ranks *ranks; /* that were joined; or NULL */
  bool official;       /* --encoding official */
  enum explain_form explain;
  bool verbose; /* run --verbose */
  struct graph_parameter parameters[GRAPH_ARGUMENTS_MAX_PARAMETERS];
  size_t parameter_count;
};

/* Reads the options of `command`. -1 to go on, else the exit status (help was printed, or the usage is wrong). To be
 * freed in any case. */
int graph_arguments_read(int argc, char **argv, const char *command, const char *help, struct graph_arguments *out);

void graph_arguments_free(struct graph_arguments *arguments);

/* Loads graph and catalogue, calls `act` with what execute() wants, and releases both. Returns the exit status; an
 * error has been printed. `cancel` (or NULL) becomes nonzero when nobody waits for the result any more. */
int graph_arguments_execute(const struct graph_arguments *arguments, const volatile int *cancel,
                            int (*act)(const struct graph_arguments *arguments, struct execution *execution,
                                       struct error *error));

#endif
