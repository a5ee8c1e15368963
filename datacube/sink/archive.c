/* Archives. ZIP: APPNOTE.TXT 6.3 of PKWARE; a record before each member, a directory of all in the end, 64-bit records
 * where numbers ask for them. */
#include "datacube/sink/archive.h"

#include "datacube/base/buffer.h"
#include "datacube/sink/output.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <libdeflate.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

struct archive {
  bool is_zip;
  struct output output; /* ZIP: the file */
  char folder[4160];    /* else: the folder that is being filled; "" while there is none */
  char made[8192];      /* the last folder in it that was made */
  int file;
  uint64_t end;          /* of the file */
  struct buffer central; /* the directory */
  uint64_t members;
};

static const char what[] = "cannot write the result";

/* ---- ZIP ----------------------------------------------------------------------------------------------------------
 */

enum { LOCAL = 0x04034B50, CENTRAL = 0x02014B50, END = 0x06054B50, END_64 = 0x06064B50, LOCATOR_64 = 0x07064B50 };
enum {
  VERSION = 45,
  UTF_8 = 1 << 11,
  FIRST_OF_1980 = 1 << 5 | 1,
  EXTRA_64 = 1,
  MADE_BY_UNIX = 3 << 8,
  FILE_MODE = 0100644
};
#define MOST_16 0xFFFFU
#define MOST_32 0xFFFFFFFFU

static void add_number(struct buffer *out, uint64_t number, size_t bytes)
{
  for (size_t i = 0; i < bytes; i++) {
    const unsigned char byte = (unsigned char)(number >> (8 * i));
    buffer_add(out, &byte, 1);
  }
}

/* What the records before a member and in the directory have in common: from the version on to the sizes. */
static void add_member_head(struct buffer *out, uint32_t check, size_t length)
{
  add_number(out, VERSION, 2);
  add_number(out, UTF_8, 2);
  add_number(out, 0, 2); /* stored */
  add_number(out, 0, 2); /* midnight */
  add_number(out, FIRST_OF_1980, 2);
  add_number(out, check, 4);
  add_number(out, length, 4);
  add_number(out, length, 4);
}

static void add_central(struct archive *archive, const char *name, uint32_t check, size_t length)
{
  struct buffer *out = &archive->central;
  const bool far = archive->end >= MOST_32;
  add_number(out, CENTRAL, 4);
  add_number(out, MADE_BY_UNIX | VERSION, 2);
  add_member_head(out, check, length);
  add_number(out, strlen(name), 2);
  add_number(out, far ? 12 : 0, 2);
  add_number(out, 0, 2 + 2 + 2); /* comment, disk, kind */
  add_number(out, (uint32_t)FILE_MODE << 16, 4);
  add_number(out, far ? MOST_32 : archive->end, 4);
  buffer_text(out, name);
  if (!far)
    return;
  add_number(out, EXTRA_64, 2);
  add_number(out, 8, 2);
  add_number(out, archive->end, 8);
}

static int append(struct archive *archive, const void *bytes, size_t length, struct error *error)
{
  if (output_write_at(archive->file, bytes, length, archive->end, error) != 0)
    return -1;
  archive->end += length;
  return 0;
}

static int append_buffer(struct archive *archive, struct buffer *buffer, struct error *error)
{
  int status = buffer->failed ? error_memory(error) : append(archive, buffer->data, buffer->length, error);
  buffer_free(buffer);
  return status;
}

static int add_to_zip(struct archive *archive, const char *name, const void *bytes, size_t length, struct error *error)
{
  struct buffer head = {0};
  const uint32_t check = libdeflate_crc32(0, bytes, length);
  if (length >= MOST_32 || strlen(name) > MOST_16)
    return error_set(error, ERROR_FormatUnsuitable, "a part of the result is too large for a ZIP file");
  add_central(archive, name, check, length);
  archive->members++;
  add_number(&head, LOCAL, 4);
  add_member_head(&head, check, length);
  add_number(&head, strlen(name), 2);
  add_number(&head, 0, 2);
  buffer_text(&head, name);
  return append_buffer(archive, &head, error) != 0 ? -1 : append(archive, bytes, length, error);
}

static int finish_zip(struct archive *archive, struct error *error)
{
  const uint64_t start = archive->end, size = archive->central.length, members = archive->members;
  struct buffer end = {0};
  if (append_buffer(archive, &archive->central, error) != 0)
    return -1;
  if (start >= MOST_32 || size >= MOST_32 || members >= MOST_16) {
    add_number(&end, END_64, 4);
    add_number(&end, 44, 8); /* bytes of the rest */
    add_number(&end, MADE_BY_UNIX | VERSION, 2);
    add_number(&end, VERSION, 2);
    add_number(&end, 0, 4 + 4); /* disks */
    add_number(&end, members, 8);
    add_number(&end, members, 8);
    add_number(&end, size, 8);
    add_number(&end, start, 8);
    add_number(&end, LOCATOR_64, 4);
    add_number(&end, 0, 4);
    add_number(&end, start + size, 8);
    add_number(&end, 1, 4);
  }
  add_number(&end, END, 4);
  add_number(&end, 0, 2 + 2); /* disks */
  add_number(&end, members < MOST_16 ? members : MOST_16, 2);
  add_number(&end, members < MOST_16 ? members : MOST_16, 2);
  add_number(&end, size < MOST_32 ? size : MOST_32, 4);
  add_number(&end, start < MOST_32 ? start : MOST_32, 4);
  add_number(&end, 0, 2);
  if (append_buffer(archive, &end, error) != 0)
    return -1;
  const int closed = close(archive->file);
  archive->file = -1;
  return closed != 0 ? output_error(error, what) : output_commit(&archive->output, error);
}

/* ---- folders ------------------------------------------------------------------------------------------------------
 */

/* The folders of a member's name. */
static int make_folders(struct archive *archive, char *path, struct error *error)
{
  char *slash = strrchr(path, '/');
  *slash = '\0';
  if (strcmp(path, archive->made) != 0) {
    for (char *at = path + strlen(archive->folder); at != NULL; at = strchr(at + 1, '/')) {
      const char end = *at;
      *at = '\0';
      if (mkdir(path, 0777) != 0 && errno != EEXIST)
        return output_error(error, what);
      *at = end;
      if (end == '\0')
        break;
    }
    if (mkdir(path, 0777) != 0 && errno != EEXIST)
      return output_error(error, what);
    snprintf(archive->made, sizeof archive->made, "%s", path);
  }
  *slash = '/';
  return 0;
}

static int add_to_folder(struct archive *archive, const char *name, const void *bytes, size_t length,
                         struct error *error)
{
  char path[8192];
  snprintf(path, sizeof path, "%s/%s", archive->folder, name);
  if (make_folders(archive, path, error) != 0)
    return -1;
  const int file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  if (file < 0)
    return output_error(error, what);
  int status = output_write_at(file, bytes, length, 0, error);
  if (close(file) != 0 && status == 0)
    status = output_error(error, what);
  return status;
}

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *place)
{
  (void)status;
  (void)kind;
  (void)place;
  return remove(path);
}

/* ---- both ---------------------------------------------------------------------------------------------------------
 */

static bool is_zip(const char *path)
{
  const size_t length = strlen(path);
  return length > 4 && strcasecmp(path + length - 4, ".zip") == 0;
}

/* The temporary name that output_begin has found becomes a folder's. */
static int begin_folder(struct archive *archive, struct error *error)
{
  char name[sizeof archive->folder];
  snprintf(name, sizeof name, "%s", archive->output.temporary);
  output_discard(&archive->output);
  if (mkdir(name, 0777) != 0)
    return output_error(error, what);
  snprintf(archive->folder, sizeof archive->folder, "%s", name);
  return 0;
}

int archive_new(const char *path, struct archive **out, struct error *error)
{
  struct archive *archive = calloc(1, sizeof *archive);
  *out = NULL;
  if (archive == NULL)
    return error_memory(error);
  archive->file = -1;
  archive->is_zip = is_zip(path);
  archive->central.limit = (size_t)1 << 31;
  int status = output_begin(&archive->output, path, error);
  if (status == 0 && !archive->is_zip)
    status = begin_folder(archive, error);
  else if (status == 0 && (archive->file = open(archive->output.temporary, O_WRONLY | O_CLOEXEC)) < 0)
    status = output_error(error, what);
  if (status != 0) {
    archive_free(archive);
    return -1;
  }
  *out = archive;
  return 0;
}

int archive_add(struct archive *archive, const char *name, const void *bytes, size_t length, struct error *error)
{
  return (archive->is_zip ? add_to_zip : add_to_folder)(archive, name, bytes, length, error);
}

int archive_finish(struct archive *archive, struct error *error)
{
  if (archive->is_zip)
    return finish_zip(archive, error);
  if (rename(archive->folder, archive->output.path) != 0)
    return output_error(error, "cannot rename the result to its final name");
  archive->folder[0] = '\0';
  return 0;
}

void archive_free(struct archive *archive)
{
  if (archive == NULL)
    return;
  if (archive->file >= 0)
    close(archive->file);
  if (archive->folder[0] != '\0')
    nftw(archive->folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
  output_discard(&archive->output);
  buffer_free(&archive->central);
  free(archive);
}
