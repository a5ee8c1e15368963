/* Ramps as key colours at even distances, between which colours are interpolated; no channel is off by more than 3 of
 * 255 levels (gnuplot 5 and nipy_spectral 6, at their corners).
 *
 * Sources: viridis, plasma, inferno, magma: N. Smith and S. van der Walt (CC0); cividis: J. Nuñez, C. Anderton,
 * R. Renslow; turbo: A. Mikhailov; twilight: B. Bechtold (CC0); CMRmap: C. Rappaport; cubehelix: D. Green; coolwarm:
 * K. Moreland; names with capitals: C. Brewer's ColorBrewer; the others are old formulas. */
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
    {"BuPu",
     "f7fcfde0ecf4bfd3e69ebcda8c95c68c6ab188409c800f7b4d004b"},
    {"CMRmap",
     "0000000707180e0e3017174c1e1e642626802e268c3526983d26a64426b24d26bf5c29b36a2ba77b2e9989308d9a337ead366e"
     "c1385dd73b49ea3d38ff4126fa4d1ef55917ef670feb7308e68100e68d05e6990ae6a710e6b314e6c01ce6c72fe6cf42e6d759"
     "e6de6ce6e683ebeb9bf0f0b3f5f5cffafae7ffffff"},
    {"GnBu",
     "f7fcf0e0f3dbccebc5a7ddb57accc44db2d32a8bbe0867ab084081"},
    {"Greens",
     "f7fcf5e5f5e0c7e9c0a0d99b73c47640aa5d228a44006c2c00441b"},
    {"Greys",
     "fffffff0f0f0d9d9d9bdbdbd959595727272515151242424000000"},
    {"OrRd",
     "fff7ecfee8c8fdd49efdba83fc8c59ef6447d62f1eb200007f0000"},
    {"Oranges",
     "fff5ebfee6cefdd0a2fdae6afd8c3bf16813d84801a536037f2704"},
    {"PRGn",
     "40004b7529829970abc1a4cee7d4e8f6f7f6d9f0d3a5da9f5aae611a773600441b"},
    {"PiYG",
     "8e0152c41a7cde77aef1b5d9fde0eff7f7f6e6f5d0b7e0857fbc414c9121276419"},
    {"PuBu",
     "fff7fbece7f2d0d1e6a5bddb73a9cf358fc0056faf04598c023858"},
    {"PuBuGn",
     "fff7fbece2f0d0d1e6a5bddb66a9cf3590bf028189016b58014636"},
    {"PuOr",
     "7f3b08b25706e08214fcb761fee0b6f6f6f7d8daebb1aad18073ac5326872d004b"},
    {"PuRd",
     "f7f4f9e7e1efd4b9dac993c7df64afe72989cd125697004267001f"},
    {"Purples",
     "fcfbfdefedf5dadaebbcbddc9e9ac8807cba6950a353268f3f007d"},
    {"RdBu",
     "67001fb1182bd6604df3a481fddbc7f6f7f7d1e5f090c4dd4393c32065ab053061"},
    {"RdGy",
     "67001fb1182bd6604df3a481fddbc7fefefee0e0e0b9b9b98787874c4c4c1a1a1a"},
    {"RdPu",
     "fff7f3fde0ddfcc5c0fa9eb5f767a1dc3397ad017e79017749006a"},
    {"RdYlBu",
     "a50026d62f27f46d43fdad60fee090feffc0e0f3f8aad8e974add14574b3313695"},
    {"RdYlGn",
     "a50026d62f27f46d43fdad60fee08bfeffbed9ef8ba5d86a66bd63199750006837"},
    {"Reds",
     "fff5f0fee0d2fcbba1fc9272fb694aee3a2cca181da30f1567000d"},
    {"Spectral",
     "9e0142d43d4ff46d43fdad60fee08bffffbee6f598aadca466c2a53387bc5e4fa2"},
    {"Wistia",
     "e4ff7affe81affbd00ffa000fc7f00"},
    {"YlGn",
     "ffffe5f7fcb9d9f0a3acdd8e77c67940aa5c228343006737004529"},
    {"YlGnBu",
     "ffffd9edf8b1c6e9b47ecdbb40b5c41d90c0225da8243392081d58"},
    {"YlOrBr",
     "ffffe5fff7bcfee390fec34ffe9829eb6f14cb4b02983404662506"},
    {"YlOrRd",
     "ffffccffeda0fed976feb24cfd8c3cfc4d2ae2191cbb0026800026"},
    {"afmhot",
     "000000800000ff8001ffff81ffffff"},
    {"autumn",
     "ff0000ffff00"},
    {"binary",
     "ffffff000000"},
    {"bone",
     "0000001c1c2738384e545574707b908ca2aca9c8c8d5e4e4ffffff"},
    {"brg",
     "0000fffe010000ff00"},
    {"bwr",
     "0000fffffefeff0000"},
    {"cividis",
     "00224e00255300275800295d002b62002d68002f6d0031700533710f35701637701c396f213b6e263d6e2a3f6d2e416d32436d"
     "35456c39486c3c4a6c3f4c6c424e6c45506c48526c4b546c4e566c51586d545a6d565c6d595e6e5c616e5e636f61656f646770"
     "666970696b716c6d726e6f737172747374757676767878777b7a787e7c78807f788381798683798985788c88788f8a78928c78"
     "948e779791779a93769d9576a09875a39a74a69c74a99f73aca172afa471b3a670b6a96fb9ab6dbcae6cbfb06bc2b369c5b568"
     "c8b866ccba64cfbd62d2c060d5c25ed9c55cdcc859dfca57e2cd54e6d051e9d34eedd54af0d846f3db42f7de3efbe138fee434"
     "fee838"},
    {"cool",
     "00ffffff00ff"},
    {"coolwarm",
     "3b4cc04055c8465ecf4c66d6536edd5977e35f7fe86687ed6c8ff17396f57a9df881a4fb88abfd8fb1fe96b7ff9dbdffa3c2fe"
     "aac7fdb1cbfcb7cff9bed2f6c4d5f3cad8efcfdaead5dbe5dadce0dfdbd9e4d9d2e9d5cbedd2c3f0cdbbf2c9b4f5c4acf6bea4"
     "f7b89cf7b194f7aa8cf6a385f59c7df39475f08b6eed8366e97a5fe57058e16751dc5d4ad65244d0473dca3b37c32e31bb1b2c"
     "b40426"},
    {"copper",
     "0000003f28197e5033bd784cfc9f65ffc77f"},
    {"cubehelix",
     "0000000f0611180f251b1b38192a46163d4e154e4d195e47256b3d3a753354792f727b32907a3eae7956c37a73d07e93d487b2"
     "d295d0cca6e4c5b8efc1caf3c4dcf2cce9efdbf3efedfaf4ffffff"},
    {"gist_gray",
     "000000ffffff"},
    {"gist_heat",
     "0000002000003f00006000008000009f0000c00100e02b00ff5500ff8103ffab57ffd5abffffff"},
    {"gist_rainbow",
     "ff0029ff001eff0013ff0009ff0200ff0d00ff1800ff2200ff2d00ff3800ff4300ff4e00ff5800ff6300ff6e00ff7900ff8400"
     "ff8e00ff9900ffa400ffaf00ffba00ffc400ffcf00ffda00ffe500fff000fffb00f9ff00eeff00e3ff00d8ff00cdff00c3ff00"
     "b8ff00adff00a2ff0097ff008dff0082ff0077ff006cff0061ff0056ff004cff0041ff0036ff002bff0020ff0016ff000bff00"
     "00ff0000ff0b00ff1600ff2000ff2b00ff3600ff4100ff4b00ff5600ff6100ff6c00ff7600ff8100ff9100ff9c00ffa700ffb1"
     "00ffbc00ffc700ffd200ffdc00ffe700fff200fffd00f6ff00ecff00e1ff00d6ff00cbff00c0ff00b5ff00aaff00a0ff0095ff"
     "008aff007fff0074ff0069ff005eff0053ff0049ff003eff0033ff0028ff001dff0012ff0007ff0400ff0e00ff1900ff2400ff"
     "2f00ff3a00ff4500ff5000ff5a00ff6500ff7000ff7b00ff8600ff9100ff9c00ffa700ffb100ffbc00ffc700ffd200ffdd00ff"
     "e800fff300fffe00ffff00f6ff00ebff00e0ff00d5ff00caff00bf"},
    {"gist_yarg",
     "ffffff000000"},
    {"gnuplot",
     "00000017000d2000192700262d003232003e37004a3c005640006244006d4700794b00844e008e5100985400a25700ac5a01b5"
     "5d01be6001c66201cd6501d56701db6a01e16c01e76f02ec7102f17302f47502f87703fa7a03fc7c03fe7e04ff8004ff8204ff"
     "8405fe8605fc8706fa8906f78b07f38d07ef8f08eb9108e69209e0940ada960ad3970bcb990cc49b0dbb9c0eb39e0ea9a00fa0"
     "a11096a3118ca41281a61376a7146ba9165faa1753ac1847ad193baf1b2fb01c22b21d16b31f09b52100b72300b82400ba2600"
     "bb2800bc2900be2b00bf2d00c02f00c23100c33300c43500c63700c73900c83c00c93e00cb4000cc4300cd4500ce4800d04a00"
     "d14d00d25000d35200d45500d65800d75b00d85e00d96100da6500dc6800dd6b00de6f00df7200e07600e17900e27d00e48100"
     "e58400e68800e78c00e89000e99500ea9900eb9d00eca200eda600eeab00f0af00f1b400f2b900f3be00f4c300f5c800f6cd00"
     "f7d200f8d700f9dd00fae200fbe800fced00fdf300fef900ffff00"},
    {"gnuplot2",
     "000000000008000010000018000020000028000030000038000040000048000050000058000060000068000070000078000080"
     "0000880000900000980000a00000a80000b00000b80000c00000c80000d00000d80000e00000e80000f00000f80100ff0700ff"
     "0d00ff1400ff1a00ff2000ff2600ff2d00ff3300ff3900ff3f00ff4600ff4c00ff5200ff5800ff5f00ff6500ff6b00ff7100ff"
     "7800ff7e00ff8400ff8a02fd9106f9970af59d0ef1a312edaa16e9b01ae5b61ee1bc22ddc326d9cc2cd3d230cfd834cbdf38c7"
     "e53cc3eb40bff144bbf848b7fe4cb3ff50afff54abff58a7ff5ca3ff609fff649bff6897ff6c93ff708fff748bff7887ff7c83"
     "ff807fff847bff8877ff8c73ff906fff946bff9867ff9c63ffa05fffa45bffa857ffac53ffb04fffb44bffb847ffbc43ffc03f"
     "ffc43bffc837ffcc33ffd02fffd42bffd827ffdc23ffe01fffe41bffe817ffec13fff00ffff40bfff807fffc03ffff05ffff1e"
     "ffff37ffff50ffff69ffff82ffff9bffffb4ffffcdffffe6ffffff"},
    {"gray",
     "000000ffffff"},
    {"grey",
     "000000ffffff"},
    {"hot",
     "0b00001200001a00002200002a00003200003a00004200004a0000510000590000610000690000710000790000810000890000"
     "900000980000a00000a80000b00000b80000c00000c80000cf0000d70000df0000e70000ef0000f70000ff0000ff0800ff1000"
     "ff1700ff1f00ff2700ff2f00ff3700ff3f00ff4700ff4f00ff5600ff5e00ff6600ff6e00ff7600ff7e00ff8600ff8e00ff9500"
     "ff9d00ffa500ffad00ffb500ffbd00ffc500ffcc00ffd400ffdc00ffe400ffec00fff400fffc00ffff07ffff13ffff1fffff2a"
     "ffff36ffff42ffff4effff5affff65ffff71ffff7dffff89ffff95ffffa0ffffacffffb8ffffc4ffffd0ffffdcffffe7fffff3"
     "ffffff"},
    {"hsv",
     "ff0000ff0c00ff1800ff2300ff2f00ff3b00ff4700ff5300ff5f00ff6a00ff7600ff8200ff8e00ff9a00ffa500ffb100ffbd00"
     "ffc900ffd500ffe000ffec00fcf500f8fd00eeff00e2ff00d7ff00cbff00bfff00b3ff00a7ff009cff0090ff0084ff0078ff00"
     "6cff0061ff0055ff0049ff003dff0031ff0025ff001aff000eff0006ff0402ff0c00ff1600ff2100ff2d00ff3900ff4500ff51"
     "00ff5c00ff6800ff7400ff8000ff8c00ff9700ffa300ffaf00ffbb00ffc700ffd300ffde00ffea00fffc00f6ff00eaff00dfff"
     "00d3ff00c7ff00bbff00afff00a4ff0098ff008cff0080ff0074ff0069ff005dff0051ff0045ff0039ff002dff0022ff0016ff"
     "020cff0604ff0e00ff1900ff2500ff3100ff3d00ff4900ff5400ff6000ff6c00ff7800ff8400ff9000ff9b00ffa700ffb300ff"
     "bf00ffcb00ffd600ffe200ffee00fff800fdfc00f5ff00edff00e1ff00d5ff00c9ff00bdff00b1ff00a6ff009aff008eff0082"
     "ff0076ff006bff005fff0053ff0047ff003bff0030ff0024ff0018"},
    {"inferno",
     "00000405041710092d1e0c452f0a5b420a68520e6d62146e721a6e84206b932667a32c61b3325ac33b4fd04545dd513ae75e2e"
     "f06f20f68013fa9207fca50afbba1ff8cd37f4e156f2f27dfcffa4"},
    {"jet",
     "00008000008d00009b0000a80000b60000c40000d10000df0000ed0000fa0000ff0004ff0010ff001cff0028ff0034ff0040ff"
     "004cff0058ff0064ff0070ff007cff0088ff0094ff00a0ff00acff00b8ff00c4ff00d0ff00dcfe02e8f40cf4eb16ffe11fffd7"
     "29ffce33ffc43cffba46ffb150ffa75aff9d63ff946dff8a77ff8080ff778aff6d94ff639dff5aa7ff50b1ff46baff3cc4ff33"
     "ceff29d7ff1fe1ff16ebff0cf4f802feed00ffe200ffd700ffcc00ffc100ffb600ffab00ff9f00ff9400ff8900ff7e00ff7300"
     "ff6800ff5d00ff5200ff4700ff3b00ff3000ff2500ff1a00fa0f00ed0400df0000d10000c40000b60000a800009b00008d0000"
     "800000"},
    {"magma",
     "0000040a08221d114736106b51127c6a1c818326819c2e7fb73779d0416fe75263f56b5cfc8961fea772fec488fde2a3fcfdbf"},
    {"nipy_spectral",
     "00000013001525002b3800404b00555d006b70008079008a7b008c7e008f81009283009486009783009a6d009c58009f4300a2"
     "2d00a41800a70300aa0000b10000b90000c10000c90000d10000d90009dd001cdd002fdd0041dd0054dd0067dd0078dd007ddd"
     "0082dd0088dd008ddd0092dd0098dd009bd7009ecf00a0c700a3bf00a6b700a8af00aaa800aaa300aa9d00aa9800aa9300aa8d"
     "00aa8800a77300a55d00a248009f33009d1d009a08009c0000a20000a70000ac0000b20000b70000bf0000c40000ca0000cf00"
     "00d40000da0000df0000e40000ea0000ef0000f40000fa0000ff001dff003bff0058ff0075ff0093ff00b0ff00c0fd00c8fb00"
     "d0f800d8f500e0f300e8f000efed00f1e700f4e200f7dd00f9d700fcd200ffcd00ffc500ffbd00ffb500ffad00ffa500ff9d00"
     "ff8d00ff7500ff5d00ff4500ff2d00ff1500fe0000f90000f40000ee0000e90000e40000de0000db0000d80000d60000d30000"
     "d00000ce0000cc0c0ccc2c2ccc4c4ccc6c6ccc8c8cccacaccccccc"},
    {"ocean",
     "00800000402a0000550040800080aa81c0d5ffffff"},
    {"pink",
     "1e0000351d1d4529295232325e3a3a684141714747794d4d8152528857578f5c5c9661619c6565a36969a96d6dae7171b47575"
     "b97878be7c7cc2817fc58882c78f86c99689cb9c8ccda28fcfa892d1ae95d3b497d5b99ad7be9dd9c3a0dbc8a2ddcda5dfd2a7"
     "e1d7aae3dbace5e0afe6e4b1e8e8b4eaeabaececc1eeeec7f0f0cef1f1d4f3f3daf5f5dff7f7e5f8f8eafafaf0fcfcf5fdfdfa"
     "ffffff"},
    {"plasma",
     "0d08871d068e2a059337049941049d4c02a15601a46001a66a00a87401a87e03a88707a68f0da499159fa11b9baa2395b12a90"
     "b7318abf3984c5407ecc4778d14e72d6556ddc5d67e16462e66c5cea7457ee7b51f2844bf58c46f89540fa9e3bfca636fdb130"
     "feba2cfdc527fcce25fad824f7e425f3ee27f0f921"},
    {"rainbow",
     "8000ff5641fd2c7ef700b5eb2adddd54f6cb80ffb4abf69bd4dd80ffb360ff7e41ff4121ff0000"},
    {"seismic",
     "00004c0101fffffdfdfe0000800000"},
    {"spring",
     "ff00ffffff00"},
    {"summer",
     "008066ffff66"},
    {"terrain",
     "3333992353b91276dc0098fe00b2b201cc6631d67065e07a99eb85cdf58ffefe98e6df8bccbe7db29c6f987b61815e56997c76"
     "b39e99cdbfbce7e0dfffffff"},
    {"turbo",
     "30123b36215f3b2f803f3e9c424bb54559cb4666dd4773eb4680f6458cfd4099ff38a5fb2fb2f427bee91fc9dd1ad4d018ddc2"
     "1ae4b622ebaa2ff19b3ff68a52fa7a65fd6979fe598bff4b9cfe40a9fb39b7f735c3f134d0ea34dbe236e5d938eecf3af5c53a"
     "faba39fdae35fea130fe932afc8423f9751df46617ef5811e84b0ce14109d83706ce2d04c32503b71d02a916019b0f018b0902"
     "7a0403"},
    {"twilight",
     "e2d9e2ccd2d8a6bfca85a9c46d90c06276ba5f58b05d3a9e531e7c4012532f143643123e64194b8425509f3c50b25652c0755e"
     "c89477d0b39edbccc8e2d9e2"},
    {"twilight_shifted",
     "301437401253541e7e5d3a9e5f59b16276ba6e91c085a9c4a7c0cbccd2d8e2d9e2dbccc8d0b29cc89477c0745db256529e3b50"
     "84255063184b43123e2f1436"},
    {"viridis",
     "440154471063481d6f472a7a4537814144873c4f8a375a8c32648e2e6f8e2a788e26828e228b8d1f958b1f9f8822a8842cb17e"
     "3bbb754ec36b63cb5f7ad15195d840b0dd2fcae11fe5e419fde725"},
    {"winter",
     "0000ff00ff80"},
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
