#include "server/udf/python_program.h"

#include "datacube/base/buffer.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;
extern const char probe_py[];

enum { ANSWER_MS = 30000, ANSWER_MOST = 256 * 1024 };

/* Starts the probe, whose output is to be read; -1: it cannot be. */
static int spawn_probe(const char *name, pid_t *pid)
{
  int ends[2];
  posix_spawn_file_actions_t actions;
  char *const arguments[] = {(char *)(uintptr_t)name,  (char *)(uintptr_t) "-I",     (char *)(uintptr_t) "-B",
                             (char *)(uintptr_t) "-c", (char *)(uintptr_t)probe_py, NULL};
  if (pipe2(ends, O_CLOEXEC) != 0)
    return -1;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
  errno = posix_spawnp(pid, name, &actions, NULL, arguments, environ);
  const int code = errno;
  posix_spawn_file_actions_destroy(&actions);
  close(ends[1]);
  if (code == 0)
    return ends[0];
  close(ends[0]);
  errno = code;
  return -1;
}

static void read_answer(int fd, struct buffer *text)
{
  char chunk[4096];
  struct pollfd wait = {.fd = fd, .events = POLLIN};
  while (poll(&wait, 1, ANSWER_MS) > 0) {
    const ssize_t got = read(fd, chunk, sizeof chunk);
    if (got <= 0)
      return;
    buffer_add(text, chunk, (size_t)got);
    if (text->failed)
      return;
  }
}

static const char *next_line(char **at)
{
  char *line = *at, *end = line != NULL ? strchr(line, '\n') : NULL;
  if (end == NULL)
    return NULL;
  *end = '\0';
  *at = end + 1;
  return line;
}

static int read_lines(struct python_program *out, char why[PYTHON_WHY])
{
  char *at = out->text;
  const char *path;
  out->version = next_line(&at);
  if (out->version != NULL && out->version[0] == '!') {
    snprintf(why, PYTHON_WHY, "%s", out->version + 1);
    return -1;
  }
  out->json = next_line(&at);
  out->program = next_line(&at);
  out->path = next_line(&at);
  if (out->path == NULL) {
    snprintf(why, PYTHON_WHY, "it does not say what it is");
    return -1;
  }
  while ((path = next_line(&at)) != NULL)
    if (path[0] == '/' && path_list_add(&out->reads, path, strlen(path)) != 0)
      return -1;
  return 0;
}

static int ask(const char *name, struct python_program *out, char why[PYTHON_WHY])
{
  struct buffer text = {.limit = ANSWER_MOST};
  pid_t pid;
  const int fd = spawn_probe(name, &pid);
  *out = (struct python_program){0};
  if (fd < 0) {
    snprintf(why, PYTHON_WHY, "it cannot be started: %s", strerror(errno));
    return -1;
  }
  read_answer(fd, &text);
  close(fd);
  kill(pid, SIGKILL);
  while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
    ;
  out->text = text.data;
  if (read_lines(out, why) == 0)
    return 0;
  python_program_free(out);
  return -1;
}

int python_program_find(const char *name, struct python_program *out, char why[PYTHON_WHY])
{
  static const char *const usual[] = {"/usr/bin/python3", "/usr/local/bin/python3"};
  if (name[0] != '\0')
    return ask(name, out, why);
  for (size_t i = 0; i < sizeof usual / sizeof usual[0]; i++)
    if (ask(usual[i], out, why) == 0)
      return 0;
  return -1;
}

void python_program_free(struct python_program *program)
{
  path_list_free(&program->reads);
  free(program->text);
  *program = (struct python_program){0};
}
