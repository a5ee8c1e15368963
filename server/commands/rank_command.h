/* Whether all ranks were started with the same command line: else they belong to different runs. */
#ifndef TWINCUBE_SERVER_COMMANDS_RANK_COMMAND_H
#define TWINCUBE_SERVER_COMMANDS_RANK_COMMAND_H

#include "hpc/ranks/ranks.h"

/* Called by every rank. Errors: FeatureUnsupported (they differ), Internal, RequestTimeout. */
int rank_command_check(struct ranks *ranks, int argc, char **argv, struct error *error);

#endif
