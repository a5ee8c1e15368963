/* The keeper looks every second (where servers share the store, thrice), and when a job was deleted:
 *
 *   jobs whose row is gone    what runs them is told to stop, their folders are removed
 *   users that are gone       the folders of their files are removed
 *   rows that say running     and that no runner holds are queued again (there should be none)
 *   running jobs              that were cancelled in the store alone (by an operator) are told to stop
 *   results                   are removed when they have been kept for as long as the operator says
 *   space of deleted rows     goes back to the disk, part by part */
#include "server/jobs/job_keeper.h"

#include "server/jobs/job_folder.h"
#include "server/store/folder.h"
#include "server/store/store_files.h"
#include "server/store/store_servers.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { SHARED_KEEPER_MS = 300, KEEPER_MS = 1000, STRAY_MS = 60 * 1000, EXPIRY_TURNS = 60, DAY_MS = 24 * 3600 * 1000 };

static bool is_stopping(struct job_queue *queue)
{
  pthread_mutex_lock(&queue->lock);
  bool stopping = queue->stopping;
  pthread_mutex_unlock(&queue->lock);
  return stopping;
}

/* ---- jobs that are gone ----------------------------------------------------------------------------------------- */

static bool is_held(struct job_queue *queue, const char *id, int64_t run)
{
  bool held = false;
  pthread_mutex_lock(&queue->lock);
  for (unsigned i = 0; i < queue->options.slots; i++)
    held = held || (strcmp(queue->runners[i].id, id) == 0 && (run == JOB_ANY_RUN || queue->runners[i].run == run));
  pthread_mutex_unlock(&queue->lock);
  return held;
}

/* A folder that is still written to waits for the next turn. */
static void remove_dropped(struct job_queue *queue, struct store *store, struct error *error)
{
  char id[JOB_ID_SIZE], folder[JOB_FOLDER_SIZE];
  int64_t after = 0;
  bool found = true;
  while (!is_stopping(queue)) {
    if (store_dropped_next(store, &after, id, &found, error) != 0 || !found)
      return;
    if (is_held(queue, id, JOB_ANY_RUN)) {
      job_queue_cancel(queue, id, JOB_ANY_RUN);
      continue;
    }
    job_folder(queue->options.data, id, folder);
    folder_remove(folder);
    if (store_dropped_forget(store, after, error) != 0)
      return;
  }
}

static void remove_files(struct job_queue *queue, struct store *store, struct error *error)
{
  char folder[USER_FOLDER_SIZE], path[JOB_FOLDER_SIZE];
  while (!is_stopping(queue) && store_folder_dropped(store, folder, error) == 0 && folder[0] != '\0') {
    snprintf(path, sizeof path, "%.1900s/files/%s", queue->options.data, folder);
    folder_remove(path);
    if (queue->options.workspaces != NULL) {
      snprintf(path, sizeof path, "%.1900s/%s", queue->options.workspaces, folder);
      folder_remove(path);
    }
    if (store_folder_forget(store, folder, error) != 0)
      return;
  }
}

/* ---- rows that say running while nobody runs them --------------------------------------------------------------- */

static void requeue_strays(struct job_queue *queue, struct store *store, struct error *error)
{
  int64_t after = 0;
  for (bool found = true; found;) {
    struct job job = {0};
    if (store_job_running(store, after, store_now() - STRAY_MS, &job, &found, error) != 0 || !found)
      return;
    after = job.seq;
    if (!is_held(queue, job.id, job.run))
      store_job_requeue(store, &job, false, "nobody ran the job", error);
    job_free(&job);
  }
}

/* ---- cancelled in the store ------------------------------------------------------------------------------------- */

static void stop_cancelled(struct job_queue *queue, struct store *store)
{
  for (unsigned i = 0; i < queue->options.slots; i++) {
    char id[JOB_ID_SIZE];
    struct error error = {0};
    struct job job = {0};
    pthread_mutex_lock(&queue->lock);
    snprintf(id, sizeof id, "%s", queue->runners[i].id);
    const int64_t run = queue->runners[i].run;
    pthread_mutex_unlock(&queue->lock);
    const bool is_there = id[0] != '\0' && store_job_get(store, NULL, id, &job, &error) == 0;
    if (is_there ? strcmp(job.status, "running") != 0 || job.run != run : error_is(&error, ERROR_JobNotFound))
      job_queue_cancel(queue, id, run);
    else if (is_there && queue->options.server != NULL)
      store_job_note_progress(store, id, run, job_queue_progress(queue, id), &error);
    job_free(&job);
  }
}

/* ---- results that were kept long enough -------------------------------------------------------------------------- */

static void expire_results(struct job_queue *queue, struct store *store, struct error *error)
{
  char id[JOB_ID_SIZE];
  const long days = queue->options.limits->keep_days;
  const int64_t before = store_now() - days * DAY_MS;
  bool found = days > 0;
  while (found && !is_stopping(queue)) {
    if (store_job_expire(store, before, id, &found, error) != 0 || !found)
      return;
    job_folder_sweep(queue->options.data, store, id);
  }
}

/* ---- folders that the store does not know ----------------------------------------------------------------------- */

struct inventory {
  struct job_queue *queue;
  struct store *store;
  char lost[JOB_FOLDER_SIZE];
  size_t folders, moved;
  bool only_count;
};

static void visit(void *data, const char *name)
{
  struct inventory *inventory = data;
  char from[JOB_FOLDER_SIZE], to[JOB_FOLDER_SIZE + 300];
  bool known = false;
  struct error error = {0};
  if (strncmp(name, "j-", 2) != 0)
    return;
  inventory->folders++;
  if (inventory->only_count)
    return;
  const char *const folder = inventory->queue->options.data;
  if (store_job_is_known(inventory->store, name, &known, &error) != 0 || known) {
    job_folder_sweep(folder, inventory->store, name);
    return;
  }
  job_folder(folder, name, from);
  if (inventory->queue->options.sweep) {
    folder_remove(from);
    inventory->moved++;
    return;
  }
  from[strlen(from) - 1] = '\0';
  snprintf(to, sizeof to, "%s%.255s", inventory->lost, name);
  if (folder_make(inventory->lost, &error) == 0 && rename(from, to) == 0)
    inventory->moved++;
  else
    log_message(LOG_WARNING, "%s, which the store does not know, cannot be moved to %s", from, inventory->lost);
}

int job_keeper_recover(struct job_queue *queue, struct store *store, struct error *error)
{
  const bool sweep = queue->options.sweep;
  char jobs[JOB_FOLDER_SIZE];
  struct inventory inventory = {.queue = queue, .store = store, .only_count = true};
  bool had_jobs = false;
  snprintf(jobs, sizeof jobs, "%.1900s/jobs", queue->options.data);
  snprintf(inventory.lost, sizeof inventory.lost, "%.2000s/lost/", jobs);
  if ((queue->options.server != NULL && store_server_beat(store, error) != 0) || store_job_recover(store, error) != 0 ||
      store_had_jobs(store, &had_jobs, error) != 0)
    return -1;
  folder_each(jobs, visit, &inventory);
  if (!had_jobs && inventory.folders > 0 && !sweep)
    return error_set(error, ERROR_StorageFailure,
                     "the store of %s is empty, but its folder jobs holds results of %zu jobs: put the right "
                     "server.sqlite there, or fill the store by `twincube store migrate`, or move them away, or remove "
                     "them with --sweep",
                     queue->options.data, inventory.folders);
  inventory.only_count = false;
  folder_each(jobs, visit, &inventory);
  if (inventory.moved > 0 && sweep)
    log_message(LOG_WARNING, "%zu job folders that the store does not know were removed", inventory.moved);
  else if (inventory.moved > 0)
    log_message(LOG_WARNING, "%zu job folders that the store does not know were moved to %s", inventory.moved,
                inventory.lost);
  return 0;
}

/* ---- the thread ------------------------------------------------------------------------------------------------- */

static void wait_a_while(struct job_queue *queue)
{
  struct timespec until = job_queue_deadline(queue->options.server != NULL ? SHARED_KEEPER_MS : KEEPER_MS);
  pthread_mutex_lock(&queue->lock);
  if (!queue->stopping)
    pthread_cond_timedwait(&queue->untidy, &queue->lock, &until);
  pthread_mutex_unlock(&queue->lock);
}

void *job_keeper_work(void *data)
{
  struct job_queue *queue = data;
  struct store *store = queue->keeper_store;
  for (unsigned turn = 0; !is_stopping(queue); turn++) {
    struct error error = {0};
    remove_dropped(queue, store, &error);
    remove_files(queue, store, &error);
    stop_cancelled(queue, store);
    requeue_strays(queue, store, &error);
    if (turn % EXPIRY_TURNS == 0)
      expire_results(queue, store, &error);
    if (error_is_set(&error) && !error_is(&error, ERROR_InfrastructureMaintenance)) /* that was said already */
      log_message(LOG_ERROR, "the job queue: %s", error.message);
    while (!is_stopping(queue) && store_shrink(store))
      ;
    wait_a_while(queue);
  }
  return NULL;
}
