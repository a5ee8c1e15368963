#include "datacube/base/packed_file.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

enum { STEP = 1 << 20 };

static const unsigned char gzip_mark[] = {0x1F, 0x8B}, zstd_mark[] = {0x28, 0xB5, 0x2F, 0xFD};

struct unpacked {
  int to;
  uint64_t length, most;
  unsigned char *room; /* of STEP bytes */
  struct error *error;
};

static bool begins(const void *bytes, size_t length, const unsigned char *mark, size_t size)
{
  return length >= size && memcmp(bytes, mark, size) == 0;
}

bool packed_file_is(const void *bytes, size_t length)
{
  return begins(bytes, length, gzip_mark, sizeof gzip_mark) || begins(bytes, length, zstd_mark, sizeof zstd_mark);
}

static int damaged(struct error *error)
{
  return error_set(error, ERROR_FileContentInvalid, "the packed file is damaged, or cut off");
}

/* The first bytes of the room. */
static int put(struct unpacked *out, size_t length)
{
  out->length += length;
  if (out->length > out->most)
    return error_set(out->error, ERROR_FileSizeExceeded,
                     "what is packed has more than %" PRIu64 " bytes, which is more than is taken of so short a file",
                     out->most);
  for (size_t done = 0; done < length;) {
    const ssize_t written = write(out->to, out->room + done, length - done);
    if (written < 0 && errno != EINTR)
      return error_set(out->error, ERROR_StorageFailure, "what is packed cannot be stored: %s", strerror(errno));
    done += written > 0 ? (size_t)written : 0;
  }
  return 0;
}

/* Lengths of zlib have 32 bits. */
static void feed(z_stream *stream, const unsigned char *end)
{
  const size_t left = (size_t)(end - stream->next_in);
  stream->avail_in = left < STEP ? (uInt)left : STEP;
}

static int unpack_gzip(const unsigned char *bytes, size_t length, struct unpacked *out)
{
  z_stream stream = {.next_in = (Bytef *)(uintptr_t)bytes};
  const unsigned char *end = bytes + length;
  if (inflateInit2(&stream, 15 + 16) != Z_OK)
    return error_memory(out->error);
  int code = Z_OK, status = 0;
  while (status == 0 && (stream.next_in < end || code != Z_STREAM_END)) {
    if (code == Z_STREAM_END)
      inflateReset(&stream);
    feed(&stream, end);
    stream.next_out = out->room;
    stream.avail_out = STEP;
    code = inflate(&stream, Z_NO_FLUSH);
    status = code == Z_OK || code == Z_STREAM_END ? put(out, STEP - stream.avail_out) : damaged(out->error);
  }
  inflateEnd(&stream);
  return status;
}

static int unpack_zstd(const unsigned char *bytes, size_t length, struct unpacked *out)
{
  ZSTD_DCtx *context = ZSTD_createDCtx();
  ZSTD_inBuffer in = {bytes, length, 0};
  if (!context)
    return error_memory(out->error);
  size_t left = 1; /* of a frame, 0 at its end */
  int status = 0;
  while (status == 0 && (in.pos < in.size || left != 0)) {
    ZSTD_outBuffer room = {out->room, STEP, 0};
    const size_t before = in.pos;
    left = ZSTD_decompressStream(context, &room, &in);
    const bool is_stuck = left != 0 && in.pos == before && room.pos == 0;
    status = ZSTD_isError(left) || is_stuck ? damaged(out->error) : put(out, room.pos);
  }
  ZSTD_freeDCtx(context);
  return status;
}

int packed_file_unpack(const void *bytes, size_t length, int to, uint64_t most, struct error *error)
{
  struct unpacked out = {.to = to, .most = most, .room = malloc(STEP), .error = error};
  if (!out.room)
    return error_memory(error);
  const int status = begins(bytes, length, gzip_mark, sizeof gzip_mark) ? unpack_gzip(bytes, length, &out)
                                                                        : unpack_zstd(bytes, length, &out);
  free(out.room);
  return status;
}
