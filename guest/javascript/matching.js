/**
 * A matcher in JavaScript: docs/semantics.md as a plain loop, behind the contract in wit/.
 *
 * componentize-js makes a component of this file, of those it imports and of a JavaScript engine. It looks for one export for each
 * exported interface (`matching`), in it a function for each function and a class for each resource. A table comes as an
 * object of typed arrays, a `u64` as a BigInt, and what is thrown is the contract's `error`.
 *
 *     policy       what makes an offer good: the file to change
 *     matching     who takes what?
 *     rows         flat columns as rows, and whether an offer can take a task
 *     checks       are the tables what the contract asks for?
 *     explain      why does a task find no offer?
 */

import { checkChanges, checkOffers, checkSettings, checkTasks } from './checks.js';
import { explained } from './explain.js';
import * as policy from './policy.js';
import { DEVICE, offersOf, tasksOf } from './rows.js';

/** The offers, and the list whose order decides ties. */
class Pool {
    /** Opens a pool of these offers, listed in the order of their rows. */
    static open(shape, offers, settings) {
        checkSettings(settings, shape);
        checkOffers(offers, shape);
        const pool = new Pool();
        pool.shape = shape;
        pool.exclusive = settings.mode === 'exclusive';
        pool.maxScore = settings.maxScore ?? Infinity;
        pool.offers = offersOf(offers, shape);
        pool.list = pool.offers.map((_, row) => row);
        const terms = shape.dimensions + 1;
        const given = settings.scales.length > 0 ? settings.scales : new BigUint64Array(terms);
        // The largest capacities there have been, where scales follow them.
        pool.largest = Array.from(given, (scale) => (scale === 0n ? 1n : null));
        pool.ranking = {
            weights: settings.weights.length > 0 ? settings.weights : new Float64Array(terms).fill(1),
            // Number(BigInt) rounds to nearest, as the contract's doubles do.
            scales: Float64Array.from(given, (scale) => Number(scale || 1n)),
        };
        pool.raiseScales(pool.offers);
        return pool;
    }

    /** Places the tasks, one after the other. */
    assign(table) {
        checkTasks(table, this.shape);
        const [tasks, offers, scores] = [[], [], []];
        let row = 0;
        for (const task of tasksOf(table, this.shape)) {
            const [position, score] = this.best(task);
            if (position >= 0) {
                tasks.push(row);
                offers.push(this.list[position]);
                scores.push(score);
                this.take(position, task);
            }
            row += 1;
        }
        return { tasks: Uint32Array.from(tasks), offers: Uint32Array.from(offers), scores: Float64Array.from(scores) };
    }

    /** Applies what has changed: removed, changed, added. */
    update(changes) {
        checkChanges(changes, this.shape, this.offers.length);
        for (const row of changes.removed) {
            const position = this.list.indexOf(row);
            if (position >= 0) {
                this.swapRemove(position);
            }
        }
        const listed = new Set(this.list);
        const [changed, added] = [offersOf(changes.changed, this.shape), offersOf(changes.added, this.shape)];
        for (const [at, offer] of changed.entries()) {
            const row = changes.changedRows[at];
            this.offers[row] = offer;
            if (!listed.has(row)) {
                this.list.push(row);
            }
        }
        for (const offer of added) {
            this.list.push(this.offers.length);
            this.offers.push(offer);
        }
        this.raiseScales([...changed, ...added]);
    }

    /** Counts each offer of the list at every check it fails. */
    explain(table) {
        checkTasks(table, this.shape);
        const [tasks, listed] = [tasksOf(table, this.shape), this.list.map((row) => this.offers[row])];
        return explained(tasks, table.groups, listed, (task, offer) => this.score(task, offer), this.maxScore);
    }

    /** The place in the list of the offer with the lowest score, the first among equals, or -1; and the score. */
    best(task) {
        let [place, lowest] = [-1, this.maxScore];
        for (let position = 0; position < this.list.length; position += 1) {
            const offer = this.offers[this.list[position]];
            if (task.fits(offer)) {
                const score = this.score(task, offer);
                if (score < lowest) {
                    [place, lowest] = [position, score];
                }
            }
        }
        return [place, lowest];
    }

    /** The policy's score and then, in order, what each preference costs that does not hold. */
    score(task, offer) {
        let score = policy.score(this.ranking, task, offer);
        for (const preference of task.preferred) {
            score += preference.holds(offer) ? 0 : preference.weight;
        }
        return score;
    }

    /** Takes what a task uses out of the pool. */
    take(position, task) {
        if (this.exclusive) {
            this.swapRemove(position);
        } else {
            task.take(this.offers[this.list[position]]);
        }
    }

    /** Raises the scales that were not given to the largest capacity there has been. */
    raiseScales(offers) {
        for (const offer of offers) {
            [...offer.capacity, BigInt(DEVICE * offer.devices.length)].forEach((capacity, at) => {
                if (this.largest[at] !== null && capacity > this.largest[at]) {
                    this.largest[at] = capacity;
                    this.ranking.scales[at] = Number(capacity);
                }
            });
        }
    }

    /** Takes an offer out of the list: the last one moves into its place. */
    swapRemove(position) {
        this.list[position] = this.list.at(-1);
        this.list.pop();
    }
}

/** The interface that the contract exports. */
export const matching = {
    Pool,
    describe() {
        const { name, version } = policy;
        const [modes, rules] = [['exclusive', 'shared'], ['measures', 'preferences']];
        return { name, version, policy: policy.policy, contract: '0.3.0', modes, rules, parameters: [] };
    },
    /** Does nothing: this matcher tells of no spans, whether calls are traced or not. */
    setTraced() {},
};
