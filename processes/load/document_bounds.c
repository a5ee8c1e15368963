#include "processes/load/document_bounds.h"

#include "processes/local_files.h"

#include <string.h>

void document_hide_folder(const char *folder, char *message)
{
  size_t length = folder ? strlen(folder) : 0;
  for (char *at = message; length > 0 && (at = strstr(at, folder)) != NULL;)
    memmove(at, at + length, strlen(at + length) + 1);
}

static void say(void *data, enum log_level level, const char *message)
{
  const struct call *call = data;
  char *text = arena_strdup(call->arena, message);
  if (!text)
    return;
  document_hide_folder(call->files, text);
  call_log(call, &(struct log_entry){.level = level, .message = text});
}

static void say_warning(void *data, const char *message)
{
  say(data, LOG_WARNING, message);
}

static void say_info(void *data, const char *message)
{
  say(data, LOG_INFO, message);
}

int document_bounds(struct call *call, const char *folder, struct catalogue_bounds *out)
{
  const struct local_files *local = call->local;
  const char *published = local ? local->published : NULL;
  *out = (struct catalogue_bounds){.cancel = call_cancel(call),
                                   .warn = say_warning,
                                   .tell = say_info,
                                   .data = call,
                                   .arena = call->arena,
                                   .published = published};
  if (local && local->all)
    return 0;
  size_t count = local ? local->folder_count : 0;
  const char **folders = ARENA_ARRAY(call->arena, const char *, count + 2);
  if (!folders)
    return error_memory(call->error);
  for (size_t i = 0; i < count; i++)
    folders[i] = local->folders[i];
  if (call->files)
    folders[count++] = call->files;
  if (folder)
    folders[count++] = folder;
  out->folders = folders;
  out->folder_count = count;
  return 0;
}
