/**
 * Makes a component of a JavaScript file and those it imports: `node componentize.mjs SOURCE WIT COMPONENT [printing]`.
 *
 * By the library and not by `jco componentize`, which takes one file only, and a componentize-js of its own.
 */

import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { componentize } from '@bytecodealliance/componentize-js';

const [source, witPath, out, printing] = process.argv.slice(2);
const { component } = await componentize({
    sourcePath: resolve(source),
    witPath: resolve(witPath),
    worldName: 'matcher',
    // Without clocks, randomness and streams the component imports nothing but the contract.
    disableFeatures: [...(printing ? [] : ['stdio']), 'random', 'clocks', 'http', 'fetch-event'],
});
await writeFile(out, component);
