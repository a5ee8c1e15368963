/* Whether all ranks belong to one run: each would else lose what it was started for to rank 0. */
#ifndef TWINCUBE_SERVER_COMMANDS_RANK_COMMAND_H
#define TWINCUBE_SERVER_COMMANDS_RANK_COMMAND_H

#include "hpc/ranks/ranks.h"
#include "server/commands/command_graph.h"

/* Of the command line, as it was before its options were read. */
struct hash rank_command_hash(int argc, char **argv);

/* Called by every rank: whether command line, working folder, graph and data folder are the same. Errors:
 * FeatureUnsupported (they differ), Internal, RequestTimeout. */
int rank_command_check(struct ranks *ranks, struct hash command, const struct graph_arguments *arguments,
                       struct error *error);

#endif
