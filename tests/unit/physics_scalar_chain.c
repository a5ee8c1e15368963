/* The chain as a source: any box, any order, any reader gives the same configurations, and only those asked for. */
#include "processes/lattice/scalar_chain.h"

#include <dirent.h>
#include <math.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct gauge_split unsplit = {0};

static const struct chain_parameters small = {
    .action = {3, {3, 4, 5}, -1, 0.5},
    .hmc = {.seed = 9, .step_size = 0.1, .steps = 5},
    .configurations = 40,
    .thermalisation = 7,
    .separation = 3,
};

struct opened {
  struct arena *arena;
  const struct source *source;
  struct source_reader *reader;
};

static struct opened open_chain(const struct chain_parameters *parameters)
{
  struct opened o = {.arena = arena_new(0)};
  struct error error = {0};
  assert_int_equal(scalar_chain_source(o.arena, parameters, &o.source, &error), 0);
  assert_int_equal(o.source->ops->open(o.source, 1, &o.reader, &error), 0);
  return o;
}

static void close_chain(struct opened *o)
{
  o->source->ops->close(o->reader);
  arena_free(o->arena);
}

static double *read_box(const struct opened *o, const struct box *box)
{
  struct error error = {0};
  double *data = malloc(box_elements(box) * sizeof *data + 1);
  assert_non_null(data);
  assert_int_equal(o->source->ops->read(o->reader, box, data, &error), 0);
  return data;
}

static double *read_all(const struct opened *o)
{
  struct box box = cube_box(&o->source->cube);
  return read_box(o, &box);
}

static void describes_its_cube(void **state)
{
  (void)state;
  struct opened o = open_chain(&small);
  const struct cube *cube = &o.source->cube;
  assert_int_equal(cube->dimensions, 4);
  assert_int_equal(cube->type, ELEMENT_F64);
  assert_string_equal(cube->dimension[0].name, "configuration");
  assert_string_equal(cube->dimension[3].name, "x2");
  assert_true(cube->dimension[0].size == 40 && cube->dimension[1].size == 3 && cube->dimension[3].size == 5);
  assert_true(o.source->sequential);
  assert_true(o.source->block[0] >= 1 && o.source->block[0] <= 40);
  close_chain(&o);
}

/* The k-th configuration is what a hand-run chain has after 7 + 3 (k + 1) trajectories. */
static void configurations_are_the_chain(void **state)
{
  (void)state;
  struct opened o = open_chain(&small);
  double *all = read_all(&o), phi[60];
  struct scalar_field field;
  void *memory = aligned_alloc(64, scalar_field_bytes(&small.action, &unsplit));
  scalar_field_init(&field, &small.action, &unsplit, memory);
  for (uint64_t t = 0; t < 7 + 3 * 40; t++) {
    hmc_trajectory(&field, &small.hmc, t);
    if (t >= 7 && (t - 7) % 3 == 2) {
      scalar_field_get(&field, phi);
      assert_memory_equal(phi, all + (t - 7) / 3 * 60, sizeof phi);
    }
  }
  free(memory);
  free(all);
  close_chain(&o);
}

/* Boxes of all shapes and places, later ones first, against the whole. */
static void boxes_are_parts_of_the_whole(void **state)
{
  (void)state;
  struct opened whole = open_chain(&small), parts = open_chain(&small);
  double *all = read_all(&whole);
  for (size_t n = 0; n < 60; n++) {
    struct box box = {.dimensions = 4};
    const size_t size[4] = {40, 3, 4, 5};
    for (size_t d = 0; d < 4; d++) {
      box.start[d] = (59 - n) * (2 * d + 3) % size[d];
      box.count[d] = 1 + n * (d + 5) % (size[d] - box.start[d]);
    }
    double *part = read_box(&parts, &box);
    for (size_t i = 0; i < box_elements(&box); i++) {
      size_t rest = i, at[4];
      for (size_t d = 4; d-- > 0;) {
        at[d] = box.start[d] + rest % box.count[d];
        rest /= box.count[d];
      }
      assert_true(part[i] == all[((at[0] * 3 + at[1]) * 4 + at[2]) * 5 + at[3]]);
    }
    free(part);
  }
  free(all);
  close_chain(&whole);
  close_chain(&parts);
}

/* A read that is cut off leaves nothing of the trajectory that it was in. */
static void after_a_cut_it_is_the_same_chain(void **state)
{
  (void)state;
  volatile int cancel = 0;
  struct chain_parameters parameters = small;
  parameters.hmc.cancel = &cancel;
  struct opened whole = open_chain(&small), cut = open_chain(&parameters);
  double *all = read_all(&whole), part[60];
  for (size_t n = 0; n < 3; n++) {
    const struct box box = {.dimensions = 4, .start = {5 * n}, .count = {1, 3, 4, 5}};
    const struct box next = {.dimensions = 4, .start = {5 * n + 1}, .count = {1, 3, 4, 5}};
    struct error error = {0};
    assert_int_equal(cut.source->ops->read(cut.reader, &box, part, &error), 0);
    assert_memory_equal(part, all + 5 * n * 60, sizeof part);
    cancel = 1;
    assert_int_equal(cut.source->ops->read(cut.reader, &next, part, &error), -1);
    assert_string_equal(error.code, "RequestTimeout");
    cancel = 0;
  }
  free(all);
  close_chain(&whole);
  close_chain(&cut);
}

/* An ensemble larger than what is remembered: going back starts the chain anew and gives the same bits. */
static void going_back_gives_the_same(void **state)
{
  (void)state;
  const struct chain_parameters large = {.action = {2, {256, 256}, 1, 0},
                                         .hmc = {.seed = 4, .step_size = 0.1, .steps = 1},
                                         .configurations = 200,
                                         .separation = 1};
  struct opened o = open_chain(&large);
  const struct box first = {3, {2, 0, 0}, {1, 256, 256}}, last = {3, {199, 0, 0}, {1, 256, 256}};
  double *a = read_box(&o, &first), *b = read_box(&o, &last), *c = read_box(&o, &first), *d = read_box(&o, &last);
  assert_memory_equal(a, c, 65536 * sizeof *a);
  assert_memory_equal(b, d, 65536 * sizeof *b);
  assert_true(memcmp(a, b, 65536 * sizeof *a) != 0);
  free(a);
  free(b);
  free(c);
  free(d);
  close_chain(&o);
}

/* The history belongs to the configurations: the action recomputed, 1 or 0, means over the three trajectories. */
static void history_stands_beside_the_field(void **state)
{
  (void)state;
  struct chain_parameters parameters = small;
  struct opened field_chain = open_chain(&parameters);
  parameters.quantity = CHAIN_HISTORY;
  struct opened o = open_chain(&parameters);
  assert_int_equal(o.source->cube.dimensions, 2);
  assert_int_equal(dimension_find_text(&o.source->cube.dimension[1], "dH"), 0);
  double *fields = read_all(&field_chain), *history = read_all(&o);
  struct scalar_field field;
  void *memory = aligned_alloc(64, scalar_field_bytes(&small.action, &unsplit));
  scalar_field_init(&field, &small.action, &unsplit, memory);
  for (size_t i = 0; i < 40; i++) {
    const double *row = history + i * CHAIN_DIAGNOSTICS;
    scalar_field_set(&field, fields + i * 60);
    assert_true(row[4] == field.current_action);
    assert_true(row[1] == 0 || row[1] == 1);
    assert_true(fabs(row[2] * 3 - rint(row[2] * 3)) < 1e-12 && row[2] >= row[1] / 3);
    assert_true(row[3] >= exp(-row[0]) / 3);
    assert_true(row[1] == 1 || row[0] > 0);
  }
  free(memory);
  free(fields);
  free(history);
  close_chain(&field_chain);
  close_chain(&o);
}

/* Ten configurations of ten million take the time of ten: this would not end. */
static void only_what_is_asked_for_is_made(void **state)
{
  (void)state;
  struct chain_parameters parameters = small;
  parameters.configurations = 10000000;
  struct opened o = open_chain(&parameters), reference = open_chain(&small);
  const struct box box = {4, {0, 0, 0, 0}, {10, 3, 4, 5}};
  double *a = read_box(&o, &box), *b = read_box(&reference, &box);
  assert_memory_equal(a, b, 600 * sizeof *a);
  free(a);
  free(b);
  close_chain(&o);
  close_chain(&reference);
}

struct part {
  const struct source *source;
  size_t start;
  double data[5 * 60];
  int status;
};

static void *read_part(void *data)
{
  struct part *part = data;
  struct error error = {0};
  struct source_reader *reader;
  part->status = part->source->ops->open(part->source, 1, &reader, &error);
  for (size_t i = 0; i < 5 && part->status == 0; i++) {
    const struct box box = {4, {part->start + i, 0, 0, 0}, {1, 3, 4, 5}};
    part->status = part->source->ops->read(reader, &box, part->data + i * 60, &error);
  }
  part->source->ops->close(reader);
  return NULL;
}

/* Threads of this process: those of a team stay when its work is done. */
static unsigned tasks(void)
{
  DIR *folder = opendir("/proc/self/task");
  assert_non_null(folder);
  unsigned count = 0;
  for (struct dirent *e = readdir(folder); e; e = readdir(folder)) {
    count += e->d_name[0] != '.';
  }
  closedir(folder);
  return count;
}

/* A lattice large enough to be shared; the second thread is seen to have been made. */
static void share_sweeps(enum scalar_update update)
{
  const struct chain_parameters large = {.update = update,
                                         .width = 0.8,
                                         .action = {2, {160, 256}, -1, 0.5},
                                         .hmc = {.seed = 4, .step_size = 0.1, .steps = 3},
                                         .configurations = 3,
                                         .thermalisation = 2,
                                         .separation = 2};
  double *first = NULL;
  unsigned before = tasks();
  for (unsigned threads = 1; threads <= 2; threads++) {
    struct error error = {0};
    struct opened o = {.arena = arena_new(0)};
    assert_int_equal(scalar_chain_source(o.arena, &large, &o.source, &error), 0);
    assert_int_equal(o.source->ops->open(o.source, threads, &o.reader, &error), 0);
    double *all = read_all(&o);
    assert_int_equal(tasks(), before > threads ? before : threads);
    if (first == NULL) {
      first = all;
    } else {
      assert_memory_equal(first, all, 3 * 160 * 256 * sizeof *all);
      free(all);
    }
    close_chain(&o);
  }
  free(first);
}

static void sweeps_on_threads_give_the_same_bits(void **state)
{
  (void)state;
  share_sweeps(SCALAR_HMC);
  share_sweeps(SCALAR_METROPOLIS);
  share_sweeps(SCALAR_CLUSTER);
}

/* A small one is not: a thread would cost more than it does. */
static void small_lattices_keep_one_thread(void **state)
{
  (void)state;
  unsigned before = tasks();
  struct error error = {0};
  struct opened o = {.arena = arena_new(0)};
  assert_int_equal(scalar_chain_source(o.arena, &small, &o.source, &error), 0);
  assert_int_equal(o.source->ops->open(o.source, 7, &o.reader, &error), 0);
  free(read_all(&o));
  assert_int_equal(tasks(), before);
  close_chain(&o);
}

static void readers_on_threads_agree(void **state)
{
  (void)state;
  struct opened reference = open_chain(&small), shared = open_chain(&small);
  double *all = read_all(&reference);
  static struct part parts[8];
  pthread_t threads[8];
  for (size_t i = 0; i < 8; i++) {
    parts[i].source = shared.source;
    parts[i].start = 35 - 5 * i;
    assert_int_equal(pthread_create(&threads[i], NULL, read_part, &parts[i]), 0);
  }
  for (size_t i = 0; i < 8; i++) {
    pthread_join(threads[i], NULL);
    assert_int_equal(parts[i].status, 0);
    assert_memory_equal(parts[i].data, all + parts[i].start * 60, sizeof parts[i].data);
  }
  free(all);
  close_chain(&reference);
  close_chain(&shared);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(describes_its_cube),
      cmocka_unit_test(configurations_are_the_chain),
      cmocka_unit_test(boxes_are_parts_of_the_whole),
      cmocka_unit_test(after_a_cut_it_is_the_same_chain),
      cmocka_unit_test(going_back_gives_the_same),
      cmocka_unit_test(history_stands_beside_the_field),
      cmocka_unit_test(only_what_is_asked_for_is_made),
      cmocka_unit_test(small_lattices_keep_one_thread),
      cmocka_unit_test(sweeps_on_threads_give_the_same_bits),
      cmocka_unit_test(readers_on_threads_agree),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
