/* Philox4x32-10, and normals in batches of 32 blocks so that every loop has lanes to fill. See philox.h. */
#include "physics/random/philox.h"

#include "physics/random/philox_lanes.h"
#include "physics/simd.h"

#include <math.h>

enum { BATCH = 32 };

struct batch { /* words of BATCH consecutive blocks */
  uint32_t word[4][BATCH];
};

void philox4x32(const uint32_t counter[4], const uint32_t key[2], uint32_t out[4])
{
  uint32_t c0 = counter[0], c1 = counter[1], c2 = counter[2], c3 = counter[3];
  uint32_t k0 = key[0], k1 = key[1];
  for (int round = 0; round < PHILOX_ROUNDS; round++) {
    uint64_t product0 = (uint64_t)PHILOX_M0 * c0;
    uint64_t product1 = (uint64_t)PHILOX_M1 * c2;
    c0 = (uint32_t)(product1 >> 32) ^ c1 ^ k0;
    c1 = (uint32_t)product1;
    c2 = (uint32_t)(product0 >> 32) ^ c3 ^ k1;
    c3 = (uint32_t)product0;
    k0 += PHILOX_W0;
    k1 += PHILOX_W1;
  }
  out[0] = c0;
  out[1] = c1;
  out[2] = c2;
  out[3] = c3;
}

void philox_pair(struct philox_stream stream, uint64_t block, double out[2])
{
  const uint32_t counter[4] = {(uint32_t)block, (uint32_t)(block >> 32), (uint32_t)stream.stream,
                               (uint32_t)(stream.stream >> 32)};
  const uint32_t key[2] = {(uint32_t)stream.seed, (uint32_t)(stream.seed >> 32)};
  uint32_t word[4];
  philox4x32(counter, key, word);
  out[0] = philox_open_unit(word[0], word[1]);
  out[1] = philox_open_unit(word[2], word[3]);
}

double philox_uniform(struct philox_stream stream, uint64_t n)
{
  double pair[2];
  philox_pair(stream, n / 2, pair);
  return pair[n % 2];
}

/* Words of the blocks first … first + BATCH - 1. */
SIMD_BODY batch_words(struct philox_stream stream, uint64_t first, struct batch *batch)
{
  uint32_t(*w)[BATCH] = batch->word;
  for (size_t i = 0; i < BATCH; i++) {
    uint64_t block = first + i;
    w[0][i] = (uint32_t)block;
    w[1][i] = (uint32_t)(block >> 32);
    w[2][i] = (uint32_t)stream.stream;
    w[3][i] = (uint32_t)(stream.stream >> 32);
  }
  philox_rounds(w[0], BATCH, stream.seed);
}

/* The 2 * BATCH normals of the blocks first … first + BATCH - 1. */
SIMD_BODY batch_normals_body(struct philox_stream stream, uint64_t first, double *out)
{
  struct batch batch;
  batch_words(stream, first, &batch);
#pragma omp simd
  for (size_t i = 0; i < BATCH; i++) {
    double radius = sqrt(-2.0 * philox_ln(philox_open_unit(batch.word[0][i], batch.word[1][i])));
    double sine, cosine;
    philox_turn(philox_open_unit(batch.word[2][i], batch.word[3][i]), &sine, &cosine);
    out[2 * i] = radius * cosine;
    out[2 * i + 1] = radius * sine;
  }
}

SIMD_LEVELS(batch_normals, (struct philox_stream stream, uint64_t first, double *out), (stream, first, out))

void philox_normals(struct philox_stream stream, uint64_t first, size_t count, double *out)
{
  void (*fill)(struct philox_stream, uint64_t, double *) = SIMD_PICK(batch_normals);
  while (count > 0) {
    size_t skip = (size_t)(first % 2);
    if (skip == 0 && count >= 2 * BATCH) {
      fill(stream, first / 2, out);
      first += 2 * BATCH;
      out += 2 * BATCH;
      count -= 2 * BATCH;
      continue;
    }
    double part[2 * BATCH];
    size_t n = count < 2 * BATCH - skip ? count : 2 * BATCH - skip;
    fill(stream, first / 2, part);
    memcpy(out, part + skip, n * sizeof *out);
    first += n;
    out += n;
    count -= n;
  }
}
