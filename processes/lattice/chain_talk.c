/* Orders and answers. See chain_talk.h. */
#include "processes/lattice/chain_talk.h"

#include <stdio.h>

void talk_begin(struct ranks *ranks)
{
  if (ranks != NULL) {
    pthread_mutex_lock(&ranks->talk);
  }
}

int talk_end(struct ranks *ranks, int status)
{
  if (ranks != NULL) {
    pthread_mutex_unlock(&ranks->talk);
  }
  return status;
}

int talk_order(struct ranks *ranks, size_t busy, const struct chain_order *order, struct error *error)
{
  for (size_t r = 1; r < busy; r++) {
    if (ranks_send(ranks, r, order, sizeof *order, error) != 0) {
      return -1;
    }
  }
  return 0;
}

int talk_hear(struct ranks *ranks, size_t rank, bool *well, struct error *error)
{
  struct chain_answer answer;
  if (ranks_receive(ranks, rank, &answer, sizeof answer, error) != 0) {
    return -1;
  }
  *well = !answer.failed;
  if (answer.failed) {
    error_set(error, error_code_find(answer.code), "rank %zu: %s", rank, answer.message);
  }
  return 0;
}

int talk_answer(struct ranks *ranks, const struct error *what, struct error *error)
{
  struct chain_answer text = {.failed = error_is_set(what)};
  snprintf(text.code, sizeof text.code, "%s", what->code);
  snprintf(text.message, sizeof text.message, "%.300s", what->message);
  return ranks_send(ranks, 0, &text, sizeof text, error);
}
