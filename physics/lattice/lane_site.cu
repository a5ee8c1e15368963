/* Where a thread of a lattice's kernel is: one thread a site, that is a lane of a block (lattice.h), and fields as they
 * lie on the host. The eight threads of a block read eight numbers that lie together, 64 bytes of doubles or 32 of
 * floats: whole sectors of a device's memory, so nothing is gained by another layout.
 *
 * DIMENSIONS is defined before. Lanes that repeat others do the same as these. */
#define LANES 8
#define CROSSES 0x80000000u
#define EVERY(i, count) _Pragma("unroll") for (u32 i = 0; i < (count); i++)

struct lattice_tables {
  const u32 *link;       /* [block][2 DIMENSIONS], as lattice.h's */
  const u8 *permutation; /* [2 DIMENSIONS][LANES] */
};

struct lane_site {
  u32 block, lane;
};

DEVICE u64 thread_number() { return (u64)blockIdx.x * blockDim.x + threadIdx.x; }

/* The site of thread `number` of those that begin with block `first`. */
DEVICE lane_site site_of(u64 number, u32 first)
{
  return {first + (u32)(number / LANES), (u32)(number % LANES)};
}

/* The neighbour in that direction: 2 k forward along axis k, 2 k + 1 backward. */
DEVICE lane_site step_to(const lattice_tables &tables, lane_site from, u32 direction)
{
  const u32 to = tables.link[(u64)from.block * 2 * DIMENSIONS + direction];
  return {to & ~CROSSES, to & CROSSES ? (u32)tables.permutation[direction * LANES + from.lane] : from.lane};
}

/* to = from, or 0 where there is none. */
SCIENCE_KERNEL(field_copy, const f64 *from, f64 *to, u64 count)
{
  for (u64 i = thread_number(); i < count; i += (u64)gridDim.x * blockDim.x)
    to[i] = from ? from[i] : (f64)0;
}
