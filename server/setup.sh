# Sourced by server/run and tests/run: what they share. Debian packages, sudo where it is needed, the build.

build_packages="cmake ninja-build gcc libc6-dev pkg-config libgdal-dev libproj-dev libnetcdf-dev libhdf5-dev
  libblosc-dev libmicrohttpd-dev libjansson-dev libsqlite3-dev libpq-dev libsodium-dev libdeflate-dev libzstd-dev
  zlib1g-dev libbrotli-dev libcurl4-gnutls-dev libssl-dev libgnutls28-dev libexpat1-dev libeccodes-dev"

# What users' scripts are run with (run_udf).
script_packages="python3-numpy python3-pandas python3-xarray"

say() {
  printf '%s\n' "$*" >&2
}

as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}

is_installed() { # package
  [ "$(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

# Installs those of the packages that are missing; asks nothing, does nothing when all are there.
need_packages() { # package...
  local package missing=()
  if ! command -v dpkg-query >/dev/null; then
    say "This is no Debian: taking for granted that these, or their like, are installed: $*"
    return 0
  fi
  for package in "$@"; do
    is_installed "$package" || missing+=("$package")
  done
  [ ${#missing[@]} -gt 0 ] || return 0
  if [ "$(id -u)" != 0 ] && ! command -v sudo >/dev/null; then
    say "Neither root nor sudo. As root, run: apt-get install ${missing[*]}"
    return 1
  fi
  say "Installing ${missing[*]}"
  as_root apt-get update -q </dev/null >&2
  as_root env DEBIAN_FRONTEND=noninteractive \
    apt-get install -q -y --no-install-recommends "${missing[@]}" </dev/null >&2
}

# Configures, then builds what has changed: the targets named in the third argument. Further ones go to cmake.
build() { # source, build folder, targets, cmake argument...
  local source=$1 folder=$2 targets=$3 generator=()
  shift 3
  [ -e "$folder/CMakeCache.txt" ] || generator=(-G Ninja)
  cmake -S "$source" -B "$folder" "${generator[@]}" "$@" >&2
  # shellcheck disable=SC2086
  cmake --build "$folder" --parallel "$(nproc)" --target $targets >&2
}
