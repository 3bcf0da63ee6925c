# Sourced by the scripts beside it: where things are, how a tree is configured, how results are counted.
# shellcheck shell=bash

repo=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# Build trees lie in the repository (ignored by git) unless HERALD_BUILD_ROOT names another folder.
build_root=${HERALD_BUILD_ROOT:-$repo}
jobs=${HERALD_JOBS:-$(nproc)}

say() { printf '%s\n' "$*" >&2; }
die() {
  say "$(basename "$0"): $*"
  exit 2
}

# configure_tree DIR [meson arguments...]: sets the tree up, or again with other arguments when they changed.
configure_tree() {
  local dir=$1 log
  shift
  log=$(mktemp)
  if [[ -f $dir/build.ninja && -f $dir/herald-arguments && $(<"$dir/herald-arguments") == "$*" ]]; then
    rm -f "$log"
    return
  fi
  # meson's --wipe would keep options of the time before, so a tree of ours is made anew; somebody's own keeps them.
  local wipe=()
  if [[ -f $dir/herald-arguments ]]; then
    rm -rf "$dir"
  elif [[ -d $dir/meson-private ]]; then
    wipe=(--wipe)
  fi
  if ! meson setup "${wipe[@]}" "$dir" "$repo" "$@" >"$log" 2>&1 </dev/null; then
    tail -n 40 "$log" >&2
    rm -f "$log"
    say "meson could not configure $dir"
    return 1
  fi
  rm -f "$log"
  printf '%s' "$*" >"$dir/herald-arguments"
}

# build_tree DIR [targets...]: quiet when it works, the failed steps when it does not.
build_tree() {
  local dir=$1 log
  shift
  log=$dir/herald-build.log
  if ! ninja -C "$dir" -j "$jobs" "$@" >"$log" 2>&1 </dev/null; then
    grep -v '^\[' "$log" | tail -n 80 >&2
    return 1
  fi
}
