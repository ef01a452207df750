#!/bin/sh
# Installs what is missing, and nothing twice: npm packages (Node itself among them) and, on Debian or Ubuntu as
# root, the system packages. Sourced by run.sh. What cannot be installed is said in one sentence.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
cd "$root"

say() { echo "set-up: $*" >&2; }

if [ ! -e node_modules/.package-lock.json ] || [ package-lock.json -nt node_modules/.package-lock.json ] || [ ! -x node_modules/.bin/node ]; then
  command -v npm >/dev/null || { say "npm is missing: install Node.js 20 or newer with npm"; exit 1; }
  say "installing npm packages"
  npm ci --no-progress >&2
  touch node_modules/.package-lock.json
fi
PATH="$root/node_modules/.bin:$PATH:/usr/local/sbin:/usr/sbin:/sbin"
export PATH
[ -e src/machinery/schema/generated/types.ts ] || npm run --silent generate >&2

missing=
while read -r program package purpose; do
  case $program in '' | '#'*) continue ;; esac
  [ -z "$purpose" ] || [ "$purpose" = "${1:-}" ] || continue
  command -v "$program" >/dev/null || missing="$missing $package"
done <scripts/system-packages
if [ -n "$missing" ]; then
  if [ "$(id -u)" != 0 ]; then
    say "these system packages are missing, and installing them needs root:$missing (on Debian or Ubuntu: sudo apt-get install$missing)"
    exit 1
  elif ! command -v apt-get >/dev/null; then
    say "these programs' packages are missing, and this is not Debian or Ubuntu: install the equivalents of$missing"
    exit 1
  fi
  say "installing system packages:$missing"
  # Packages of servers start them where a service manager runs; nothing of the host is to start here.
  policy=/usr/sbin/policy-rc.d
  ours=
  if [ ! -e "$policy" ]; then
    ours=yes
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod +x "$policy"
    trap 'rm -f "$policy"' EXIT INT TERM
  fi
  apt-get -qq update >&2
  # shellcheck disable=SC2086 # several words
  DEBIAN_FRONTEND=noninteractive apt-get -qq -o Dpkg::Use-Pty=0 install -y --no-install-recommends $missing >/dev/null
  [ -z "$ours" ] || rm -f "$policy"
  trap - EXIT INT TERM
  # Nor after the next boot.
  if command -v systemctl >/dev/null; then
    case $missing in *nginx-light*) systemctl --quiet disable nginx 2>/dev/null || true ;; esac
    case $missing in *docker-registry*) systemctl --quiet disable docker-registry 2>/dev/null || true ;; esac
  fi
fi
