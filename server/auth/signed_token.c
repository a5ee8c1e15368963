/* Signatures by HMAC-SHA512/256 (libsodium's crypto_auth). */
#include "server/auth/signed_token.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

static void sign(const unsigned char secret[32], const char *purpose, const char *text, size_t length,
                 unsigned char tag[crypto_auth_BYTES])
{
  crypto_auth_hmacsha512256_state state;
  _Static_assert(crypto_auth_hmacsha512256_BYTES == crypto_auth_BYTES, "the same hash");
  crypto_auth_hmacsha512256_init(&state, secret, 32);
  crypto_auth_hmacsha512256_update(&state, (const unsigned char *)purpose, strlen(purpose) + 1);
  crypto_auth_hmacsha512256_update(&state, (const unsigned char *)text, length);
  crypto_auth_hmacsha512256_final(&state, tag);
}

void signed_token_write(const unsigned char secret[32], const char *purpose, const char *text, size_t length,
                        struct buffer *out)
{
  const size_t size = crypto_auth_BYTES + length;
  const size_t letters = sodium_base64_encoded_len(size, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
  unsigned char *bytes = malloc(size);
  char *token = malloc(letters);
  if (bytes != NULL && token != NULL) {
    sign(secret, purpose, text, length, bytes);
    memcpy(bytes + crypto_auth_BYTES, text, length);
    sodium_bin2base64(token, letters, bytes, size, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    buffer_text(out, token);
  } else {
    out->failed = true;
  }
  free(bytes);
  free(token);
}

int signed_token_read(const unsigned char secret[32], const char *purpose, const char *token, struct buffer *out)
{
  const size_t letters = strlen(token);
  unsigned char tag[crypto_auth_BYTES], *bytes = malloc(letters + 1);
  size_t size = 0;
  bool is_ours = bytes != NULL &&
                 sodium_base642bin(bytes, letters + 1, token, letters, NULL, &size, NULL,
                                   sodium_base64_VARIANT_URLSAFE_NO_PADDING) == 0 &&
                 size >= crypto_auth_BYTES;
  if (is_ours) {
    const char *text = (const char *)bytes + crypto_auth_BYTES;
    sign(secret, purpose, text, size - crypto_auth_BYTES, tag);
    is_ours = sodium_memcmp(tag, bytes, crypto_auth_BYTES) == 0;
    if (is_ours)
      buffer_add(out, text, size - crypto_auth_BYTES);
  }
  free(bytes);
  return is_ours && !out->failed ? 0 : -1;
}
