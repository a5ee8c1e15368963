/* A launch, block by block. Threads that wait for each other are fibers: each runs until it waits or ends. */
#include "fake_device.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <ucontext.h>

enum { STACK = 512 * 1024, MOST_THREADS = 1024 };

struct fiber {
  ucontext_t context;
  char *stack;
  bool ended;
};

static struct block {
  const struct fake_launch *launch;
  struct fiber fibers[MOST_THREADS];
  ucontext_t scheduler;
  size_t current;
} block;

void fake_fail(const char *format, ...)
{
  va_list list;
  va_start(list, format);
  fprintf(stderr, "fake device: ");
  vfprintf(stderr, format, list);
  fprintf(stderr, "\n");
  abort();
}

static void call(const struct fake_launch *launch)
{
  void *values[FAKE_PARAMETERS];
  for (size_t i = 0; i < launch->function->count; i++)
    values[i] = (void *)(uintptr_t)&launch->values[i];
  launch->function->call(values);
}

static struct fake_index index_of(size_t thread, struct fake_index size)
{
  return (struct fake_index){(unsigned)(thread % size.x), (unsigned)(thread / size.x % size.y),
                             (unsigned)(thread / size.x / size.y)};
}

static void wait_for_others(void)
{
  struct fiber *fiber = &block.fibers[block.current];
  swapcontext(&fiber->context, &block.scheduler);
}

static void fiber_main(void)
{
  call(block.launch);
  block.fibers[block.current].ended = true;
}

static void start_fiber(struct fiber *fiber)
{
  if (!fiber->stack)
    fiber->stack = malloc(STACK);
  if (!fiber->stack || getcontext(&fiber->context) != 0)
    fake_fail("no stack");
  fiber->ended = false;
  fiber->context.uc_stack.ss_sp = fiber->stack;
  fiber->context.uc_stack.ss_size = STACK;
  fiber->context.uc_link = &block.scheduler;
  makecontext(&fiber->context, fiber_main, 0);
}

/* From one barrier to the next; all threads come to it, or none. */
static bool run_round(size_t threads)
{
  size_t ended = 0;
  for (size_t t = 0; t < threads; t++) {
    block.current = t;
    block.launch->grid->thread = index_of(t, block.launch->threads);
    swapcontext(&block.scheduler, &block.fibers[t].context);
    ended += block.fibers[t].ended;
  }
  if (ended != 0 && ended != threads)
    fake_fail("%zu of %zu threads of a block wait at a barrier, the others have ended", threads - ended, threads);
  return ended == 0;
}

static void run_block(const struct fake_launch *launch)
{
  const size_t threads = (size_t)launch->threads.x * launch->threads.y * launch->threads.z;
  if (launch->barriers) {
    block.launch = launch;
    for (size_t t = 0; t < threads; t++)
      start_fiber(&block.fibers[t]);
    while (run_round(threads))
      ;
    return;
  }
  for (size_t t = 0; t < threads; t++) {
    launch->grid->thread = index_of(t, launch->threads);
    call(launch);
  }
}

void fake_run(const struct fake_launch *launch)
{
  struct fake_grid *grid = launch->grid;
  const size_t threads = (size_t)launch->threads.x * launch->threads.y * launch->threads.z;
  const size_t blocks = (size_t)launch->blocks.x * launch->blocks.y * launch->blocks.z;
  if (threads == 0 || threads > MOST_THREADS || blocks == 0)
    fake_fail("a launch of %zu blocks of %zu threads", blocks, threads);
  *grid = (struct fake_grid){.block_size = launch->threads, .grid_size = launch->blocks, .barrier = wait_for_others};
  for (size_t b = blocks; b-- > 0;) { /* no order is promised */
    grid->block = index_of(b, launch->blocks);
    run_block(launch);
  }
}
