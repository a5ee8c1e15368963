/* twincube job: an operator's view of the queue, in DIR/server.sqlite. Works while the server runs. */
#include "server/commands/command.h"
#include "server/commands/data_dir.h"
#include "server/store/store_jobs.h"

#include "datacube/base/instant.h"

#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const char help_text[] =
    "twincube job - batch jobs of all users\n\n"
    "Usage\n"
    "  twincube job list [--user NAME] [--status STATUS] [--data DIR]   one line each, newest first: id, user,\n"
    "                                            status, progress, priority, creation, title\n"
    "  twincube job show ID [--data DIR]         all that is known of a job, and its log\n"
    "  twincube job cancel ID [--data DIR]       end a job that is queued or running, as its user could\n"
    "  twincube job priority ID N [--data DIR]   -10 to 10: among the jobs of its user; 11 to 100: before all\n\n"
    "All work while the server runs, which ends a cancelled job within two seconds.\n\n"
    "Options\n"
    "  --user NAME       jobs of this user only\n"
    "  --status STATUS   created, queued, running, canceled, finished or error\n"
    "  --data DIR        folder of the server (see twincube catalogue --help for the default)\n"
    "  --store URI       its PostgreSQL database, where it has one (default: $TWINCUBE_STORE, else in the folder)\n"
    "  -h, --help        this text\n\n"
    "Exit status\n"
    "  0 success, 1 failure (one line `Code: message` on standard error), 2 wrong usage\n\n"
    "Example\n"
    "  twincube job list --status running\n";

struct job_arguments {
  const char *data, *store, *user, *status;
  const char *action, *id, *priority;
};

struct job_action {
  const char *name;
  int arguments;
  int (*act)(struct store *store, const struct job_arguments *arguments, struct error *error);
};

static void print_time(const char *name, int64_t time)
{
  char date[40] = "-";
  if (time > 0)
    instant_format(time - time % MS_PER_SECOND, CALENDAR_GREGORIAN, date);
  printf("%s%s", name, date);
}

static bool print_job(void *data, const struct job *job)
{
  const struct job_arguments *arguments = data;
  if (arguments->status != NULL && strcmp(arguments->status, job->status) != 0)
    return true;
  printf("%s  %-16s %-8s %3.0f%% %4" PRId64 "  ", job->id, job->owner, job->status,
         job->progress > 0 ? job->progress : 0, job->priority);
  print_time("", job->created);
  printf("  %.200s\n", job->title != NULL ? job->title : "");
  return true;
}

static int list_jobs(struct store *store, const struct job_arguments *arguments, struct error *error)
{
  return store_job_list(store, arguments->user, 0, print_job, (void *)(uintptr_t)arguments, error);
}

static void print_log(void *data, const struct job_log *log)
{
  (void)data;
  print_time("", log->time);
  printf("  %-7s %s%s%s\n", log_level_name(log->entry.level), log->entry.node != NULL ? log->entry.node : "",
         log->entry.node != NULL ? ": " : "", log->entry.message);
}

static int show_job(struct store *store, const struct job_arguments *arguments, struct error *error)
{
  struct job job = {0};
  if (store_job_get(store, NULL, arguments->id, &job, error) != 0)
    return -1;
  printf("id        %s\nuser      %s\nstatus    %s\nprogress  %.0f%%\npriority  %" PRId64 "\nattempts  %" PRId64 "\n",
         job.id, job.owner, job.status, job.progress > 0 ? job.progress : 0, job.priority, job.attempts);
  print_time("created   ", job.created);
  print_time("\nqueued    ", job.queued);
  print_time("\nstarted   ", job.started);
  print_time("\nended     ", job.ended);
  printf("\ntitle     %s\nusage     %s\nprocess   %s\n\n", job.title != NULL ? job.title : "",
         job.usage != NULL ? job.usage : "", job.process);
  job_free(&job);
  return store_log_list(store, arguments->id, 0, LOG_DEBUG, 0, print_log, NULL, error);
}

static int cancel_job_by_id(struct store *store, const struct job_arguments *arguments, struct error *error)
{
  int64_t run = 0;
  return store_job_cancel(store, &(struct job_key){NULL, arguments->id}, -1, &run, error);
}

static int prefer_job(struct store *store, const struct job_arguments *arguments, struct error *error)
{
  long priority = 0;
  if (command_integer(arguments->priority, -JOB_MAX_PRIORITY, JOB_OPERATOR_PRIORITY, &priority) != 0)
    return error_set(error, ERROR_RequestBodyInvalid, "a priority is a whole number from %d to %d, not '%s'",
                     -JOB_MAX_PRIORITY, (int)JOB_OPERATOR_PRIORITY, arguments->priority);
  return store_job_prefer(store, arguments->id, priority, error);
}

static const struct job_action actions[] = {
    {"list", 0, list_jobs}, {"show", 1, show_job}, {"cancel", 1, cancel_job_by_id}, {"priority", 2, prefer_job}};

static int act_on_jobs(const struct job_action *action, const struct job_arguments *arguments)
{
  struct error error = {0};
  struct store *store = NULL;
  char data[DATA_DIR_SIZE];
  const char *place = NULL;
  int status = data_dir_make(arguments->data, data, &error);
  if (status == 0)
    status = store_place_find(arguments->store, data, &place, &error);
  if (status == 0)
    status = store_open(place, &store, &error);
  if (status == 0)
    status = action->act(store, arguments, &error);
  store_close(store);
  return status == 0 ? EXIT_OK : command_fail(&error);
}

int command_job(int argc, char **argv)
{
  static const struct option options[] = {
      {"data", required_argument, NULL, 'd'}, {"store", required_argument, NULL, 'S'},
      {"user", required_argument, NULL, 'u'}, {"status", required_argument, NULL, 's'},
      {"help", no_argument, NULL, 'h'},       {NULL, 0, NULL, 0}};
  struct job_arguments arguments = {0};
  opterr = 0;
  for (int option; (option = getopt_long(argc, argv, "h", options, NULL)) != -1;) {
    if (option == 'h') {
      fputs(help_text, stdout);
      return EXIT_OK;
    }
    if (option == '?')
      return command_option_usage("job", argv);
    *(option == 'd'   ? &arguments.data
      : option == 'S' ? &arguments.store
      : option == 'u' ? &arguments.user
                      : &arguments.status) = optarg;
  }
  const char *name = optind < argc ? argv[optind] : "";
  arguments.id = optind + 1 < argc ? argv[optind + 1] : NULL;
  arguments.priority = optind + 2 < argc ? argv[optind + 2] : NULL;
  for (size_t i = 0; i < sizeof actions / sizeof actions[0]; i++) {
    if (strcmp(name, actions[i].name) != 0)
      continue;
    if (argc - optind != 1 + actions[i].arguments)
      return command_usage("job", "%s wants %d argument%s", name, actions[i].arguments,
                           actions[i].arguments == 1 ? "" : "s");
    return act_on_jobs(&actions[i], &arguments);
  }
  return command_usage("job", "wants list, show, cancel or priority");
}
