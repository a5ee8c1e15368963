/* Where the outcomes of a graph go: format and name of each file, settled before anything runs.
 *
 *   output "DIR/"      one outcome: DIR/result.EXT; several: DIR/<node>.EXT
 *   output "NAME.EXT"  the result node's outcome: that file; the others: NAME_<node>.EXT
 *
 * The format is save_result's. What is not saved takes the format of the output's extension, or JSON in a folder. An
 * extension that no format has, and one that contradicts save_result, are errors: a file must hold what its name
 * says. */
#ifndef TWINCUBE_PROCESSES_RESULT_FILE_H
#define TWINCUBE_PROCESSES_RESULT_FILE_H

#include "processes/graph/graph.h"

struct result_file {
  const struct outcome_output *output; /* the cube; NULL: a value, as JSON */
  const struct value *value;           /* where it is one */
  const char *name;                    /* id of the graph's node */
  const struct sink_format *format;
  const char *path;
  bool is_result;
};

/* A file for each of the outcome's cubes and, with `with_value`, for its value; in the arena. Names of nodes become
 * names of files by leaving letters, digits, '-', '_' and '.'; two of one name are numbered. Errors: FormatUnsuitable
 * (also where a cube that nobody saved does not fit the format), StorageFailure where a path is too long. */
int result_files_plan(struct arena *arena, const char *output, const struct outcome *outcome, bool with_value,
                      struct result_file **files, size_t *count, struct error *error);

#endif
