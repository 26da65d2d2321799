#!/bin/sh
# Makes of an archive what a host runs, beside what runs there: install_release.sh ARCHIVE ROOT VERSION
#
# ROOT/releases/VERSION gets the app and an environment of its own; the packages are in ROOT/packages, one folder for
# each set of wheels, so that a release that needs those of the release before installs none. Asked again after it was
# cut off, it begins again; `.installed` is written last.
set -eu
archive=$1 root=$2 version=$3
release=$root/releases/$version
umask 022
# With least priority: the release before is serving people meanwhile.
renice -n 19 $$ >/dev/null

mkdir -p "$root/assets" "$root/packages" "$root/slots" "$release"
tar --extract --gzip --file="$archive" --directory="$release" --strip-components=1 --no-same-owner
python3 -m venv --clear --without-pip "$release/venv"
python=$release/venv/bin/python

packages=$root/packages/$(cd "$release/wheels" && { python3 --version; sha256sum -- *; } | sha256sum | cut -c 1-16)
if [ ! -d "$packages" ]; then
  rm -rf "$packages.part"
  # Debian's copy of pip, which comes with venv.
  PYTHONPATH=$(echo /usr/share/python-wheels/pip-*.whl) "$python" -m pip install --quiet --disable-pip-version-check \
    --no-cache-dir --no-index --no-compile --find-links "$release/wheels" --requirement "$release/app/requirements.txt" \
    --target "$packages.part"
  # What the services run as may not write here, so all is compiled now; nobody runs the packages' own tests.
  "$python" -m compileall -q -x '/tests?/' -s "$packages.part" -p "$packages" "$packages.part"
  mv "$packages.part" "$packages"
fi
rm -r "$release/wheels"
ln -sfn "$packages" "$release/packages"

site=$("$python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
printf '%s\nimport site; site.addsitedir("%s")\n' "$release/app" "$packages" > "$site/dashify.pth"
cat > "$release/venv/bin/dashify" <<EOF
#!$python
import sys

from dashify.cli import main

sys.exit(main())
EOF
chmod 755 "$release/venv/bin/dashify"
"$python" -m compileall -q "$release/app"
rm "$archive"
echo "$version" > "$release/.installed"
