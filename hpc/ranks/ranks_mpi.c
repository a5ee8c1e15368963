/* See ranks_mpi.h. Handles are facts of the two ABIs: Open MPI's are addresses of its objects, MPICH's and its kin's
 * are numbers. */
#include "hpc/ranks/ranks_mpi.h"

#include "hpc/device/shared_library.h"

#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MPI_SERIALIZED = 2, MESSAGE_TAG = 7 };

struct mpi {
#define MPI(name, symbol, parameters) int(*name) parameters;
#include "hpc/ranks/mpi_functions.def"
#undef MPI
  uintptr_t world, bytes; /* MPI_COMM_WORLD, MPI_BYTE */
  void *ignored;          /* MPI_STATUS_IGNORE */
  int shared;             /* MPI_COMM_TYPE_SHARED: ranks of one machine */
  uintptr_t no_info;      /* MPI_INFO_NULL */
};

/* ---- the library ------------------------------------------------------------------------------------------------- */

static int open_functions(struct mpi *out, const char *const *names, struct error *error)
{
  const struct library_symbol symbols[] = {
#define MPI(name, symbol, parameters) {#symbol, &out->name},
#include "hpc/ranks/mpi_functions.def"
#undef MPI
  };
  return library_open("MPI", names, symbols, sizeof symbols / sizeof symbols[0], error);
}

static int open_openmpi(struct mpi *out, struct error *error)
{
  static const char *const names[] = {"libmpi.so.40", NULL};
  const struct library_symbol objects[] = {
      {"ompi_mpi_comm_world", &out->world}, {"ompi_mpi_byte", &out->bytes}, {"ompi_mpi_info_null", &out->no_info}};
  out->ignored = NULL;
  out->shared = 0;
  return open_functions(out, names, error) == 0 ? library_open("MPI", names, objects, 3, error) : -1;
}

static int open_mpich(struct mpi *out, struct error *error)
{
  static const char *const names[] = {"libmpich.so.12", "libmpi.so.12", NULL};
  out->world = 0x44000000;
  out->bytes = 0x4c00010d;
  out->ignored = (void *)1;
  out->shared = 1;
  out->no_info = 0x1c000000;
  return open_functions(out, names, error);
}

/* A positive number in the environment, or 0. */
static size_t number_in(const char *variable)
{
  const char *text = getenv(variable);
  long number = text != NULL ? strtol(text, NULL, 10) : 0;
  return number > 0 ? (size_t)number : 0;
}

/* That of the launcher, where it is known; else whichever is there. */
static int open_library(struct mpi *out, struct error *error)
{
  struct error other = {0};
  if (getenv("OMPI_COMM_WORLD_SIZE") != NULL) {
    return open_openmpi(out, error);
  }
  if (getenv("PMI_SIZE") != NULL && open_mpich(out, &other) == 0) {
    return 0;
  }
  other = (struct error){0};
  return open_openmpi(out, &other) == 0 ? 0 : open_mpich(out, error);
}

/* Tasks that the launcher started; 1: there is none. */
static size_t launched(void)
{
  static const char *const variables[] = {"OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "SLURM_STEP_NUM_TASKS"};
  size_t most = 1;
  for (size_t i = 0; i < sizeof variables / sizeof variables[0]; i++) {
    size_t number = number_in(variables[i]);
    most = number > most ? number : most;
  }
  return most;
}

unsigned ranks_threads(const struct ranks *ranks)
{
  cpu_set_t mine;
  long online = sysconf(_SC_NPROCESSORS_ONLN);
  size_t cores = online > 0 ? (size_t)online : 1;
  size_t allowed = sched_getaffinity(0, sizeof mine, &mine) == 0 ? (size_t)CPU_COUNT(&mine) : cores;
  size_t share = cores / ranks->beside;
  share = share > 0 ? share : 1;
  return (unsigned)(allowed < share ? allowed : share);
}

/* ---- messages ---------------------------------------------------------------------------------------------------- */

static int mpi_send(void *state, size_t to, const void *data, size_t bytes, uintptr_t *ticket)
{
  const struct mpi *mpi = state;
  *ticket = 0;
  return mpi->send(data, (int)bytes, mpi->bytes, (int)to, MESSAGE_TAG, mpi->world, ticket) == 0 ? 0 : -1;
}

static int mpi_sent(void *state, uintptr_t *ticket)
{
  const struct mpi *mpi = state;
  int done = 0;
  return mpi->test(ticket, &done, mpi->ignored) == 0 ? done != 0 : -1;
}

static int mpi_receive(void *state, size_t from, void *data, size_t bytes)
{
  const struct mpi *mpi = state;
  int there = 0;
  if (mpi->probe((int)from, MESSAGE_TAG, mpi->world, &there, mpi->ignored) != 0) {
    return -1;
  }
  if (there == 0) {
    return 0;
  }
  return mpi->receive(data, (int)bytes, mpi->bytes, (int)from, MESSAGE_TAG, mpi->world, mpi->ignored) == 0 ? 1 : -1;
}

static const struct ranks_transport by_mpi = {mpi_send, mpi_sent, mpi_receive};

/* ---- joining and leaving ----------------------------------------------------------------------------------------- */

/* Ranks on this machine. */
static int count_beside(const struct mpi *mpi, int *out)
{
  uintptr_t machine = 0;
  int status = mpi->split(mpi->world, mpi->shared, 0, mpi->no_info, &machine);
  status = status == 0 ? mpi->size(machine, out) : status;
  return status == 0 ? mpi->dissolve(&machine) : status;
}

static int join(struct ranks *ranks, struct mpi *mpi, size_t tasks, struct error *error)
{
  int provided = 0, rank = 0, count = 0, beside = 1;
  if (open_library(mpi, error) != 0) {
    return -1;
  }
  if (mpi->init(NULL, NULL, MPI_SERIALIZED, &provided) != 0 || mpi->rank(mpi->world, &rank) != 0 ||
      mpi->size(mpi->world, &count) != 0 || count_beside(mpi, &beside) != 0) {
    return error_set(error, ERROR_FeatureUnsupported, "MPI does not start");
  }
  ranks->rank = (size_t)rank;
  ranks->count = (size_t)count;
  ranks->beside = (size_t)beside;
  if ((size_t)count == tasks && provided >= MPI_SERIALIZED) {
    return 0;
  }
  mpi->finalize();
  return (size_t)count == tasks
             ? error_set(error, ERROR_FeatureUnsupported, "this MPI does not let several threads call it")
             : error_set(error, ERROR_FeatureUnsupported,
                         "the launcher started %zu tasks and MPI sees %d: start them with mpirun, or with srun "
                         "--mpi=pmix, of the MPI that is installed here",
                         tasks, count);
}

int ranks_join(const volatile int *cancel, struct ranks **out, struct error *error)
{
  size_t tasks = launched();
  *out = NULL;
  if (tasks == 1) {
    return 0;
  }
  struct ranks *ranks = calloc(1, sizeof *ranks);
  struct mpi *mpi = calloc(1, sizeof *mpi);
  if (ranks == NULL || mpi == NULL || pthread_mutex_init(&ranks->talk, NULL) != 0) {
    free(ranks);
    free(mpi);
    return error_memory(error);
  }
  ranks->transport = &by_mpi;
  ranks->state = mpi;
  ranks->cancel = cancel;
  if (join(ranks, mpi, tasks, error) == 0) {
    *out = ranks;
    return 0;
  }
  pthread_mutex_destroy(&ranks->talk);
  free(ranks);
  free(mpi);
  return -1;
}

void ranks_leave(struct ranks *ranks, int status)
{
  if (ranks == NULL) {
    return;
  }
  struct mpi *mpi = ranks->state;
  if (ranks->broken) {
    mpi->end_all(mpi->world, status);
  } else {
    mpi->finalize();
  }
  pthread_mutex_destroy(&ranks->talk);
  free(mpi);
  free(ranks);
}
