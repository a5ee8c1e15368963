/* See rank_command.h. Rank 0 hears of all others, then tells them whether they go on. */
#include "server/commands/rank_command.h"

#include "datacube/base/hash.h"

#include <string.h>

static struct hash hash_of(int argc, char **argv)
{
  struct hash hash = {0};
  for (int i = 0; i < argc; i++)
    hash_bytes(&hash, argv[i], strlen(argv[i]));
  return hash;
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
                          "the tasks were started with different command lines: those of one run have the same");
}

int rank_command_check(struct ranks *ranks, int argc, char **argv, struct error *error)
{
  struct hash mine = hash_of(argc, argv);
  bool same;
  if (ranks->rank == 0)
    return check_all(ranks, mine, error);
  if (ranks_send(ranks, 0, &mine, sizeof mine, error) != 0 || ranks_receive(ranks, 0, &same, sizeof same, error) != 0)
    return -1;
  return same ? 0 : error_set(error, ERROR_FeatureUnsupported, "rank 0 was started with another command line");
}
