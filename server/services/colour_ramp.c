/* Ramps as key colours at even distances, between which colours are interpolated; no channel is off by more than 11 of
 * 255 levels (jet at its corners), mostly by less than 4.
 *
 * Sources: viridis, plasma, inferno, magma: N. Smith and S. van der Walt (CC0); cividis: J. Nuñez, C. Anderton,
 * R. Renslow; turbo: A. Mikhailov; names with capitals: C. Brewer's ColorBrewer; the others are old formulas. */
#include "server/services/colour_ramp.h"

#include <string.h>

struct ramp {
  const char *name, *keys; /* six hexadecimal digits a key */
};

/* clang-format off */
static const struct ramp ramps[] = {
    {"Blues",
     "f7fbffdeebf7c6dbef9dcae16aaed64191c62070b408509b08306b"},
    {"BrBG",
     "5430058b500abf812ddec17bf6e8c3f4f5f5c7eae57fccc035978f01655d003c30"},
    {"BuGn",
     "f7fcfde5f5f9ccece698d8c965c2a340ad75228a44006c2c00441b"},
    {"GnBu",
     "f7fcf0e0f3dbccebc5a7ddb57accc44db2d32a8bbe0867ab084081"},
    {"Greens",
     "f7fcf5e5f5e0c7e9c0a0d99b73c47640aa5d228a44006c2c00441b"},
    {"Greys",
     "fffffff0f0f0d9d9d9bdbdbd959595727272515151242424000000"},
    {"Oranges",
     "fff5ebfee6cefdd0a2fdae6afd8c3bf16813d84801a536037f2704"},
    {"PRGn",
     "40004b7529829970abc1a4cee7d4e8f6f7f6d9f0d3a5da9f5aae611a773600441b"},
    {"PiYG",
     "8e0152c41a7cde77aef1b5d9fde0eff7f7f6e6f5d0b7e0857fbc414c9121276419"},
    {"PuBu",
     "fff7fbece7f2d0d1e6a5bddb73a9cf358fc0056faf04598c023858"},
    {"PuOr",
     "7f3b08b25706e08214fcb761fee0b6f6f6f7d8daebb1aad18073ac5326872d004b"},
    {"Purples",
     "fcfbfdefedf5dadaebbcbddc9e9ac8807cba6950a353268f3f007d"},
    {"RdBu",
     "67001fb1182bd6604df3a481fddbc7f6f7f7d1e5f090c4dd4393c32065ab053061"},
    {"RdYlBu",
     "a50026d62f27f46d43fdad60fee090feffc0e0f3f8aad8e974add14574b3313695"},
    {"RdYlGn",
     "a50026d62f27f46d43fdad60fee08bfeffbed9ef8ba5d86a66bd63199750006837"},
    {"Reds",
     "fff5f0fee0d2fcbba1fc9272fb694aee3a2cca181da30f1567000d"},
    {"Spectral",
     "9e0142d43d4ff46d43fdad60fee08bffffbee6f598aadca466c2a53387bc5e4fa2"},
    {"YlGn",
     "ffffe5f7fcb9d9f0a3acdd8e77c67940aa5c228343006737004529"},
    {"YlGnBu",
     "ffffd9edf8b1c6e9b47ecdbb40b5c41d90c0225da8243392081d58"},
    {"YlOrBr",
     "ffffe5fff7bcfee390fec34ffe9829eb6f14cb4b02983404662506"},
    {"YlOrRd",
     "ffffccffeda0fed976feb24cfd8c3cfc4d2ae2191cbb0026800026"},
    {"bone",
     "0000001c1c2738384e545574707b908ca2aca9c8c8d5e4e4ffffff"},
    {"cividis",
     "00224e002e6a1a386f32436d434e6c535a6d61656f6f70737d7c788c88789b9476aba072bcae6ccdbb63"
     "dec958f0d846fee838"},
    {"coolwarm",
     "3b4cc04e68d86282ea779af78db0fea3c2feb9d0f9ccd9eddddcdcecd3c5f5c4acf7b093f4987aeb7d62"
     "dd5f4bca3b37b40426"},
    {"gray",
     "000000ffffff"},
    {"hot",
     "0b00002000003500004a00005f00007400008900009e0000b30000c80000dd0000f20000ff0800ff1d00"
     "ff3200ff4700ff5c00ff7100ff8600ff9b00ffb000ffc500ffda00ffef00ffff07ffff26ffff46ffff65"
     "ffff85ffffa4ffffc4ffffe3ffffff"},
    {"inferno",
     "0000040b0724210c4a3d096557106e71196e8a226aa32c61bc3754d24644e45a31f1731df98e09fcac11"
     "f9cb35f2ea69fcffa4"},
    {"jet",
     "0000800000a40000c80000ed0000ff0020ff0040ff0060ff0080ff00a0ff00c0ff00e0fb16ffe130ffc7"
     "49ffad63ff947dff7a97ff60b1ff46caff2ce4ff13feed00ffd000ffb200ff9400ff7700ff5900ff3b00"
     "ff1e00e80000c400009f0000800000"},
    {"magma",
     "0000040a08221d114736106b51127c6a1c818326819c2e7fb73779d0416fe75263f56b5cfc8961fea772"
     "fec488fde2a3fcfdbf"},
    {"ocean",
     "00800000601500402a00204000005500206a0040800060950080aa42a0c081c0d5c0e0eaffffff"},
    {"plasma",
     "0d08873105974c02a16600a77e03a89511a1aa2395bc3587cc4778da5a6ae66c5cf0804ef89540fdac33"
     "fdc527f8df25f0f921"},
    {"rainbow",
     "8000ff5641fd2c7ef700b5eb2adddd54f6cb80ffb4abf69bd4dd80ffb360ff7e41ff4121ff0000"},
    {"terrain",
     "3333992353b91276dc0098fe00b2b201cc6631d67065e07a99eb85cdf58ffefe98e6df8bccbe7db29c6f"
     "987b61815e56997c76b39e99cdbfbce7e0dfffffff"},
    {"turbo",
     "30123b4040a2466be34294ff28bceb18ddc232f2986dfe62a4fc3ccdec34eecf3afdac34fb7e21eb500e"
     "d02f05a916017a0403"},
    {"viridis",
     "44015448186a472d7b4240863b528b33638d2c728e26828e21918c1fa08828ae803fbc735ec96284d44b"
     "addc30d8e219fde725"},
};
/* clang-format on */
enum { RAMPS = sizeof ramps / sizeof ramps[0] };

static int digit(char c)
{
  if (c >= '0' && c <= '9')
    return c - '0';
  c = (char)(c | 0x20);
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Two digits; -1 where they are none. */
static int byte(const char *text)
{
  const int high = digit(text[0]), low = high < 0 ? -1 : digit(text[1]);
  return low < 0 ? -1 : high * 16 + low;
}

bool colour_parse(const char *text, struct colour *out)
{
  const size_t length = strlen(text);
  int parts[4] = {0, 0, 0, 255};
  if (text[0] != '#' || (length != 7 && length != 9))
    return false;
  for (size_t i = 0; 2 * i + 2 < length; i++)
    if ((parts[i] = byte(text + 1 + 2 * i)) < 0)
      return false;
  *out = (struct colour){(unsigned char)parts[0], (unsigned char)parts[1], (unsigned char)parts[2],
                         (unsigned char)parts[3]};
  return true;
}

const char *colour_ramp_name(size_t i)
{
  return i < RAMPS ? ramps[i].name : NULL;
}

static const struct ramp *find(const char *name, size_t length)
{
  for (size_t i = 0; i < RAMPS; i++)
    if (strlen(ramps[i].name) == length && memcmp(ramps[i].name, name, length) == 0)
      return &ramps[i];
  return NULL;
}

static unsigned char between(const char *a, const char *b, double share)
{
  return (unsigned char)(byte(a) + share * (byte(b) - byte(a)) + 0.5);
}

/* The colour at `at` keys from the first one. */
static struct colour colour_at(const struct ramp *ramp, double at)
{
  const size_t last = strlen(ramp->keys) / 6 - 1, key = (size_t)at < last ? (size_t)at : last - 1;
  const char *a = ramp->keys + 6 * key, *b = a + 6;
  const double share = at - (double)key;
  return (struct colour){between(a, b, share), between(a + 2, b + 2, share), between(a + 4, b + 4, share), 255};
}

bool colour_ramp(const char *name, struct colour *out, size_t count)
{
  size_t length = strlen(name);
  const bool turned = length > 2 && strcmp(name + length - 2, "_r") == 0;
  const struct ramp *ramp = find(name, turned ? length - 2 : length);
  if (ramp == NULL)
    return false;
  const double keys = (double)(strlen(ramp->keys) / 6 - 1);
  for (size_t i = 0; i < count; i++) {
    const size_t from = turned ? count - 1 - i : i;
    out[i] = colour_at(ramp, keys * (double)from / (double)(count - 1));
  }
  return true;
}
