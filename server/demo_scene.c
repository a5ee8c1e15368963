/* The landscape: value noise makes hills and clouds, the nearest of jittered points makes fields.
 *
 *   reflectance = light * (cover * vegetation + (1 - cover) * soil)      cover(day): rise and fall of two logistics
 *
 * Spectra are typical values by eye, not measurements. */
#include "server/demo_scene.h"

#include <math.h>
#include <stdlib.h>

enum { FIELD_SIZE = 26, SPECTRAL_BANDS = 4 };

static const uint64_t seed = 20240114;

/* Hash of three integers, uniform in [0, 1): the finaliser of splitmix64 applied along them. */
static double hash3(int64_t a, int64_t b, int64_t c)
{
  const int64_t words[] = {a, b, c};
  uint64_t h = seed;
  for (size_t i = 0; i < 3; i++) {
    h += UINT64_C(0x9E3779B97F4A7C15) + (uint64_t)words[i];
    h = (h ^ (h >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    h = (h ^ (h >> 27)) * UINT64_C(0x94D049BB133111EB);
    h ^= h >> 31;
  }
  return (double)(h >> 11) * 0x1p-53;
}

static double smooth(double t)
{
  return t * t * (3 - 2 * t);
}

/* Value noise: random numbers at integer points, blended smoothly between them. */
static double value_noise(double x, double y, int64_t layer)
{
  double cell_x = floor(x), cell_y = floor(y);
  double u = smooth(x - cell_x), v = smooth(y - cell_y);
  int64_t i = (int64_t)cell_x, j = (int64_t)cell_y;
  double north = hash3(i, j, layer) * (1 - u) + hash3(i + 1, j, layer) * u;
  double south = hash3(i, j + 1, layer) * (1 - u) + hash3(i + 1, j + 1, layer) * u;
  return north * (1 - v) + south * v;
}

/* Octaves of value noise, 0 … 1. */
static double fractal(double x, double y, int64_t layer, int octaves)
{
  double sum = 0, weight = 0.5, total = 0;
  for (int i = 0; i < octaves; i++) {
    sum += weight * value_noise(x, y, layer * 16 + i);
    total += weight;
    x *= 2;
    y *= 2;
    weight /= 2;
  }
  return sum / total;
}

/* ---- what grows ---- */

enum cover { COVER_CEREAL, COVER_RAPESEED, COVER_MAIZE, COVER_BEET, COVER_MEADOW, COVER_WOOD, COVER_PATH, COVER_WATER };

struct phenology { /* part of the ground that is green: low, up to high around day rise, down again around day fall */
  double low, high, rise, rise_days, fall, fall_days;
};

static const struct phenology phenologies[] = {
    [COVER_CEREAL] = {0.12, 0.92, 98, 12, 186, 6},  [COVER_RAPESEED] = {0.25, 0.90, 82, 12, 192, 8},
    [COVER_MAIZE] = {0.03, 0.93, 168, 9, 262, 7},   [COVER_BEET] = {0.03, 0.88, 152, 11, 292, 9},
    [COVER_MEADOW] = {0.45, 0.82, 92, 16, 300, 22}, [COVER_WOOD] = {0.40, 0.95, 118, 8, 290, 12},
    [COVER_PATH] = {0.06, 0.10, 110, 15, 290, 15},  [COVER_WATER] = {0, 0, 180, 10, 200, 10},
};

static double green_part(enum cover cover, double day)
{
  const struct phenology *p = &phenologies[cover];
  double up = 1 / (1 + exp((p->rise - day) / p->rise_days));
  double down = 1 / (1 + exp((p->fall - day) / p->fall_days));
  return p->low + (p->high - p->low) * fmax(0, up - down);
}

static const double soil[SPECTRAL_BANDS] = {0.075, 0.105, 0.145, 0.230};
static const double leaf[SPECTRAL_BANDS] = {0.024, 0.060, 0.030, 0.430};
static const double needle[SPECTRAL_BANDS] = {0.018, 0.036, 0.022, 0.290};
static const double water[SPECTRAL_BANDS] = {0.052, 0.045, 0.028, 0.014};
static const double cloud[SPECTRAL_BANDS] = {0.640, 0.625, 0.610, 0.650};

/* ---- the landscape ---- */

struct ground {
  double light; /* slope towards the sun, around 1 */
  double soil;  /* brightness of the soil, around 1 */
  double delay; /* days by which the field is late */
  enum cover cover;
};

struct demo_landscape {
  struct ground at[DEMO_HEIGHT][DEMO_WIDTH];
};

struct field {
  int64_t i, j;  /* cell of its point */
  double border; /* pixels to the border between it and the next field, roughly */
};

/* The field of a place: the nearest of the jittered points, and how much nearer it is than the next. */
static struct field field_at(double x, double y)
{
  int64_t ci = (int64_t)floor(x / FIELD_SIZE), cj = (int64_t)floor(y / FIELD_SIZE);
  struct field found = {ci, cj, 0};
  double first = HUGE_VAL, second = HUGE_VAL;
  for (int64_t j = cj - 2; j <= cj + 2; j++)
    for (int64_t i = ci - 2; i <= ci + 2; i++) {
      double px = ((double)i + 0.15 + 0.7 * hash3(i, j, 1)) * FIELD_SIZE;
      double py = ((double)j + 0.15 + 0.7 * hash3(i, j, 2)) * FIELD_SIZE;
      double distance = fmax(fabs(x - px), fabs(y - py)) + 0.35 * hypot(x - px, y - py);
      if (distance < first) {
        second = first;
        first = distance;
        found = (struct field){i, j, 0};
      } else if (distance < second) {
        second = distance;
      }
    }
  found.border = second - first;
  return found;
}

static double elevation(double x, double y)
{
  return fractal(x / 210, y / 210, 3, 5);
}

static enum cover crop_of(const struct field *field)
{
  double lot = hash3(field->i, field->j, 4);
  return lot < 0.30   ? COVER_CEREAL
         : lot < 0.42 ? COVER_RAPESEED
         : lot < 0.66 ? COVER_MAIZE
         : lot < 0.76 ? COVER_BEET
                      : COVER_MEADOW;
}

static enum cover cover_at(double x, double y, const struct field *field)
{
  double river = 205 + 60 * sin(x / 95) + 26 * sin(x / 37 + 1.3);
  if (fabs(y - river) < 4.5 + 2 * fractal(x / 40, 0.5, 6, 2) || elevation(x, y) < 0.235)
    return COVER_WATER;
  if (fractal(x / 90, y / 90, 5, 4) > 0.63 || fabs(y - river) < 11)
    return COVER_WOOD;
  return field->border < 1.1 ? COVER_PATH : crop_of(field);
}

static struct ground ground_at(size_t column, size_t row)
{
  double x = (double)column, y = (double)row;
  /* Bent coordinates, so that borders are not quite straight. */
  double bent_x = x + 10 * (fractal(x / 60, y / 60, 7, 3) - 0.5),
         bent_y = y + 10 * (fractal(x / 60, y / 60, 8, 3) - 0.5);
  struct field field = field_at(bent_x, bent_y);
  double slope = elevation(x + 1, y + 1) - elevation(x - 1, y - 1);
  struct ground ground = {.light = 1 + 9 * slope,
                          .soil = 0.9 + 0.25 * fractal(x / 18, y / 18, 10, 3),
                          .delay = 10 * (fractal(x / 30, y / 30, 12, 3) - 0.5),
                          .cover = cover_at(x, y, &field)};
  if (ground.cover != COVER_WOOD) { /* each farmer has another soil and another calendar */
    ground.soil += 0.3 * hash3(field.i, field.j, 9) - 0.1;
    ground.delay += 14 * (hash3(field.i, field.j, 11) - 0.5);
  }
  return ground;
}

struct demo_landscape *demo_landscape_new(void)
{
  struct demo_landscape *landscape = malloc(sizeof *landscape);
  if (!landscape)
    return NULL;
  for (size_t row = 0; row < DEMO_HEIGHT; row++)
    for (size_t column = 0; column < DEMO_WIDTH; column++)
      landscape->at[row][column] = ground_at(column, row);
  return landscape;
}

void demo_landscape_free(struct demo_landscape *landscape)
{
  free(landscape);
}

/* ---- one date ---- */

static void ground_reflectance(const struct ground *ground, int day, double out[SPECTRAL_BANDS])
{
  double green = green_part(ground->cover, day - ground->delay);
  const double *plant = ground->cover == COVER_WOOD ? needle : leaf;
  for (size_t b = 0; b < SPECTRAL_BANDS; b++)
    out[b] = ground->cover == COVER_WATER ? water[b]
                                          : ground->light * (green * plant[b] + (1 - green) * soil[b] * ground->soil);
}

/* Thickness of the cloud over a place: 0 none, 1 and above opaque. */
static double cloud_at(const struct demo_scene *scene, double x, double y)
{
  double field = fractal(x / 120, y / 120, 1000 + scene->day_of_year, 5);
  double threshold = 0.78 - 0.56 * scene->cloudiness;
  return fmax(0, (field - threshold) / 0.06);
}

static enum demo_class classify(const struct ground *ground, double cloudy, double shadow, double green)
{
  if (cloudy > 0)
    return cloudy >= 1 ? CLASS_CLOUD : CLASS_CLOUD_THIN;
  if (shadow > 0)
    return CLASS_SHADOW;
  if (ground->cover == COVER_WATER)
    return CLASS_WATER;
  return green > 0.35 ? CLASS_VEGETATION : CLASS_BARE;
}

void demo_pixel(const struct demo_landscape *landscape, const struct demo_scene *scene, size_t column, size_t row,
                uint16_t out[DEMO_BAND_COUNT])
{
  double x = (double)column, y = (double)row, reflectance[SPECTRAL_BANDS];
  for (size_t b = 0; b < DEMO_BAND_COUNT; b++)
    out[b] = 0;
  if (x + 0.21 * y > scene->swath_edge)
    return;
  const struct ground *ground = &landscape->at[row][column];
  double cloudy = cloud_at(scene, x, y), shadow = cloud_at(scene, x + 9, y + 16);
  ground_reflectance(ground, scene->day_of_year, reflectance);
  double part = fmin(1, cloudy), light = 1 - 0.55 * fmin(1, shadow);
  for (size_t b = 0; b < SPECTRAL_BANDS; b++) {
    double seen = part * cloud[b] * (0.9 + 0.05 * fmin(cloudy, 4)) + (1 - part) * light * reflectance[b];
    double noise =
        hash3((int64_t)(row * DEMO_WIDTH + column), (int64_t)b * 1000 + scene->day_of_year, 50 + scene->tile);
    out[b] = (uint16_t)fmax(1, fmin(10000, 10000 * seen + 40 * (noise - 0.5)));
  }
  out[DEMO_QA] = classify(ground, cloudy, shadow, green_part(ground->cover, scene->day_of_year - ground->delay));
}
