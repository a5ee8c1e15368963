/* Memory that ends where it ends. */
#include "fake_device.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { MOST = 4096, PAGE = 4096, ALIGN = 16, FRESH = 0xA5 };

static struct allocation {
  uint64_t address;
  size_t bytes, mapped;
  unsigned char *pages;
  int device;
} allocations[MOST];
static size_t allocation_count, used[FAKE_DEVICES], most_used[FAKE_DEVICES];

static struct pin {
  unsigned char *data;
  size_t bytes;
} pins[MOST];
static size_t pin_count;

size_t fake_memory_size(void)
{
  const char *text = getenv("TWINCUBE_FAKE_MEMORY");
  return text ? strtoull(text, NULL, 10) : (size_t)1 << 30;
}

static bool is_refused(size_t bytes)
{
  const char *text = getenv("TWINCUBE_FAKE_REFUSE");
  return text && strtoull(text, NULL, 10) == bytes;
}

uint64_t fake_alloc(int device, size_t bytes)
{
  const size_t room = (bytes + ALIGN - 1) / ALIGN * ALIGN, mapped = (room + PAGE - 1) / PAGE * PAGE + PAGE;
  if (bytes == 0 || allocation_count == MOST)
    fake_fail("an allocation of %zu bytes, the %zuth", bytes, allocation_count);
  if (bytes > fake_memory_size() - used[device] || is_refused(bytes))
    return 0;
  unsigned char *pages = mmap(NULL, mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (pages == MAP_FAILED || mprotect(pages + mapped - PAGE, PAGE, PROT_NONE) != 0)
    fake_fail("no memory");
  memset(pages, FRESH, mapped - PAGE);
  used[device] += bytes;
  most_used[device] = used[device] > most_used[device] ? used[device] : most_used[device];
  allocations[allocation_count++] =
      (struct allocation){.address = (uint64_t)(uintptr_t)(pages + mapped - PAGE - room), bytes, mapped, pages, device};
  return allocations[allocation_count - 1].address;
}

static struct allocation *find(uint64_t address)
{
  for (size_t i = 0; i < allocation_count; i++)
    if (address >= allocations[i].address && address < allocations[i].address + allocations[i].bytes)
      return &allocations[i];
  return NULL;
}

/* The addresses are not given again. */
void fake_free(uint64_t address)
{
  struct allocation *found = find(address);
  if (!found || found->address != address)
    fake_fail("%llx is freed, which is not allocated", (unsigned long long)address);
  mprotect(found->pages, found->mapped, PROT_NONE);
  madvise(found->pages, found->mapped, MADV_DONTNEED);
  used[found->device] -= found->bytes;
  *found = allocations[--allocation_count];
}

int fake_device_of(uint64_t address, size_t bytes)
{
  const struct allocation *found = find(address);
  if (!found || bytes > found->address + found->bytes - address)
    fake_fail("%zu bytes at %llx are not memory of a device", bytes, (unsigned long long)address);
  return found->device;
}

size_t fake_used(int device, bool most)
{
  return most ? most_used[device] : used[device];
}

/* ---- the host's -------------------------------------------------------------------------------------------------- */

bool fake_touches_pinned(const void *data)
{
  for (size_t i = 0; i < pin_count; i++)
    if ((const unsigned char *)data >= pins[i].data && (const unsigned char *)data < pins[i].data + pins[i].bytes)
      return true;
  return false;
}

bool fake_is_pinned(const void *data, size_t bytes)
{
  for (size_t i = 0; i < pin_count; i++)
    if ((const unsigned char *)data >= pins[i].data &&
        (const unsigned char *)data + bytes <= pins[i].data + pins[i].bytes)
      return true;
  return false;
}

bool fake_pin(void *data, size_t bytes)
{
  if (pin_count == MOST || bytes == 0 || fake_touches_pinned(data) ||
      fake_touches_pinned((unsigned char *)data + bytes - 1))
    return false;
  pins[pin_count++] = (struct pin){data, bytes};
  return true;
}

bool fake_unpin(void *data)
{
  for (size_t i = 0; i < pin_count; i++)
    if (pins[i].data == data) {
      pins[i] = pins[--pin_count];
      return true;
    }
  return false;
}

size_t fake_left_behind(void)
{
  return allocation_count + pin_count;
}
