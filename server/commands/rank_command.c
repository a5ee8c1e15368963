/* See rank_command.h. Rank 0 hears of all others, then tells them whether they go on. */
#include "server/commands/rank_command.h"

#include "server/commands/command.h"
#include "server/commands/data_dir.h"

#include <stdlib.h>
#include <sys/stat.h>

struct hash rank_command_hash(int argc, char **argv)
{
  struct hash hash = {0};
  for (int i = 0; i < argc; i++)
    hash_text(&hash, argv[i]);
  return hash;
}

/* Where a path leads to; where to nothing, that. */
static void hash_place(struct hash *hash, const char *path)
{
  char *place = realpath(path, NULL);
  hash_text(hash, place);
  free(place);
}

/* Machines may have files of their own by the same name. What can be read but once is rank 0's. */
static void hash_graph(struct hash *hash, const char *path)
{
  struct stat about;
  struct error ignored = {0};
  struct buffer graph = {.limit = 2 * (size_t)GRAPH_MAX_BYTES};
  if (stat(path, &about) == 0 && S_ISREG(about.st_mode) &&
      command_read_file(path, GRAPH_MAX_BYTES, &graph, &ignored) == 0)
    hash_bytes(hash, graph.data, graph.length);
  buffer_free(&graph);
}

static struct hash hash_run(struct hash command, const struct graph_arguments *arguments)
{
  struct error ignored = {0};
  char data[DATA_DIR_SIZE];
  hash_place(&command, ".");
  if (data_dir_find(arguments->data, data, &ignored) == 0)
    hash_place(&command, data);
  hash_graph(&command, arguments->graph);
  return command;
}

static int check_all(struct ranks *ranks, struct hash mine, struct error *error)
{
  bool same = true;
  for (size_t r = 1; r < ranks->count; r++) {
    struct hash other;
    if (ranks_receive(ranks, r, &other, sizeof other, error) != 0)
      return -1;
    same = same && hash_equal(mine, other);
  }
  for (size_t r = 1; r < ranks->count; r++)
    if (ranks_send(ranks, r, &same, sizeof same, error) != 0)
      return -1;
  return same ? 0
              : error_set(error, ERROR_FeatureUnsupported,
                          "the tasks were started for different runs: those of one have the same command line, working "
                          "folder, graph and data folder; with --ranks off each runs its own graph");
}

int rank_command_check(struct ranks *ranks, struct hash command, const struct graph_arguments *arguments,
                       struct error *error)
{
  struct hash mine = hash_run(command, arguments);
  bool same;
  if (ranks->rank == 0)
    return check_all(ranks, mine, error);
  if (ranks_send(ranks, 0, &mine, sizeof mine, error) != 0 || ranks_receive(ranks, 0, &same, sizeof same, error) != 0)
    return -1;
  return same ? 0 : error_set(error, ERROR_FeatureUnsupported, "rank 0 was started for another run");
}
