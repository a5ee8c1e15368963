/* Signatures by HMAC-SHA512/256 (libsodium's crypto_auth). */
#include "server/auth/signed_url.h"

#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

enum { VERSION_BYTES = 6, VERSION_LENGTH = 8 }; /* as a hash, and that in base64 */

static void make_tag(const unsigned char secret[32], const char *text, unsigned char tag[crypto_auth_BYTES])
{
  _Static_assert(crypto_auth_KEYBYTES == 32 && crypto_auth_BYTES == 32, "sizes of crypto_auth");
  crypto_auth(tag, (const unsigned char *)text, strlen(text), secret);
}

static void write_version(const unsigned char secret[32], const struct signed_link *link, char out[VERSION_LENGTH + 1])
{
  unsigned char tag[crypto_auth_BYTES];
  char text[1024]; /* begins as no text of a signature does */
  snprintf(text, sizeof text, "version\n%s\n%s", link->job, link->version);
  make_tag(secret, text, tag);
  sodium_bin2base64(out, VERSION_LENGTH + 1, tag, VERSION_BYTES, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
}

/* Behind the version's letters, which are there. */
static void sign(const unsigned char secret[32], const struct signed_link *link, char out[SIGNATURE_SIZE])
{
  unsigned char tag[crypto_auth_BYTES];
  char text[1024]; /* what does not fit is the name's end */
  snprintf(text, sizeof text, "%" PRId64 "\n%.*s\n%s\n%s", link->expires, VERSION_LENGTH, out, link->job, link->name);
  make_tag(secret, text, tag);
  sodium_bin2base64(out + VERSION_LENGTH, SIGNATURE_SIZE - VERSION_LENGTH, tag, sizeof tag,
                    sodium_base64_VARIANT_URLSAFE_NO_PADDING);
}

void signed_url_sign(const unsigned char secret[32], const struct signed_link *link, char out[SIGNATURE_SIZE])
{
  write_version(secret, link, out);
  sign(secret, link, out);
}

int signed_url_check(const unsigned char secret[32], const struct signed_link *link, const char *signature)
{
  char expected[SIGNATURE_SIZE];
  if (strlen(signature) != SIGNATURE_SIZE - 1)
    return -1;
  memcpy(expected, signature, VERSION_LENGTH);
  sign(secret, link, expected);
  return sodium_memcmp(expected, signature, SIGNATURE_SIZE - 1) == 0 ? 0 : -1;
}

int signed_url_is_current(const unsigned char secret[32], const struct signed_link *link, const char *signature)
{
  char expected[VERSION_LENGTH + 1];
  write_version(secret, link, expected);
  return sodium_memcmp(expected, signature, VERSION_LENGTH) == 0 ? 0 : -1;
}
