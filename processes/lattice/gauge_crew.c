/* Fields to the ranks and back. See gauge_crew.h. */
#include "processes/lattice/gauge_crew.h"

#include "processes/lattice/chain_talk.h"
#include "processes/lattice/gauge_share.h"

#include "datacube/base/buffer.h"

#include <stdlib.h>
#include <string.h>

struct crew_frames { /* frames.data */
  struct gauge_cube cube;
  struct gauge_parcel parcel;
  const void *parameters;
  size_t parameter_bytes;
  struct ranks *ranks;
};

struct crew { /* of a worker: frame_job.work */
  const struct crew_frames *frames;
  uint32_t number;
  bool is_told; /* others were told of it */
  struct gauge_share own;
};

/* ---- opening and closing ----------------------------------------------------------------------------------------- */

static size_t crew_bytes(const void *data)
{
  const struct crew_frames *f = data;
  return gauge_share_bytes(&f->parcel, f->parameters, f->ranks);
}

static int send_parcel(const struct crew *crew, size_t rank, struct error *error)
{
  const struct crew_frames *f = crew->frames;
  struct buffer bytes = {.limit = SIZE_MAX};
  buffer_add(&bytes, &f->parcel, sizeof f->parcel);
  buffer_add(&bytes, f->parameters, f->parameter_bytes);
  const struct chain_order order = {.kind = ORDER_FIELDS_OPEN, .crew = crew->number, .bytes = bytes.length};
  int status = bytes.failed ? error_memory(error) : ranks_send(f->ranks, rank, &order, sizeof order, error);
  status = status == 0 ? ranks_send(f->ranks, rank, bytes.data, bytes.length, error) : status;
  buffer_free(&bytes);
  return status;
}

/* All answers are taken, whatever the first ones say. */
static int hear_all(const struct crew *crew, struct error *error)
{
  int status = 0;
  for (size_t r = 1; r < crew->frames->parcel.parts; r++) {
    bool well;
    if (talk_hear(crew->frames->ranks, r, &well, error) != 0) {
      return -1;
    }
    status = well ? status : -1;
  }
  return status;
}

static int open_others(struct crew *crew, struct error *error)
{
  struct ranks *ranks = crew->frames->ranks;
  int status = 0;
  talk_begin(ranks);
  crew->number = ranks->talks++;
  crew->is_told = true;
  for (size_t r = 1; r < crew->frames->parcel.parts && status == 0; r++) {
    status = send_parcel(crew, r, error);
  }
  ranks->broken = ranks->broken || status != 0; /* some answer, and nobody listens */
  return talk_end(ranks, status == 0 ? hear_all(crew, error) : status);
}

static void crew_close(void *work)
{
  struct crew *crew = work;
  struct ranks *ranks = crew->frames->ranks;
  struct error ignored = {0};
  const struct chain_order order = {.kind = ORDER_CLOSE, .crew = crew->number};
  if (crew->is_told) {
    talk_begin(ranks);
    talk_end(ranks, talk_order(ranks, crew->frames->parcel.parts, &order, &ignored));
  }
  gauge_share_close(&crew->own);
  free(crew);
}

static int crew_open(const void *data, void **work, struct error *error)
{
  const struct crew_frames *f = data;
  struct crew *crew = calloc(1, sizeof *crew);
  if (crew == NULL) {
    return error_memory(error);
  }
  crew->frames = f;
  if (gauge_share_open(&crew->own, &f->parcel, f->parameters, f->ranks, error) != 0 || open_others(crew, error) != 0) {
    crew_close(crew);
    return -1;
  }
  *work = crew;
  return 0;
}

/* ---- computing --------------------------------------------------------------------------------------------------- */

/* Each rank its elements: rank 0's come first. */
static int send_elements(struct crew *crew, const unsigned char *elements, struct error *error)
{
  const struct gauge_parcel *parcel = &crew->frames->parcel;
  const struct chain_order order = {.kind = ORDER_FIELDS_COMPUTE, .crew = crew->number};
  struct ranks *ranks = crew->frames->ranks;
  memcpy(crew->own.elements, elements, gauge_share_elements(parcel, 0));
  for (size_t r = 1; r < parcel->parts; r++) {
    elements += gauge_share_elements(parcel, r - 1);
    if (ranks_send(ranks, r, &order, sizeof order, error) != 0 ||
        ranks_send(ranks, r, elements, gauge_share_elements(parcel, r), error) != 0) {
      return -1;
    }
  }
  return 0;
}

/* Everyone's answer; the verdict gets the first fault. */
static int take_results(struct crew *crew, struct gauge_verdict *verdict, unsigned char *output, struct error *error)
{
  const struct gauge_parcel *parcel = &crew->frames->parcel;
  struct ranks *ranks = crew->frames->ranks;
  int status = 0;
  memcpy(output, parcel->gives_field ? crew->own.elements : crew->own.numbers, gauge_share_result(parcel, 0));
  for (size_t r = 1; r < parcel->parts; r++) {
    struct gauge_verdict other;
    bool well;
    output += gauge_share_result(parcel, r - 1);
    if (talk_hear(ranks, r, &well, error) != 0 || ranks_receive(ranks, r, &other, sizeof other, error) != 0 ||
        (well && other.well && ranks_receive(ranks, r, output, gauge_share_result(parcel, r), error) != 0)) {
      return -1;
    }
    if (other.faulty && !verdict->faulty) {
      verdict->faulty = true;
      verdict->fault = other.fault;
    }
    status = well ? status : -1;
  }
  return status;
}

static int crew_compute(const void *data, const struct frame_job *frame, struct error *error)
{
  const struct crew_frames *f = data;
  struct crew *crew = frame->work;
  const struct gauge_turn turn = {frame->threads, frame->cancel};
  struct gauge_verdict verdict = {0};
  struct error mine = {0};
  talk_begin(f->ranks);
  int status = send_elements(crew, frame->inputs[0], error), own = -1;
  if (status == 0) {
    own = gauge_share_compute(&crew->own, &turn, &verdict, &mine);
    status = take_results(crew, &verdict, frame->output, error);
  }
  talk_end(f->ranks, status);
  if (own != 0 && error_is_set(&mine) && !f->ranks->broken) { /* all failed alike; else numbers were lost */
    *error = mine;
  }
  if (status != 0 || own != 0 || frame_cancelled(frame, error) != 0) {
    return -1;
  }
  if (verdict.missing) {
    gauge_missing(frame->output, f->parcel.numbers, f->parcel.gives_field != 0 && f->parcel.narrow != 0);
    return 0;
  }
  return verdict.well ? 0 : gauge_cube_blame(&f->cube, frame->at, &verdict.fault, error);
}

static const struct frame_ops crew_measure_ops = {
    .name = "measure", .bytes = crew_bytes, .open = crew_open, .compute = crew_compute, .close = crew_close};
static const struct frame_ops crew_change_ops = {
    .name = "change", .bytes = crew_bytes, .open = crew_open, .compute = crew_compute, .close = crew_close};

/* ---- dealing ----------------------------------------------------------------------------------------------------- */

static size_t op_number(const struct gauge_op *op)
{
  size_t number = 0;
  while (gauge_shared_ops[number] != op) {
    number++;
  }
  return number;
}

/* Says where the fields go, where there is a choice. */
static void tell_ranks(struct call *call, const char *name, size_t busy)
{
  const struct ranks *all = call_ranks(call);
  const size_t ranks = all != NULL ? all->count : 1;
  const char *message = arena_printf(call->arena, "%s: each field on %zu of %zu ranks", name, busy, ranks);
  if (ranks > 1 && message != NULL) {
    call_log(call, &(struct log_entry){.level = busy < ranks ? LOG_WARNING : LOG_INFO, .message = message});
  }
}

void gauge_crew_none(struct call *call, const char *name, struct frames *frames)
{
  frames->note = "; on ranks: one, because it looks at all of the lattice";
  tell_ranks(call, name, 1);
}

int gauge_crew_frames(struct call *call, const struct gauge_cube *cube, const struct gauge_measure *measure,
                      size_t numbers, struct frames *frames)
{
  const struct gauge_op *op = measure->op;
  struct ranks *ranks = call_ranks(call);
  const size_t width = op->reach != NULL ? op->reach(measure->parameters) : 0;
  if (width == 0) {
    gauge_crew_none(call, op->name, frames);
    return 0;
  }
  const size_t pieces = gauge_split_pieces(cube->dimensions, cube->extent, width), all = ranks ? ranks->count : 1;
  const size_t parts = all < pieces ? all : pieces;
  frames->note = pieces > 1 ? arena_printf(call->arena, "; on ranks: slabs of x0, at most %zu", pieces)
                            : "; on ranks: one, because an extent is odd, or x0 too short for slabs and their copies";
  tell_ranks(call, op->name, parts);
  if (parts == 1) {
    return frames->note != NULL ? 0 : error_memory(call->error);
  }
  struct crew_frames *data = ARENA_NEW(call->arena, struct crew_frames);
  void *parameters = arena_copy(call->arena, measure->parameters, measure->size);
  if (data == NULL || parameters == NULL || frames->note == NULL) {
    return error_memory(call->error);
  }
  *data = (struct crew_frames){.cube = *cube,
                               .parcel = {.op = op_number(op),
                                          .dimensions = cube->dimensions,
                                          .colours = cube->colours,
                                          .narrow = cube->node->cube->type == ELEMENT_C64,
                                          .gives_field = !frames->reduces,
                                          .numbers = numbers,
                                          .parts = parts,
                                          .width = width},
                               .parameters = parameters,
                               .parameter_bytes = measure->size,
                               .ranks = ranks};
  for (size_t k = 0; k < LATTICE_MAX_DIMENSIONS; k++) {
    data->parcel.extent[k] = cube->extent[k];
  }
  frames->ops = frames->reduces ? &crew_measure_ops : &crew_change_ops;
  frames->data = data;
  return 0;
}
