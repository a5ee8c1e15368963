/* The cache of decoded blocks: each is filled once while it has room, never given away while it is held, and never
 * larger than it may be. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "datacube/source/block_cache.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

enum { BYTES = 1000, THREADS = 4, ROUNDS = 4000, BLOCKS = 64 };

static struct block_cache *new_cache(size_t blocks)
{
  struct error error = {.code = ""};
  struct block_cache *cache;
  assert_int_equal(block_cache_new(blocks * BYTES, &cache, &error), 0);
  return cache;
}

/* Whether the block was new; it is filled with its number. */
static bool use(struct block_cache *cache, uint64_t number, bool is_good)
{
  struct cached_block block;
  assert_true(block_cache_hold(cache, (struct block_key){7, number}, BYTES, &block));
  const bool was_new = block.is_new;
  if (was_new)
    memset(block.bytes, (int)number, BYTES);
  else
    assert_true(block.bytes[0] == (unsigned char)number && block.bytes[BYTES - 1] == (unsigned char)number);
  block_cache_release(cache, &block, is_good);
  return was_new;
}

static void the_one_longest_unused_goes(void **state)
{
  struct block_cache *cache = new_cache(3);
  (void)state;
  for (uint64_t i = 1; i <= 3; i++)
    assert_true(use(cache, i, true));
  assert_false(use(cache, 1, true));
  assert_true(use(cache, 4, true)); /* in place of 2 */
  assert_true(block_cache_has(cache, (struct block_key){7, 1}));
  assert_false(block_cache_has(cache, (struct block_key){7, 2}));
  assert_false(block_cache_has(cache, (struct block_key){8, 1}));
  assert_false(use(cache, 3, true));
  block_cache_free(cache);
}

static void what_could_not_be_filled_is_tried_again(void **state)
{
  struct block_cache *cache = new_cache(3);
  (void)state;
  assert_true(use(cache, 1, false));
  assert_true(use(cache, 1, true));
  assert_false(use(cache, 1, true));
  block_cache_free(cache);
}

static void held_blocks_stay(void **state)
{
  struct block_cache *cache = new_cache(2);
  struct cached_block a, b, c;
  (void)state;
  assert_true(block_cache_hold(cache, (struct block_key){1, 1}, BYTES, &a));
  assert_true(block_cache_hold(cache, (struct block_key){1, 2}, BYTES, &b));
  assert_false(block_cache_hold(cache, (struct block_key){1, 3}, BYTES, &c));
  block_cache_release(cache, &a, true);
  assert_true(block_cache_hold(cache, (struct block_key){1, 3}, BYTES, &c));
  assert_false(block_cache_hold(cache, (struct block_key){1, 4}, BYTES + 1, &a)); /* more than half */
  block_cache_release(cache, &b, true);
  block_cache_release(cache, &c, true);
  block_cache_free(cache);
}

struct crowd {
  struct block_cache *cache;
  atomic_size_t fillings;
};

static void *crowd_work(void *data)
{
  struct crowd *crowd = data;
  for (size_t i = 0; i < ROUNDS; i++) {
    const uint64_t number = 1 + i * 37 % BLOCKS;
    struct cached_block block;
    if (!block_cache_hold(crowd->cache, (struct block_key){9, number}, BYTES, &block))
      continue;
    if (block.is_new) {
      atomic_fetch_add(&crowd->fillings, 1);
      memset(block.bytes, (int)number, BYTES);
    }
    for (size_t k = 0; k < BYTES; k += 99)
      if (block.bytes[k] != number)
        return data;
    block_cache_release(crowd->cache, &block, !block.is_new || i % 5 > 0);
  }
  return NULL;
}

static void run_crowd(struct crowd *crowd)
{
  pthread_t threads[THREADS];
  for (size_t t = 0; t < THREADS; t++)
    assert_int_equal(pthread_create(&threads[t], NULL, crowd_work, crowd), 0);
  for (size_t t = 0; t < THREADS; t++) {
    void *wrong;
    pthread_join(threads[t], &wrong);
    assert_null(wrong);
  }
}

static void threads_fill_each_block_once(void **state)
{
  struct crowd roomy = {.cache = new_cache(BLOCKS)}, tight = {.cache = new_cache(5)};
  (void)state;
  run_crowd(&roomy);
  assert_in_range(roomy.fillings, BLOCKS, 2 * BLOCKS); /* a fifth of the first fillings fail */
  run_crowd(&tight);
  assert_in_range(tight.fillings, BLOCKS, THREADS * ROUNDS);
  block_cache_free(roomy.cache);
  block_cache_free(tight.cache);
}

/* A file read from its first block to its last, twice: half of it has room, and that half is there again. */
static void the_first_blocks_stay_where_nothing_may_go(void **state)
{
  struct block_cache *cache = new_cache(4);
  size_t there = 0;
  (void)state;
  assert_false(block_cache_keeps(cache) || block_cache_keeps(NULL));
  block_cache_keep(cache);
  assert_true(block_cache_keeps(cache));
  for (int turn = 0; turn < 2; turn++)
    for (uint64_t i = 0; i < 8; i++) {
      struct cached_block block;
      if (!block_cache_hold_free(cache, (struct block_key){7, i}, BYTES, &block))
        continue;
      there += !block.is_new;
      block_cache_release(cache, &block, true);
    }
  assert_int_equal(there, 4);
  assert_true(use(cache, 9, true)); /* what is cut has its way */
  block_cache_free(cache);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_one_longest_unused_goes),
      cmocka_unit_test(what_could_not_be_filled_is_tried_again),
      cmocka_unit_test(held_blocks_stay),
      cmocka_unit_test(threads_fill_each_block_once),
      cmocka_unit_test(the_first_blocks_stay_where_nothing_may_go),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
