/* A 128-bit hash of content: for keys of caches and names of results, not against an adversary.
 *
 * Two lanes of multiply and mix (the finaliser of MurmurHash3, public domain, Austin Appleby) over 64-bit words. */
#ifndef TWINCUBE_DATACUBE_BASE_HASH_H
#define TWINCUBE_DATACUBE_BASE_HASH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct hash {
  uint64_t a, b;
};

static inline uint64_t hash_mix(uint64_t x)
{
  x ^= x >> 33;
  x *= UINT64_C(0xFF51AFD7ED558CCD);
  x ^= x >> 33;
  x *= UINT64_C(0xC4CEB9FE1A85EC53);
  return x ^ (x >> 33);
}

static inline void hash_word(struct hash *hash, uint64_t word)
{
  hash->a = hash_mix(hash->a ^ word) * UINT64_C(0x9E3779B97F4A7C15) + hash->b;
  hash->b = hash_mix(hash->b + word * UINT64_C(0xC2B2AE3D27D4EB4F)) ^ (hash->a >> 7);
}

/* Bytes, with their count. */
static inline void hash_bytes(struct hash *hash, const void *data, size_t length)
{
  const unsigned char *at = (const unsigned char *)data;
  hash_word(hash, length);
  for (; length >= 8; at += 8, length -= 8) {
    uint64_t word;
    memcpy(&word, at, 8);
    hash_word(hash, word);
  }
  uint64_t rest = 0;
  if (length)
    memcpy(&rest, at, length);
  hash_word(hash, rest);
}

static inline void hash_text(struct hash *hash, const char *text) /* NULL is not "" */
{
  hash_word(hash, text != NULL);
  if (text)
    hash_bytes(hash, text, strlen(text));
}

static inline void hash_number(struct hash *hash, double number)
{
  uint64_t word;
  memcpy(&word, &number, sizeof word);
  hash_word(hash, word);
}

static inline void hash_add(struct hash *hash, struct hash other)
{
  hash_word(hash, other.a);
  hash_word(hash, other.b);
}

static inline bool hash_equal(struct hash a, struct hash b)
{
  return a.a == b.a && a.b == b.b;
}

#endif
