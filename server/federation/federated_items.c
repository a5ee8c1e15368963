/* Searching at once, merging, and the place of the next page: see the header. */
#include "server/federation/federated_items.h"

#include "server/clock.h"
#include "server/federation/federated_question.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum {
  FAILURES_FORGIVEN = 1, /* of searches, before a back-end is spared … */
  SPARED_FIRST_MS = 1000,
  SPARED_MOST_MS = 60000, /* … for twice as long each time */
  EMPTY_PAGES_MOST = 4,
  SORTED_PAGES = 4,  /* of one that does not sort, which are put in order together … */
  SORTED_ITEMS = 250 /* … and are that long */
};

/* One whose items are merged: this server, or a back-end. */
struct participant {
  const struct backend_settings *backend; /* NULL: this server */
  struct federated_search const *search;
  const atomic_bool *stopping;
  char url[BACKEND_URL_SIZE]; /* of the search there */
  bool sorts;                 /* there */
  bool is_judged_here;        /* what comes from there, by the filter */
  json_t *body;               /* of the first page there */
  json_t *at;                 /* its part of the state: {"page": …, "skip": n}; NULL: it begins */
  bool is_away, has_ended;    /* it is not asked */
  struct item_list list;
  json_t *next;  /* of the page behind `list`; NULL: there is none */
  size_t used;   /* items of `list` that are told by this page or were before */
  int64_t until; /* steady_now */
  pthread_t thread;
  bool has_thread;
  int status;
  struct error error;
};

struct merging {
  struct federation *federation;
  const struct federated_search *search;
  struct participant of[BACKENDS_MOST + 1];
  size_t count;
};

/* ---- who is asked for what -------------------------------------------------------------------------------------- */

/* What is away may have one. Under the lock. */
static bool has_no_search(const struct backend *backend)
{
  return backend->is_online && backend->search[0] == '\0';
}

static void add_backend(struct merging *g, const struct backend *backend)
{
  const struct federated_search *search = g->search;
  const json_t *at = json_object_get(search->state, backend->settings->id);
  const struct federated_question question = has_no_search(backend)
                                                 ? (struct federated_question){.body = NULL}
                                                 : federated_question_make(backend, search, SORTED_ITEMS);
  if (question.body == NULL)
    return;
  struct participant *p = &g->of[g->count++];
  *p = (struct participant){.backend = backend->settings,
                            .search = search,
                            .stopping = &g->federation->stopping,
                            .body = question.body,
                            .sorts = question.sorts,
                            .is_judged_here = question.is_judged_here,
                            .at = json_is_object(at) ? json_incref((json_t *)(uintptr_t)at) : NULL,
                            .has_ended = search->state != NULL && at == NULL,
                            .is_away = !backend->is_online || steady_now() < backend->search_due};
  snprintf(p->url, sizeof p->url, "%s", backend->search);
}

bool federated_items_wanted(struct federation *federation, const json_t *query, const char *collection)
{
  bool is_wanted = false;
  pthread_rwlock_rdlock(&federation->lock);
  for (size_t i = 0; i < federation->count && !is_wanted; i++) {
    const struct backend *backend = &federation->backends[i];
    is_wanted = !has_no_search(backend) && (!federated_question_names_any(query, collection) ||
                                            federated_question_has_any(backend, query, collection));
  }
  pthread_rwlock_unlock(&federation->lock);
  return is_wanted;
}

/* ---- asking ------------------------------------------------------------------------------------------------------ */

static size_t skipped(const struct participant *p)
{
  const json_int_t skip = json_integer_value(json_object_get(p->at, "skip"));
  return skip > 0 ? (size_t)skip : 0;
}

static int read_page(struct participant *p, struct cql2_tester *tester, const json_t *page)
{
  const double left = (double)(p->until - steady_now()) / 1e3;
  const struct backend_page_place place = {p->backend, p->url, p->body, page, tester, left, p->stopping};
  if (left < 0.01)
    return error_set(&p->error, ERROR_InfrastructureBusy, "its pages take too long");
  json_decref(p->next);
  return backend_items_page(&place, p->search->shape, &p->list, &p->next, &p->error);
}

static int compare_items(const json_t *sort, const struct gathered_item *a, const struct gathered_item *b);

static int compare_gathered(const void *a, const void *b, void *sort)
{
  return compare_items(sort, a, b);
}

/* Pages that come in an order of their own, from `page` on, as one in ours. */
static void read_unsorted(struct participant *p, struct cql2_tester *tester, const json_t *page)
{
  json_t *at = json_incref((json_t *)(uintptr_t)page);
  for (unsigned i = 0; i < SORTED_PAGES && p->status == 0 && (i == 0 || at != NULL); i++) {
    p->status = read_page(p, tester, at);
    json_decref(at);
    at = json_incref(p->next);
  }
  json_decref(at);
  if (p->list.count > 0)
    qsort_r(p->list.items, p->list.count, sizeof p->list.items[0], compare_gathered,
            (void *)(uintptr_t)p->search->shape->sort);
}

/* Some pages have nothing for us, and say that there is another one behind them. */
static void read_pages(struct participant *p, struct cql2_tester *tester)
{
  json_t *page = json_incref(json_object_get(p->at, "page"));
  size_t skip = skipped(p);
  for (unsigned i = 0; i < EMPTY_PAGES_MOST && p->status == 0; i++) {
    item_list_free(&p->list);
    if (p->sorts)
      p->status = read_page(p, tester, page);
    else
      read_unsorted(p, tester, page);
    p->used = skip < p->list.count ? skip : p->list.count;
    if (p->status != 0 || p->used < p->list.count || p->next == NULL)
      break;
    json_decref(page);
    page = json_incref(p->next);
    skip = 0;
  }
  if (p->status == 0) { /* from now on what `used` counts is of this page */
    json_decref(p->at);
    p->at = json_object();
    if (page != NULL)
      json_object_set(p->at, "page", page);
  }
  json_decref(page);
}

static void *ask(void *data)
{
  struct participant *p = data;
  p->until = steady_now() + FEDERATED_SECONDS * 1000;
  struct cql2_tester *tester = p->is_judged_here ? cql2_tester_new(p->search->filter, &p->error) : NULL;
  if (p->is_judged_here && tester == NULL)
    p->status = -1;
  else
    read_pages(p, tester);
  cql2_tester_free(tester);
  return NULL;
}

static bool is_asked(const struct participant *p)
{
  return p->backend != NULL && !p->has_ended && !p->is_away;
}

/* One that fails again and again is not asked for a while, so that nobody waits for it who need not. */
static void note_outcome(struct merging *g, const struct participant *p)
{
  pthread_rwlock_wrlock(&g->federation->lock);
  for (size_t i = 0; i < g->federation->count; i++) {
    struct backend *backend = &g->federation->backends[i];
    if (backend->settings != p->backend)
      continue;
    backend->search_failures = p->status == 0 ? 0 : backend->search_failures + 1;
    const unsigned over =
        backend->search_failures > FAILURES_FORGIVEN ? backend->search_failures - FAILURES_FORGIVEN : 0;
    const int64_t pause = over > 6 ? SPARED_MOST_MS : (int64_t)SPARED_FIRST_MS << (over > 0 ? over - 1 : 0);
    backend->search_due = over > 0 ? steady_now() + (pause < SPARED_MOST_MS ? pause : SPARED_MOST_MS) : 0;
  }
  pthread_rwlock_unlock(&g->federation->lock);
}

static void ask_all(struct merging *g, const struct own_items *own, struct error *error)
{
  struct participant *here = &g->of[0];
  struct buffer behind = {0};
  for (size_t i = 1; i < g->count; i++) {
    struct participant *p = &g->of[i];
    if (is_asked(p))
      p->has_thread = pthread_create(&p->thread, NULL, ask, p) == 0;
  }
  if (!here->has_ended) {
    here->status = own->page(own->data, json_string_value(json_object_get(here->at, "page")), g->search->limit,
                             &here->list, &behind, error);
    here->next = behind.length > 0 ? json_string(behind.data) : NULL;
  }
  buffer_free(&behind);
  for (size_t i = 1; i < g->count; i++) {
    struct participant *p = &g->of[i];
    if (p->has_thread)
      pthread_join(p->thread, NULL);
    else if (is_asked(p))
      p->status = error_set(&p->error, ERROR_Internal, "cannot start threads");
    if (is_asked(p))
      note_outcome(g, p);
    if (is_asked(p) && p->status != 0) {
      p->is_away = true;
      federation_doubt(g->federation, p->backend);
    }
  }
}

/* ---- merging ---------------------------------------------------------------------------------------------------- */

static int rank_of(const json_t *value)
{
  return json_is_number(value) ? 1 : json_is_string(value) ? 2 : 0;
}

/* As the catalogue sorts: nothing, numbers, texts. */
static int compare_values(const json_t *a, const json_t *b)
{
  const int rank = rank_of(a);
  if (rank != rank_of(b))
    return rank < rank_of(b) ? -1 : 1;
  if (rank == 2)
    return strcmp(json_string_value(a), json_string_value(b));
  const double x = json_number_value(a), y = json_number_value(b);
  return (x > y) - (x < y);
}

static bool goes_down(const json_t *sort, size_t i)
{
  const char *way = json_string_value(json_object_get(json_array_get(sort, i), "direction"));
  return sort == NULL || (way != NULL && strcmp(way, "desc") == 0);
}

/* The ties, id and collection, go as the first key does. */
static int compare_items(const json_t *sort, const struct gathered_item *a, const struct gathered_item *b)
{
  const size_t count = json_array_size(a->keys);
  int order = 0;
  for (size_t i = 0; i < count && order == 0; i++) {
    order = compare_values(json_array_get(a->keys, i), json_array_get(b->keys, i));
    order = goes_down(sort, i + 2 < count ? i : 0) ? -order : order;
  }
  return order;
}

/* The one whose item comes next; NULL: there is none, or it may be one that is not here yet. */
static struct participant *choose(struct merging *g)
{
  struct participant *first = NULL;
  for (size_t i = 0; i < g->count; i++) {
    struct participant *p = &g->of[i];
    if (p->has_ended || p->is_away)
      continue;
    if (p->used == p->list.count) {
      if (p->next != NULL)
        return NULL;
      continue;
    }
    if (first == NULL ||
        compare_items(g->search->shape->sort, &p->list.items[p->used], &first->list.items[first->used]) < 0)
      first = p;
  }
  return first;
}

static int merge(struct merging *g, struct federated_page *out, struct error *error)
{
  struct participant *p;
  while (out->count < (size_t)g->search->limit && (p = choose(g)) != NULL) {
    struct gathered_item *item = &p->list.items[p->used++];
    const int status = item_list_add(&out->list, item->json, item->keys);
    *item = (struct gathered_item){NULL, NULL};
    if (status != 0)
      return error_memory(error);
    out->count++;
  }
  return 0;
}

/* ---- the next page ---------------------------------------------------------------------------------------------- */

/* Where this server goes on: its own tokens lie behind an item, so it is asked for just those that were told. */
static int own_place(struct merging *g, const struct own_items *own, json_t **place, struct error *error)
{
  struct participant *p = &g->of[0];
  struct item_list ignored = {0};
  struct buffer behind = {0};
  int status = 0;
  *place = NULL;
  if (p->has_ended || (p->used == p->list.count && p->next == NULL))
    return 0;
  if (p->used == p->list.count) {
    *place = json_pack("{s:O}", "page", p->next);
    return 0;
  }
  if (p->used == 0) {
    *place = p->at != NULL ? json_incref(p->at) : json_object();
    return 0;
  }
  status =
      own->page(own->data, json_string_value(json_object_get(p->at, "page")), (long)p->used, &ignored, &behind, error);
  if (status == 0 && behind.length > 0)
    *place = json_pack("{s:s}", "page", behind.data);
  item_list_free(&ignored);
  buffer_free(&behind);
  return status;
}

/* One that is away goes on where it was. */
static json_t *place_of(const struct participant *p)
{
  if (p->has_ended)
    return NULL;
  if (p->is_away)
    return p->at != NULL ? json_incref(p->at) : json_object();
  if (p->used == p->list.count)
    return p->next != NULL ? json_pack("{s:O,s:i}", "page", p->next, "skip", 0) : NULL;
  json_t *place = json_copy(p->at);
  json_object_set_new(place, "skip", json_integer((json_int_t)p->used));
  return place;
}

/* Where only those are left that are away, there is no next page: it would say nothing else. */
static int make_state(struct merging *g, const struct own_items *own, struct federated_page *out, struct error *error)
{
  json_t *state = json_object(), *place;
  bool has_more = false;
  if (own_place(g, own, &place, error) != 0) {
    json_decref(state);
    return -1;
  }
  if (place != NULL)
    json_object_set_new(state, FEDERATION_OWN_ID, place);
  has_more = place != NULL;
  for (size_t i = 1; i < g->count; i++) {
    place = place_of(&g->of[i]);
    has_more = has_more || (place != NULL && !g->of[i].is_away);
    if (place != NULL)
      json_object_set_new(state, g->of[i].backend->id, place);
  }
  out->state = has_more ? state : NULL;
  if (!has_more)
    json_decref(state);
  return 0;
}

static void tell_missing(const struct merging *g, struct federated_page *out)
{
  for (size_t i = 1; i < g->count; i++) {
    if (!g->of[i].is_away || g->of[i].has_ended)
      continue;
    if (out->missing == NULL)
      out->missing = json_array();
    json_array_append_new(out->missing, json_string(g->of[i].backend->id));
  }
}

/* ---- the search ------------------------------------------------------------------------------------------------- */

static void gather(struct merging *g)
{
  const json_t *at = json_object_get(g->search->state, FEDERATION_OWN_ID);
  g->of[0] = (struct participant){.search = g->search,
                                  .at = json_is_object(at) ? json_incref((json_t *)(uintptr_t)at) : NULL,
                                  .has_ended = g->search->state != NULL && at == NULL};
  g->count = 1;
  pthread_rwlock_rdlock(&g->federation->lock);
  for (size_t i = 0; i < g->federation->count; i++)
    add_backend(g, &g->federation->backends[i]);
  pthread_rwlock_unlock(&g->federation->lock);
}

int federated_items_page(struct federation *federation, const struct federated_search *search,
                         const struct own_items *own, struct federated_page *out, struct error *error)
{
  struct merging g = {.federation = federation, .search = search};
  *out = (struct federated_page){0};
  gather(&g);
  ask_all(&g, own, error);
  int status = g.of[0].status;
  if (status == 0)
    status = merge(&g, out, error);
  if (status == 0)
    status = make_state(&g, own, out, error);
  tell_missing(&g, out);
  for (size_t i = 0; i < g.count; i++) {
    item_list_free(&g.of[i].list);
    json_decref(g.of[i].body);
    json_decref(g.of[i].at);
    json_decref(g.of[i].next);
  }
  return status;
}

void federated_page_free(struct federated_page *page)
{
  item_list_free(&page->list);
  json_decref(page->state);
  json_decref(page->missing);
}
