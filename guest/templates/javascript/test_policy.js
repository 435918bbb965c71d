/** The policy, by hand. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Offer, Task } from './offermatch/guest/javascript/rows.js';
import { score } from './policy.js';

/** Two dimensions: the first offer leaves 1 of 8 and 7 of 8, the second 4 of 8 in both. */
test('it looks at the dimension with most left', () => {
    const [ranking, task] = [{ weights: [1, 1, 1], scales: [8, 8, 1] }, new Task([1n, 1n])];
    assert.equal(score(ranking, task, new Offer([2n, 8n])), 0.875);
    assert.equal(score(ranking, task, new Offer([5n, 5n])), 0.5);
});
