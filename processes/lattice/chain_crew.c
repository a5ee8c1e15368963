/* Rank 0's side. See chain_crew.h. */
#include "processes/lattice/chain_crew.h"

#include "processes/lattice/chain_models.h"
#include "processes/lattice/chain_talk.h"

#include <stdlib.h>
#include <string.h>

static size_t rank_count(const struct ranks *ranks)
{
  return ranks != NULL ? ranks->count : 1;
}

size_t chain_crew_chains(const struct markov_chain *parameters)
{
  return parameters->pieces > 0 ? 1 : ranks_share(parameters->chains, 1, rank_count(parameters->ranks));
}

/* What is dealt: chains, or pieces of the only one. */
static size_t all_shares(const struct chain_crew *crew)
{
  const struct markov_chain *p = crew->own.parameters;
  return p->pieces > 0 ? p->pieces : p->chains;
}

static size_t first_of(const struct chain_crew *crew, size_t rank)
{
  return ranks_share(all_shares(crew), rank, rank_count(crew->ranks));
}

static size_t count_of(const struct chain_crew *crew, size_t rank)
{
  return first_of(crew, rank + 1) - first_of(crew, rank);
}

/* ---- talking ----------------------------------------------------------------------------------------------------- */

/* Ranks that have something are the first ones. */
static size_t busy_ranks(const struct chain_crew *crew)
{
  size_t shares = all_shares(crew), ranks = rank_count(crew->ranks);
  return shares < ranks ? shares : ranks;
}

static int order_all(struct chain_crew *crew, const struct chain_order *order, struct error *error)
{
  return talk_order(crew->ranks, busy_ranks(crew), order, error);
}

/* `bytes` of each share of that rank, to their places. */
static int take_shares(struct chain_crew *crew, size_t rank, size_t bytes, unsigned char *to, struct error *error)
{
  for (size_t c = first_of(crew, rank); c < first_of(crew, rank + 1) && bytes > 0; c++) {
    if (ranks_receive(crew->ranks, rank, to + bytes * c, bytes, error) != 0) {
      return -1;
    }
  }
  return 0;
}

/* Everyone's answer is taken, whatever the others say; where it is good, `bytes` a share follow it into `to`. */
static int answers(struct chain_crew *crew, size_t bytes, unsigned char *to, struct error *error)
{
  int status = 0;
  for (size_t r = 1; r < busy_ranks(crew); r++) {
    bool well;
    if (talk_hear(crew->ranks, r, &well, error) != 0 || (well && take_shares(crew, r, bytes, to, error) != 0)) {
      return -1;
    }
    status = well ? status : -1;
  }
  return status;
}

/* ---- opening and closing ----------------------------------------------------------------------------------------- */

static int send_model(struct chain_crew *crew, size_t rank, struct error *error)
{
  const struct markov_chain *p = crew->own.parameters;
  const bool whole = p->pieces == 0;
  const struct chain_parcel parcel = {.model = chain_model_number(p->ops),
                                      .first = whole ? first_of(crew, rank) : 0,
                                      .count = whole ? count_of(crew, rank) : 1,
                                      .parts = whole ? 0 : busy_ranks(crew),
                                      .pieces = whole ? 0 : count_of(crew, rank),
                                      .sites = p->sites,
                                      .grain = p->grain};
  struct buffer bytes = {.limit = SIZE_MAX};
  buffer_add(&bytes, &parcel, sizeof parcel);
  p->ops->pack(p->model, parcel.first, parcel.count, &bytes);
  const struct chain_order order = {.kind = ORDER_OPEN, .crew = crew->number, .bytes = bytes.length};
  int status = bytes.failed ? error_memory(error) : ranks_send(crew->ranks, rank, &order, sizeof order, error);
  if (status == 0) {
    status = ranks_send(crew->ranks, rank, bytes.data, bytes.length, error);
  }
  buffer_free(&bytes);
  return status;
}

static int open_others(struct chain_crew *crew, struct error *error)
{
  int status = 0;
  if (crew->ranks == NULL) {
    return 0;
  }
  talk_begin(crew->ranks);
  crew->number = crew->ranks->talks++;
  crew->is_told = true;
  for (size_t r = 1; r < busy_ranks(crew) && status == 0; r++) {
    status = send_model(crew, r, error);
  }
  crew->ranks->broken = crew->ranks->broken || status != 0; /* some answer, and nobody listens */
  return talk_end(crew->ranks, status == 0 ? answers(crew, 0, NULL, error) : status);
}

int chain_crew_open(struct chain_crew *crew, const struct markov_chain *parameters, struct error *error)
{
  crew->ranks = parameters->ranks;
  crew->own.parameters = parameters;
  crew->now = calloc(parameters->chains, sizeof *crew->now);
  crew->own.now = crew->now;
  if (crew->now == NULL) {
    return error_memory(error);
  }
  if (chain_group_open(&crew->own, parameters, 0, parameters->pieces > 0 ? 1 : count_of(crew, 0), error) == 0 &&
      open_others(crew, error) == 0) {
    return 0;
  }
  chain_crew_close(crew);
  return -1;
}

void chain_crew_close(struct chain_crew *crew)
{
  struct error ignored = {0};
  const struct chain_order order = {.kind = ORDER_CLOSE, .crew = crew->number};
  if (crew->now == NULL) {
    return;
  }
  if (crew->is_told) {
    talk_begin(crew->ranks);
    talk_end(crew->ranks, order_all(crew, &order, &ignored));
    crew->is_told = false;
  }
  chain_group_close(&crew->own);
  free(crew->now);
  crew->now = NULL;
}

void chain_crew_dismiss(struct ranks *ranks)
{
  struct error ignored = {0};
  const struct chain_order order = {.kind = ORDER_DISMISS};
  for (size_t r = 1; r < ranks->count; r++) {
    ranks_send(ranks, r, &order, sizeof order, &ignored);
  }
}

/* ---- steps ------------------------------------------------------------------------------------------------------- */

int chain_crew_start(struct chain_crew *crew, uint64_t trajectory, struct error *error)
{
  const struct chain_order order = {.kind = ORDER_START, .crew = crew->number, .trajectory = trajectory};
  talk_begin(crew->ranks);
  int status = order_all(crew, &order, error);
  if (status == 0) {
    chain_group_start(&crew->own, trajectory);
    status = answers(crew, 0, NULL, error);
  }
  return talk_end(crew->ranks, status);
}

int chain_crew_advance(struct chain_crew *crew, uint64_t trajectory, struct error *error)
{
  const struct chain_order order = {.kind = ORDER_ADVANCE, .crew = crew->number, .trajectory = trajectory};
  const char *problem = NULL;
  talk_begin(crew->ranks);
  int status = order_all(crew, &order, error);
  if (status == 0) {
    problem = chain_group_advance(&crew->own, trajectory);
    size_t row = crew->own.parameters->pieces > 0 ? 0 : sizeof *crew->now; /* of one chain its first rank has it all */
    status = answers(crew, row, (unsigned char *)crew->now, error);
  }
  talk_end(crew->ranks, status);
  return status == 0 && problem != NULL ? error_set(error, ERROR_ProcessParameterInvalid, "%s, in trajectory %llu",
                                                    problem, (unsigned long long)trajectory)
                                        : status;
}

int chain_crew_frames(struct chain_crew *crew, size_t each, unsigned char *to, struct error *error)
{
  const size_t pieces = crew->own.parameters->pieces, share = pieces > 0 ? each / pieces : each;
  const struct chain_order order = {.kind = ORDER_FRAMES, .crew = crew->number, .bytes = share};
  talk_begin(crew->ranks);
  int status = order_all(crew, &order, error);
  if (status == 0) {
    chain_group_frames(&crew->own, 0, crew->own.count, each, to);
    status = answers(crew, share, to, error);
  }
  return talk_end(crew->ranks, status);
}
