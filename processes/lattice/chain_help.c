/* The side of the other ranks. See chain_crew.h, gauge_crew.h and chain_orders.h. */
#include "processes/lattice/chain_crew.h"
#include "processes/lattice/chain_models.h"
#include "processes/lattice/chain_talk.h"
#include "processes/lattice/gauge_share.h"

#include "datacube/base/arena.h"
#include "datacube/base/checked.h"

#include <stdlib.h>

/* What is here of one crew, chains or a share of fields: what came for it, and this, lies in the arena. */
struct helped {
  struct helped *next;
  uint32_t crew;
  struct arena *arena;
  struct markov_chain parameters; /* of chains, as the next two */
  struct chain_group group;
  size_t pieces; /* of the one chain, which others share; else 0 */
  struct gauge_share share;
  size_t bytes; /* of all this */
};

struct helper {
  struct ranks *ranks;
  unsigned threads;
  size_t memory; /* bytes that it may take, and has taken */
  size_t taken;
  struct helped *all;
};

static void helped_free(struct helped *helped)
{
  chain_group_close(&helped->group);
  gauge_share_close(&helped->share);
  arena_free(helped->arena);
}

static struct helped **find(struct helper *helper, uint32_t crew)
{
  struct helped **at = &helper->all;
  while (*at != NULL && (*at)->crew != crew) {
    at = &(*at)->next;
  }
  return at;
}

static void forget(struct helper *helper, uint32_t crew)
{
  struct helped **at = find(helper, crew), *helped = *at;
  if (helped != NULL) {
    *at = helped->next;
    helper->taken -= helped->bytes;
    helped_free(helped);
  }
}

/* What came, and the memory of what. */
static int count_bytes(const struct helper *helper, size_t came, struct helped *helped, size_t bytes, const char *what,
                       struct error *error)
{
  helped->bytes = saturated_add(came, bytes);
  return helped->bytes <= helper->memory - helper->taken
             ? 0
             : error_set(error, ERROR_ProcessGraphComplexity,
                         "its %s need %zu bytes, with %zu bytes of others, and there are %zu", what, helped->bytes,
                         helper->taken, helper->memory);
}

static void keep(struct helper *helper, struct helped *helped)
{
  helper->taken += helped->bytes;
  helped->next = helper->all;
  helper->all = helped;
}

static int make_chains(struct helper *helper, const struct chain_order *order, struct arena *arena, const void *bytes,
                       struct error *error)
{
  const struct chain_parcel *parcel = bytes;
  struct helped *helped = ARENA_NEW(arena, struct helped);
  if (helped == NULL) {
    return error_memory(error);
  }
  const struct chain_model_ops *ops = chain_models[parcel->model];
  helped->crew = order->crew;
  helped->arena = arena;
  helped->parameters = (struct markov_chain){
      .ops = ops, .sites = parcel->sites, .grain = parcel->grain, .cancel = helper->ranks->cancel};
  const void *model = ops->unpack(arena, parcel + 1, helper->ranks->cancel);
  bool split = parcel->parts > 0 && model != NULL;
  helped->parameters.model = split ? ops->split(arena, model, helper->ranks, parcel->parts) : model;
  helped->pieces = parcel->pieces;
  helped->group.now = arena_array(arena, parcel->count, sizeof *helped->group.now);
  helped->group.threads = helper->threads;
  if (helped->parameters.model == NULL || helped->group.now == NULL) {
    return error_memory(error);
  }
  const size_t memory = saturated_mul(parcel->count, chain_group_state_bytes(&helped->parameters));
  if (count_bytes(helper, order->bytes, helped, memory, "chains", error) != 0 ||
      chain_group_open(&helped->group, &helped->parameters, parcel->first, parcel->count, error) != 0) {
    return -1;
  }
  keep(helper, helped);
  return 0;
}

static int make_share(struct helper *helper, const struct chain_order *order, struct arena *arena, const void *bytes,
                      struct error *error)
{
  const struct gauge_parcel *parcel = bytes;
  struct helped *helped = ARENA_NEW(arena, struct helped);
  if (helped == NULL) {
    return error_memory(error);
  }
  helped->crew = order->crew;
  helped->arena = arena;
  const size_t memory = gauge_share_bytes(parcel, parcel + 1, helper->ranks);
  if (count_bytes(helper, order->bytes, helped, memory, "slab and its work", error) != 0 ||
      gauge_share_open(&helped->share, parcel, parcel + 1, helper->ranks, error) != 0) {
    return -1;
  }
  keep(helper, helped);
  return 0;
}

static int do_open(struct helper *helper, const struct chain_order *order, struct error *error)
{
  struct error what = {0};
  struct arena *arena = arena_new(0);
  void *bytes = arena != NULL ? arena_alloc(arena, order->bytes) : NULL;
  if (bytes == NULL) { /* the message cannot be taken, so the conversation ends */
    arena_free(arena);
    helper->ranks->broken = true;
    return error_memory(error);
  }
  if (ranks_receive(helper->ranks, 0, bytes, order->bytes, error) != 0) {
    arena_free(arena);
    return -1;
  }
  if ((order->kind == ORDER_OPEN ? make_chains : make_share)(helper, order, arena, bytes, &what) != 0) {
    arena_free(arena);
  }
  return talk_answer(helper->ranks, &what, error);
}

static int do_advance(struct helper *helper, struct helped *helped, uint64_t trajectory, struct error *error)
{
  struct error what = {0};
  const char *problem = chain_group_advance(&helped->group, trajectory);
  if (problem != NULL) {
    error_set(&what, ERROR_ProcessParameterInvalid, "%s, in trajectory %llu", problem, (unsigned long long)trajectory);
  }
  int status = talk_answer(helper->ranks, &what, error);
  size_t rows = helped->pieces > 0 || problem != NULL ? 0 : helped->group.count;
  for (size_t c = 0; c < rows && status == 0; c++) {
    status = ranks_send(helper->ranks, 0, helped->group.now[c], sizeof *helped->group.now, error);
  }
  return status;
}

/* One after the other: only one lies about. */
static int do_frames(struct helper *helper, struct helped *helped, size_t bytes, struct error *error)
{
  struct error what = {0};
  const size_t each = helped->pieces > 0 ? helped->pieces : 1; /* messages a frame */
  unsigned char *frame = malloc(each * bytes);
  if (frame == NULL) {
    error_memory(&what);
  }
  int status = talk_answer(helper->ranks, &what, error);
  for (size_t c = 0; c < helped->group.count && frame != NULL; c++) {
    chain_group_frames(&helped->group, c, 1, each * bytes, frame);
    for (size_t k = 0; k < each && status == 0; k++) {
      status = ranks_send(helper->ranks, 0, frame + k * bytes, bytes, error);
    }
  }
  free(frame);
  return status;
}

static int do_fields(struct helper *helper, struct helped *helped, struct error *error)
{
  struct gauge_share *share = &helped->share;
  const struct gauge_turn turn = {helper->threads, helper->ranks->cancel};
  const size_t rank = helper->ranks->rank;
  struct gauge_verdict verdict;
  struct error what = {0};
  if (ranks_receive(helper->ranks, 0, share->elements, gauge_share_elements(share->parcel, rank), error) != 0) {
    return -1;
  }
  int own = gauge_share_compute(share, &turn, &verdict, &what);
  if (talk_answer(helper->ranks, &what, error) != 0 ||
      ranks_send(helper->ranks, 0, &verdict, sizeof verdict, error) != 0) {
    return -1;
  }
  const void *result = share->parcel->gives_field ? share->elements : share->numbers;
  return own == 0 && verdict.well ? ranks_send(helper->ranks, 0, result, gauge_share_result(share->parcel, rank), error)
                                  : 0;
}

static int follow(struct helper *helper, const struct chain_order *order, struct error *error)
{
  const struct error well = {0};
  struct helped *helped = *find(helper, order->crew);
  if (order->kind == ORDER_OPEN || order->kind == ORDER_FIELDS_OPEN) {
    return do_open(helper, order, error);
  }
  if (order->kind == ORDER_CLOSE) {
    forget(helper, order->crew);
    return 0;
  }
  if (helped == NULL) {
    return error_set(error, ERROR_Internal, "rank %zu was told of chains that it does not have", helper->ranks->rank);
  }
  switch ((enum chain_order_kind)order->kind) {
  case ORDER_START:
    chain_group_start(&helped->group, order->trajectory);
    return talk_answer(helper->ranks, &well, error);
  case ORDER_ADVANCE:
    return do_advance(helper, helped, order->trajectory, error);
  case ORDER_FIELDS_COMPUTE:
    return do_fields(helper, helped, error);
  default:
    return do_frames(helper, helped, order->bytes, error);
  }
}

int chain_crew_help(struct ranks *ranks, unsigned threads, size_t memory, struct error *error)
{
  struct helper helper = {.ranks = ranks, .threads = threads, .memory = memory};
  struct chain_order order;
  int status;
  while ((status = ranks_receive(ranks, 0, &order, sizeof order, error)) == 0 && order.kind != ORDER_DISMISS) {
    if ((status = follow(&helper, &order, error)) != 0) {
      break;
    }
  }
  while (helper.all != NULL) {
    forget(&helper, helper.all->crew);
  }
  ranks->broken = ranks->broken || status != 0;
  return status;
}
