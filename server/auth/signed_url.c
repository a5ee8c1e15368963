/* Signatures by HMAC-SHA512/256 (libsodium's crypto_auth). */
#include "server/auth/signed_url.h"

#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

void signed_url_sign(const unsigned char secret[32], const char *job, const char *name, int64_t expires,
                     char out[SIGNATURE_SIZE])
{
  _Static_assert(crypto_auth_KEYBYTES == 32 && crypto_auth_BYTES == 32, "sizes of crypto_auth");
  unsigned char tag[crypto_auth_BYTES];
  char text[1024]; /* neither job nor name holds a line feed; what does not fit is the name's end */
  int length = snprintf(text, sizeof text, "%" PRId64 "\n%s\n%s", expires, job, name);
  if (length >= (int)sizeof text)
    length = (int)sizeof text - 1;
  crypto_auth(tag, (const unsigned char *)text, (unsigned long long)length, secret);
  sodium_bin2base64(out, SIGNATURE_SIZE, tag, sizeof tag, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
}

int signed_url_check(const unsigned char secret[32], const char *job, const char *name, int64_t expires,
                     const char *signature)
{
  char expected[SIGNATURE_SIZE];
  signed_url_sign(secret, job, name, expires, expected);
  if (strlen(signature) != SIGNATURE_SIZE - 1)
    return -1;
  return sodium_memcmp(expected, signature, SIGNATURE_SIZE - 1) == 0 ? 0 : -1;
}
