#include "server/fetch/fetch_s3.h"

#include "datacube/base/buffer.h"
#include "stac/href.h"

#include <string.h>

enum { BUCKET_LEAST = 3, BUCKET_MOST = 63 };

static const char scheme[] = "s3://";

bool fetch_s3_is(const char *url)
{
  return strncmp(url, scheme, sizeof scheme - 1) == 0;
}

static bool is_bucket(const char *name, size_t length)
{
  static const char plain[] = "abcdefghijklmnopqrstuvwxyz0123456789-._";
  return length >= BUCKET_LEAST && length <= BUCKET_MOST && strspn(name, plain) >= length && name[0] != '.' &&
         name[0] != '-';
}

/* Servers and proxies on the way might take them for steps to other keys. */
static bool has_dots(const char *key)
{
  for (const char *at = key; at; at = strchr(at, '/')) {
    at += *at == '/';
    const size_t length = strcspn(at, "/");
    if ((length == 1 && at[0] == '.') || (length == 2 && at[0] == '.' && at[1] == '.'))
      return true;
  }
  return false;
}

bool fetch_s3_is_sound(const char *url, bool is_prefix)
{
  if (!fetch_s3_is(url))
    return false;
  const char *bucket = url + sizeof scheme - 1, *key = bucket + strcspn(bucket, "/");
  if (!is_bucket(bucket, (size_t)(key - bucket)) || has_dots(key))
    return false;
  return is_prefix || strlen(key) > 1;
}

bool fetch_s3_covers(const char *prefix, const char *url)
{
  const size_t length = strlen(prefix);
  return strncmp(url, prefix, length) == 0 && (prefix[length - 1] == '/' || url[length] == '/' || url[length] == '\0');
}

static void add_key(struct buffer *out, const char *key)
{
  char part[2] = "";
  for (; *key; key++) {
    part[0] = *key;
    if (*key == '/')
      buffer_add(out, key, 1);
    else
      href_encode(part, out);
  }
}

char *fetch_s3_address(const struct fetch_account *account, const char *url)
{
  struct buffer out = {0};
  const char *bucket = url + sizeof scheme - 1;
  const int length = (int)strcspn(bucket, "/");
  const bool is_aws = !account || account->endpoint[0] == '\0';
  const bool is_virtual = is_aws ? memchr(bucket, '.', (size_t)length) == NULL : account->is_virtual;
  const char *endpoint = is_aws ? "https://s3" : account->endpoint, *host = strstr(endpoint, "://") + 3;
  buffer_printf(&out, "%.*s", (int)(host - endpoint), endpoint);
  if (is_virtual)
    buffer_printf(&out, "%.*s.", length, bucket);
  buffer_printf(&out, "%s", host);
  if (is_aws && account && account->region[0])
    buffer_printf(&out, ".%s", account->region);
  if (is_aws)
    buffer_printf(&out, ".amazonaws.com");
  if (!is_virtual)
    buffer_printf(&out, "/%.*s", length, bucket);
  add_key(&out, bucket + length);
  if (!out.failed)
    return out.data;
  buffer_free(&out);
  return NULL;
}
