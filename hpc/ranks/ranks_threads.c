/* See ranks_threads.h. */
#include "hpc/ranks/ranks_threads.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct letter {
  struct letter *next;
  size_t bytes;
  char data[];
};

struct letter_box { /* of one sender and one receiver; the oldest first */
  struct letter *first, **end;
};

struct post {
  pthread_mutex_t lock; /* guards the boxes */
  size_t count;
  struct letter_box *boxes; /* [to][from] */
  struct seat *seats;
};

struct seat { /* a rank's */
  struct post *post;
  size_t rank;
};

static struct letter_box *box_of(const struct post *post, size_t from, size_t to)
{
  return &post->boxes[to * post->count + from];
}

static int post_send(void *state, size_t to, const void *data, size_t bytes, uintptr_t *ticket)
{
  const struct seat *seat = state;
  struct letter *letter = malloc(sizeof *letter + bytes);
  *ticket = 0;
  if (letter == NULL) {
    return -1;
  }
  letter->next = NULL;
  letter->bytes = bytes;
  memcpy(letter->data, data, bytes);
  struct letter_box *box = box_of(seat->post, seat->rank, to);
  pthread_mutex_lock(&seat->post->lock);
  *box->end = letter;
  box->end = &letter->next;
  pthread_mutex_unlock(&seat->post->lock);
  return 0;
}

static int post_sent(void *state, uintptr_t *ticket)
{
  (void)state;
  (void)ticket;
  return 1;
}

static struct letter *take_letter(struct post *post, struct letter_box *box)
{
  pthread_mutex_lock(&post->lock);
  struct letter *letter = box->first;
  if (letter != NULL) {
    box->first = letter->next;
    box->end = box->first != NULL ? box->end : &box->first;
  }
  pthread_mutex_unlock(&post->lock);
  return letter;
}

static int post_receive(void *state, size_t from, void *data, size_t bytes)
{
  const struct seat *seat = state;
  struct letter *letter = take_letter(seat->post, box_of(seat->post, from, seat->rank));
  if (letter == NULL) {
    return 0;
  }
  assert(letter->bytes == bytes);
  memcpy(data, letter->data, bytes);
  free(letter);
  return 1;
}

static const struct ranks_transport by_post = {post_send, post_sent, post_receive};

static void post_free(struct post *post)
{
  for (size_t b = 0; post->boxes != NULL && b < post->count * post->count; b++) {
    for (struct letter *letter = post->boxes[b].first; letter != NULL;) {
      struct letter *next = letter->next;
      free(letter);
      letter = next;
    }
  }
  free(post->boxes);
  free(post->seats);
  free(post);
}

int ranks_threads_open(size_t count, const volatile int *cancel, struct ranks *all, struct error *error)
{
  struct post *post = calloc(1, sizeof *post);
  if (post == NULL) {
    return error_memory(error);
  }
  post->count = count;
  post->boxes = calloc(count * count, sizeof *post->boxes);
  post->seats = calloc(count, sizeof *post->seats);
  if (post->boxes == NULL || post->seats == NULL || pthread_mutex_init(&post->lock, NULL) != 0) {
    post_free(post);
    return error_memory(error);
  }
  for (size_t b = 0; b < count * count; b++) {
    post->boxes[b].end = &post->boxes[b].first;
  }
  for (size_t r = 0; r < count; r++) {
    post->seats[r] = (struct seat){post, r};
    all[r] = (struct ranks){
        .transport = &by_post, .state = &post->seats[r], .rank = r, .count = count, .beside = count, .cancel = cancel};
    pthread_mutex_init(&all[r].talk, NULL);
  }
  return 0;
}

void ranks_threads_close(struct ranks *all)
{
  struct post *post = ((struct seat *)all->state)->post;
  for (size_t r = 0; r < post->count; r++) {
    pthread_mutex_destroy(&all[r].talk);
  }
  pthread_mutex_destroy(&post->lock);
  post_free(post);
}
