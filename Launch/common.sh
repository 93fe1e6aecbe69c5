# shellcheck shell=bash
# What the programs of this folder share: what is missing is installed, the program is built, mpirun is prepared.
# To be sourced, after `set -euo pipefail`.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
export root

say() { printf '\n== %s\n' "$*" >&2; }

# fail WHAT [HINT]
fail() {
  printf 'error: %s\n' "$1" >&2
  if [[ $# -gt 1 ]]; then printf 'hint: %s\n' "$2" >&2; fi
  exit 1
}

has() { command -v "$1" >/dev/null 2>&1; }

# MARK: System packages

as_root() {
  if [[ $(id -u) -eq 0 ]]; then "$@"; else sudo "$@"; fi
}

# package_manager: the first that there is, or nothing
package_manager() {
  local manager
  for manager in apt-get dnf pacman zypper brew; do
    if has "$manager"; then
      echo "$manager"
      return
    fi
  done
}

# packages_for WHAT MANAGER: what the manager calls the packages of `mpi`, `sound`, `git` or `python`
packages_for() {
  case "$1 $2" in
  "mpi apt-get") echo libopenmpi-dev openmpi-bin pkg-config ;;
  "mpi dnf") echo openmpi-devel pkgconf-pkg-config ;;
  "mpi pacman") echo openmpi pkgconf ;;
  "mpi zypper") echo openmpi4-devel pkg-config ;;
  "mpi brew") echo open-mpi pkgconf ;;
  "sound apt-get") echo libsndfile1-dev ;;
  "sound dnf" | "sound zypper") echo libsndfile-devel ;;
  "sound pacman" | "sound brew") echo libsndfile ;;
  "git "*) echo git ;;
  "python apt-get") echo python3 python3-venv ;;
  "python dnf") echo python3 python3-pip ;;
  "python pacman" | "python brew") echo python ;;
  "python zypper") echo python3 python3-pip ;;
  esac
}

# install WHAT...: by the system's package manager
install() {
  local manager what packages=()
  manager=$(package_manager)
  for what in "$@"; do
    read -ra packages <<<"${packages[*]-} $(packages_for "$what" "${manager:-apt-get}")"
  done
  if [[ -z $manager ]]; then
    fail "$* not found, and no package manager to install it — expected apt-get, dnf, pacman, zypper or brew" \
      "install what Debian calls: ${packages[*]}"
  fi
  if [[ $manager != brew && $(id -u) -ne 0 ]] && ! has sudo; then
    fail "$* not found, and installing needs root — expected root or sudo, got neither" \
      "as root, install with $manager: ${packages[*]}"
  fi
  say "installing ${packages[*]} with $manager"
  case $manager in
  apt-get)
    as_root apt-get update -q
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "${packages[@]}"
    ;;
  dnf) as_root dnf install -y "${packages[@]}" ;;
  pacman) as_root pacman -S --needed --noconfirm "${packages[@]}" ;;
  zypper) as_root zypper --non-interactive install "${packages[@]}" ;;
  brew) brew install "${packages[@]}" ;;
  esac >&2
}

# Some distributions keep Open MPI outside the usual paths.
find_mpi() {
  local place
  for place in /usr/lib64/openmpi /usr/lib64/mpi/gcc/openmpi*; do
    if ! has mpirun && [[ -x $place/bin/mpirun ]]; then
      export PATH="$PATH:$place/bin" PKG_CONFIG_PATH="${PKG_CONFIG_PATH:-}:$place/lib/pkgconfig:$place/lib64/pkgconfig"
    fi
  done
}

has_mpi() {
  find_mpi
  has mpirun && has pkg-config && pkg-config --exists ompi-c
}

has_sound() { has pkg-config && pkg-config --exists sndfile; }

require_swift() {
  local hint version
  hint="install Swift 6.2 or later as https://www.swift.org/install says; on Linux without root:
  curl -O https://download.swift.org/swiftly/linux/swiftly-$(uname -m).tar.gz
  tar zxf swiftly-$(uname -m).tar.gz && ./swiftly init"
  has swift || fail "the Swift toolchain is missing — expected \`swift\` on the PATH, got none" "$hint"
  version=$(swift --version 2>/dev/null | sed -nE 's/.*Swift version ([0-9]+)\.([0-9]+).*/\1 \2/p' | head -n 1)
  [[ $version =~ ^([0-9]+)\ ([0-9]+)$ ]] || fail "\`swift --version\` names no version — expected 6.2 or later" "$hint"
  if ((BASH_REMATCH[1] < 6 || (BASH_REMATCH[1] == 6 && BASH_REMATCH[2] < 2))); then
    fail "the Swift toolchain is too old — expected 6.2 or later, got ${version/ /.}" "$hint"
  fi
}

# Everything that building and running needs.
require_tools() {
  local missing=()
  require_swift
  has git || missing+=(git)
  has_mpi || missing+=(mpi)
  has_sound || missing+=(sound)
  if ((${#missing[@]} > 0)); then install "${missing[@]}"; fi
  has_mpi || fail "Open MPI is not found — expected \`mpirun\` on the PATH and \`pkg-config ompi-c\` to know it" \
    "put Open MPI's bin directory on the PATH and its pkgconfig directory on PKG_CONFIG_PATH"
  has_sound || fail "libsndfile is not found — expected \`pkg-config sndfile\` to know it" \
    "put its pkgconfig directory on PKG_CONFIG_PATH"
}

# MARK: mpirun

# Cores as mpirun counts its slots: physical ones, of those that this process may use.
cores() {
  local usable physical
  usable=$(nproc 2>/dev/null || sysctl -n hw.physicalcpu)
  physical=$({ lscpu -b -p=CORE,SOCKET 2>/dev/null || true; } | sed '/^#/d' | sort -u | wc -l)
  if ((physical == 0)); then physical=$usable; fi # no lscpu, or no /sys that it could read
  echo $((usable < physical ? usable : physical))
}

# mpi_environment RANKS: prints the lines that mpirun needs on this machine to start so many ranks
mpi_environment() {
  if [[ $(id -u) -eq 0 ]]; then
    echo "export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1"
  fi
  if (($(cores) < $1)); then
    if mpirun --version 2>&1 | grep -Eq 'Open MPI\) ([5-9]|[1-9][0-9])'; then
      echo "export PRTE_MCA_rmaps_default_mapping_policy=:oversubscribe"
    else
      echo "export OMPI_MCA_rmaps_base_oversubscribe=1"
    fi
  fi
}

# prepare_mpi RANKS: the same lines, done here
prepare_mpi() { eval "$(mpi_environment "$1")"; }

# MARK: The program

# Builds the product lstm-dist and sets `program` to its path.
build_program() {
  say "building lstm-dist"
  (cd "$root" && swift build -c release --product lstm-dist >&2)
  program=$(cd "$root" && swift build -c release --show-bin-path)/lstm-dist
  export program
}

# MARK: Python

# Sets `python` to one that has PyTorch. The wheel for Linux loads CUDA libraries even where only the processor is used,
# so it comes with all its dependencies: about 6 GB.
require_pytorch() { require_python pytorch torch numpy safetensors; }

# Sets `python` to one that has the libraries which read what lstm-dist reads.
require_readers() { require_python readers pandas numpy soundfile conllu; }

# require_python NAME MODULE...: sets `python` to one that has these modules of PyPI: LSTM_DIST_PYTHON, or a virtual
# environment of that name kept in the cache directory.
require_python() {
  local environment=${XDG_CACHE_HOME:-$HOME/.cache}/lstm-dist/$1 modules
  shift
  modules=$(printf ', %s' "$@")
  modules=${modules:2}
  python=${LSTM_DIST_PYTHON:-$environment/bin/python}
  export python PYTHONDONTWRITEBYTECODE=1
  if "$python" -c "import $modules" 2>/dev/null; then return; fi
  if [[ -n ${LSTM_DIST_PYTHON:-} ]]; then
    fail "LSTM_DIST_PYTHON cannot import $modules ($python)" "unset it to have them installed"
  fi
  python3 -c 'import ensurepip, venv' 2>/dev/null || install python
  say "installing $modules from PyPI into $environment"
  python3 -m venv --clear "$environment"
  "$environment/bin/pip" install --quiet --disable-pip-version-check "$@" >&2
}
