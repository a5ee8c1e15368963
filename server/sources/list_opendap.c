/* A dataset of OPeNDAP: one file, as it were, that its server describes (datacube/dap). The description is asked for
 * here already, so that what is none is told at once, and a refresh sees whether it has changed. */
#include "server/sources/source_kind.h"

#include "datacube/base/hash.h"
#include "datacube/dap/dap_address.h"
#include "datacube/dap/dap_dataset.h"

#include <inttypes.h>
#include <string.h>
#include <strings.h>

const char *opendap_name(struct arena *arena, const char *name)
{
  static const char *const ends[] = {".nc", ".nc4", ".cdf", ".h5", ".hdf5"};
  const char *dot = strrchr(name, '.');
  for (size_t i = 0; dot && i < sizeof ends / sizeof ends[0]; i++)
    if (strcasecmp(dot, ends[i]) == 0)
      return arena_strdup(arena, name);
  return arena_printf(arena, "%s.nc", name);
}

/* Adds a document of the dataset to the sum; the description must be one. */
static int look_at(struct source_session *session, const char *dataset, const char *end, struct hash *sum,
                   struct error *error)
{
  const struct source_question question = {.url = dap_with_end(session->arena, dataset, end)};
  struct source_answer answer;
  struct dap_dataset ignored;
  struct error reason = {0};
  if (!question.url)
    return error_memory(error);
  if (source_ask(session, &question, &answer, error) != 0)
    return -1;
  const char *text = answer.body.data ? answer.body.data : "";
  const bool is_description = strcmp(end, "dds") == 0;
  const int status = is_description ? dap_dataset_read(session->arena, text, answer.body.length, &ignored, &reason) : 0;
  hash_bytes(sum, text, answer.body.length);
  source_answer_free(&answer);
  return status == 0 ? 0 : error_set(error, ERROR_FileContentInvalid, "%.200s: %s", question.url, reason.message);
}

int list_opendap(struct source_session *session, const char *address, struct source_listing *listing,
                 struct error *error)
{
  struct hash sum = {0, 0};
  struct listed_file file = {.address = address};
  if (dap_address(session->arena, address, &file.address, error) != 0)
    return -1;
  if (look_at(session, file.address, "dds", &sum, error) != 0 ||
      look_at(session, file.address, "das", &sum, error) != 0)
    return -1;
  const char *slash = strrchr(file.address, '/'), *dot = strrchr(slash, '.');
  const char *name = arena_strndup(session->arena, slash + 1, (size_t)(dot - slash) - 1);
  file.name = name ? opendap_name(session->arena, name) : NULL;
  file.stamp = arena_printf(session->arena, "%016" PRIx64 "%016" PRIx64, sum.a, sum.b);
  return file.name && file.stamp ? source_listing_add(listing, &file, error) : error_memory(error);
}
