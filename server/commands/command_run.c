/* twincube run: the same graph as POST /result, without a server. */
#include "server/commands/command.h"
#include "server/commands/command_graph.h"
#include "server/commands/rank_command.h"

#include "hpc/plan/plan.h"
#include "hpc/ranks/ranks_mpi.h"
#include "processes/lattice/chain_crew.h"

#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

static const char help_text[] =
    "twincube run - run a process graph here\n\n"
    "Usage\n"
    "  twincube run [OPTION]... GRAPH.json\n\n"
    "GRAPH.json holds an openEO process graph, a process with a `process_graph`, or a request with a\n"
    "`process`; - reads it from standard input. A graph that gives a plain value (number, text, array) prints\n"
    "it to standard output as JSON. Each cube that save_result saves, and the result node's, becomes a file; the\n"
    "names are printed, one a line. The format is save_result's, else that of the output's extension (.tif, .nc,\n"
    ".png, .json); an extension that has no format, or another than save_result asks for, is an error.\n\n"
    "Options\n"
    "  -o, --output OUT        file of the result node; others are named beside it OUT_<node>.EXTENSION. Ends with\n"
    "                          '/': a folder, with result.EXTENSION, or <node>.EXTENSION where there are several\n"
    "                          (without -o: the current folder). A plain value is written to OUT, too\n"
    "  --parameter NAME=JSON   value for {\"from_parameter\": NAME} at the top level; may be repeated\n"
    "  --data DIR              folder with the catalogue (see twincube catalogue --help for the default)\n"
    "  --files DIR             folder that load_uploaded_files reads from (default: the current one)\n"
    "  --workspaces DIR        folder whose folders are the workspaces of export_workspace (default: none)\n"
    "  --remote PREFIX         other hosts that load_stac may read from: what addresses of documents and data begin\n"
    "                          with, such as https://example.org/data/ or s3://BUCKET/START; may be repeated\n"
    "                          (default: none)\n"
    "  --remote-accounts FILE  the same by tables [[remote]], with accounts there (`twincube config example` shows "
    "them)\n"
    "  --udf-python PROGRAM    Python for run_udf, with numpy, pandas and xarray (default: the system's python3)\n"
    "  --memory SIZE           memory for tiles, registers and caches, such as 512M or 2G (default 2G)\n"
    "  --threads N             workers (default: as many as the machine has cores)\n"
    "  --device NAME           where kernels run: auto (default: on devices where that is faster), cpu, cuda (on all\n"
    "                          of them, wherever they can) or cuda:N; see twincube devices\n"
    "  --device-memory SIZE    of each device, at most (default: four fifths of what is free)\n"
    "  --ranks HOW             tasks that a launcher has started: auto (default: they compute one result together,\n"
    "                          see below) or off (each runs its graph alone)\n"
    "  --encoding NAME         of graph and values: json (default: NaN and infinities come out as null) or official,\n"
    "                          the dialect of the official openEO test cases (bare NaN, Infinity, -Infinity)\n"
    "  -v, --verbose           tell on standard error what is read, which stage takes how long, what is written\n"
    "  -h, --help              this text\n\n"
    "Started in several tasks by mpirun or srun, the first does all of this, and simulations (lft_*) are dealt to\n"
    "all: several chains, or slabs of one of heat baths; the result has the same bits. --memory and --threads are\n"
    "then for each, by default the cores that it has. All need the same command line, working folder, graph and\n"
    "data folder.\n\n"
    "On a terminal the progress is shown on standard error; Ctrl-C stops the run and leaves no half result.\n\n"
    "Exit status\n"
    "  0 success, 1 failure (one line `Code: message` on standard error), 2 wrong usage\n\n"
    "Examples\n"
    "  echo '{\"a\":{\"process_id\":\"add\",\"arguments\":{\"x\":1,\"y\":2},\"result\":true}}' | twincube run -\n"
    "  twincube run ndvi.json -o ndvi.tif --memory 512M\n"
    "  mpirun -n 4 twincube run chains.json -o chains.nc\n"
    "  twincube run ndvi.json --parameter 'bands=[\"B4\",\"B5\"]' -o out/\n";

static volatile int cancelled; /* set by the signal handler alone */

static void on_interrupt(int number)
{
  (void)number;
  cancelled = 1;
}

static void show_progress(struct run_progress *progress, void *data)
{
  unsigned *shown = data;
  size_t done = atomic_load(&progress->tiles_done);
  unsigned percent = progress->tiles ? (unsigned)(100.0 * (double)done / (double)progress->tiles) : 100;
  if (percent == *shown)
    return;
  *shown = percent;
  fprintf(stderr, "\r%3u %%  [%-40.*s]  %zu of %zu tiles", percent, (int)(percent * 40 / 100),
          "########################################", done, progress->tiles);
  if (done == progress->tiles)
    fputc('\n', stderr);
  fflush(stderr);
}

/* Names of the files, one a line; a value that has no file of its own, last. */
static int print_result(const struct execution_result *result, bool value_file, struct error *error)
{
  for (size_t i = 0; i < result->file_count; i++)
    printf("%s\n", result->files[i].path);
  if (result->is_value && !value_file) {
    fwrite(result->json.data, 1, result->json.length, stdout);
    fputc('\n', stdout);
  }
  return fflush(stdout) == 0 && !ferror(stdout) ? 0 : error_set(error, ERROR_StorageFailure, "cannot write the result");
}

/* What processes such as inspect say, and warnings; the course of the run, as a job's log tells it, with --verbose. */
static void print_entry(void *data, const struct log_entry *entry)
{
  static const char *const names[] = {"error", "warning", "info", "debug"};
  const struct graph_arguments *arguments = data;
  if (!entry->node && entry->level > LOG_WARNING && !arguments->verbose)
    return;
  fprintf(stderr, "%s:", names[entry->level]);
  if (entry->node)
    fprintf(stderr, " node \"%s\":", entry->node);
  if (entry->code)
    fprintf(stderr, " %s:", entry->code);
  fprintf(stderr, " %s%s%s\n", entry->message, entry->data && entry->message[0] ? ": " : "",
          entry->data ? entry->data : "");
}

static int run_graph(const struct graph_arguments *arguments, struct execution *execution, struct error *error)
{
  unsigned shown = 101;
  struct run_progress progress = {.notify = show_progress, .data = &shown};
  const struct run_log log = {.put = print_entry, .data = (void *)(uintptr_t)arguments};
  struct execution_result result;
  execution->progress = isatty(STDERR_FILENO) ? &progress : NULL;
  execution->log = &log;
  execution->history = "twincube " TWINCUBE_VERSION " run";
  execution->value_file = arguments->output != NULL;
  int status = execute(execution, &result, error);
  if (status == 0)
    status = print_result(&result, execution->value_file, error);
  execution_result_free(&result);
  return status;
}

/* Rank 0 runs the graph; the others do what it tells them. */
static int act_as_rank(struct ranks *ranks, struct graph_arguments *arguments)
{
  struct error error = {0};
  if (ranks->rank == 0) {
    int status = graph_arguments_execute(arguments, &cancelled, run_graph);
    chain_crew_dismiss(ranks);
    return status;
  }
  const size_t memory = arguments->memory > 0 ? arguments->memory : PLAN_MEMORY;
  if (chain_crew_help(ranks, (unsigned)arguments->threads, memory, &error) == 0)
    return EXIT_OK;
  return error_is(&error, ERROR_RequestTimeout) ? EXIT_FAILED : command_fail(&error);
}

static int run_on_ranks(struct hash command, struct graph_arguments *arguments)
{
  struct ranks *ranks = NULL;
  struct error error = {0};
  if (!arguments->alone && ranks_join(&cancelled, &ranks, &error) != 0)
    return command_fail(&error);
  if (!ranks)
    return graph_arguments_execute(arguments, &cancelled, run_graph);
  if (arguments->threads == 0)
    arguments->threads = ranks_threads(ranks);
  arguments->ranks = ranks;
  int status = rank_command_check(ranks, command, arguments, &error) == 0 ? act_as_rank(ranks, arguments) : EXIT_FAILED;
  if (error_is_set(&error) && ranks->rank == 0)
    command_fail(&error);
  ranks_leave(ranks, EXIT_FAILED);
  return status;
}

int command_run(int argc, char **argv)
{
  const struct hash command = rank_command_hash(argc, argv); /* reading options writes into them */
  struct graph_arguments arguments = {0};
  int status = graph_arguments_read(argc, argv, "run", help_text, &arguments);
  if (status >= 0) {
    graph_arguments_free(&arguments);
    return status;
  }
  /* The second signal ends the program at once. */
  const struct sigaction action = {.sa_handler = on_interrupt, .sa_flags = (int)SA_RESETHAND};
  sigaction(SIGINT, &action, NULL);
  sigaction(SIGTERM, &action, NULL);
  status = run_on_ranks(command, &arguments);
  graph_arguments_free(&arguments);
  return status;
}
