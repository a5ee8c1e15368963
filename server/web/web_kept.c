#include "server/web/web_kept.h"

#include "server/clock.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct web_kept {
  pthread_mutex_t lock;
  size_t bytes;                            /* of all texts */
  struct web_document rows[WEB_KEPT_ROWS]; /* all zero: free */
};

struct web_kept *web_kept_new(void)
{
  struct web_kept *kept = calloc(1, sizeof *kept);
  if (kept != NULL)
    pthread_mutex_init(&kept->lock, NULL);
  return kept;
}

void web_document_free(struct web_document *document)
{
  free(document->url);
  buffer_free(&document->text);
  *document = (struct web_document){0};
}

void web_kept_free(struct web_kept *kept)
{
  if (kept == NULL)
    return;
  for (size_t i = 0; i < WEB_KEPT_ROWS; i++)
    web_document_free(&kept->rows[i]);
  pthread_mutex_destroy(&kept->lock);
  free(kept);
}

/* ---- rows; under the lock --------------------------------------------------------------------------------------- */

static struct web_document *find(struct web_kept *kept, const char *url)
{
  for (size_t i = 0; i < WEB_KEPT_ROWS; i++)
    if (kept->rows[i].url != NULL && strcmp(kept->rows[i].url, url) == 0)
      return &kept->rows[i];
  return NULL;
}

static void drop(struct web_kept *kept, struct web_document *row)
{
  kept->bytes -= row->text.length;
  web_document_free(row);
}

/* A free row, if need be that of the document which was used longest ago. */
static struct web_document *longest_unused(struct web_kept *kept, bool is_free_enough)
{
  struct web_document *found = NULL;
  for (size_t i = 0; i < WEB_KEPT_ROWS; i++) {
    struct web_document *row = &kept->rows[i];
    if (row->url == NULL && is_free_enough)
      return row;
    if (row->url != NULL && (found == NULL || row->used < found->used))
      found = row;
  }
  return found;
}

/* Takes the document, whatever it does with it. */
static void keep(struct web_kept *kept, struct web_document *document)
{
  struct web_document *row = find(kept, document->url);
  if (row != NULL)
    drop(kept, row);
  while (kept->bytes + document->text.length > WEB_KEPT_BYTES)
    drop(kept, longest_unused(kept, false));
  row = longest_unused(kept, true);
  if (row->url != NULL)
    drop(kept, row);
  kept->bytes += document->text.length;
  *row = *document;
  *document = (struct web_document){0};
}

/* ---- documents -------------------------------------------------------------------------------------------------- */

/* All of it in memory of its own; false when that is out. */
static bool copy(const struct web_document *from, const char *url, struct web_document *out)
{
  *out = *from;
  out->url = strdup(url);
  out->text = (struct buffer){0};
  buffer_add(&out->text, from->text.data, from->text.length);
  return out->url != NULL && !out->text.failed;
}

int web_kept_find(struct web_kept *kept, const char *url, struct web_document *out, struct error *error)
{
  static const struct web_document nothing;
  pthread_mutex_lock(&kept->lock);
  struct web_document *row = find(kept, url);
  if (row != NULL)
    row->used = steady_now();
  const bool is_copied = copy(row != NULL ? row : &nothing, url, out);
  pthread_mutex_unlock(&kept->lock);
  if (is_copied)
    return 0;
  web_document_free(out);
  return error_memory(error);
}

static void put(struct web_kept *kept, const struct web_document *document)
{
  struct web_document own;
  if (document->text.length <= WEB_KEPT_BYTES && copy(document, document->url, &own)) {
    pthread_mutex_lock(&kept->lock);
    keep(kept, &own);
    pthread_mutex_unlock(&kept->lock);
  }
  web_document_free(&own);
}

/* Takes over what an answer says of the document. */
static int take_answer(struct web_document *document, struct web_answer *answer, struct error *error)
{
  const long age = answer->max_age < WEB_KEPT_AGE_MOST ? answer->max_age : WEB_KEPT_AGE_MOST;
  if (answer->status != 200 && (answer->status != 304 || document->etag[0] == '\0'))
    return error_set(error, ERROR_InfrastructureBusy, "the server there answers with status %ld", answer->status);
  if (answer->status == 200) {
    buffer_free(&document->text);
    document->text = answer->body;
    answer->body = (struct buffer){0};
    memcpy(document->etag, answer->etag, sizeof document->etag);
  }
  document->expires = document->asked + age * 1000;
  return 0;
}

int web_kept_renew(struct web_kept *kept, const struct web_fetch *question, struct web_document *document,
                   struct error *error)
{
  struct web_answer answer = {0};
  struct web_fetch fetch = *question;
  fetch.url = document->url;
  fetch.etag = document->etag;
  document->asked = document->used = steady_now();
  if (web_fetch(&fetch, &answer, error) != 0)
    return -1;
  int status = take_answer(document, &answer, error);
  buffer_free(&answer.body);
  if (status == 0)
    put(kept, document);
  return status;
}
