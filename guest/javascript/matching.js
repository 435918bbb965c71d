/**
 * A matcher in JavaScript: docs/semantics.md as a plain loop, behind the contract in wit/.
 *
 * jco makes a component of this file and a JavaScript engine. It looks for one export for each exported interface
 * (`matching`), in it a function for each function and a class for each resource. A table comes as an object of typed
 * arrays, a `u64` as a BigInt, and what is thrown is the contract's `error`.
 *
 *     Pool         who takes what?
 *     offersOf...  flat columns as rows
 *     check...     are the tables what the contract asks for?
 */

/** The most rows of a pool, and of one task table. */
const MOST_ROWS = 1 << 24;
/** The largest number of a `u32` column. */
const LARGEST = 2 ** 32 - 1;

/** The offers, and the list whose order decides ties. */
class Pool {
    /** Opens a pool of these offers, listed in the order of their rows. */
    static open(shape, offers, settings) {
        checkSettings(settings, shape);
        checkOffers(offers, shape);
        const pool = new Pool();
        pool.shape = shape;
        pool.exclusive = settings.mode === 'exclusive';
        pool.maxScore = settings.maxScore;
        pool.offers = offersOf(offers, shape);
        pool.list = pool.offers.map((_, row) => row);
        const terms = shape.dimensions + 1;
        pool.weights = settings.weights.length > 0 ? settings.weights : new Float64Array(terms).fill(1);
        const largest = largestOf(offers, shape, pool.offers);
        // Number(BigInt) rounds to nearest, as the contract's doubles do.
        pool.scales = Float64Array.from(largest, (most, at) => Number(settings.scales[at] || most || 1n));
        return pool;
    }

    /** Places the tasks, one after the other. */
    assign(table) {
        checkTasks(table, this.shape);
        const answer = { tasks: [], offers: [], scores: [] };
        for (const [row, task] of tasksOf(table, this.shape).entries()) {
            const [position, score] = this.best(task);
            if (position < 0) {
                continue;
            }
            answer.tasks.push(row);
            answer.offers.push(this.list[position]);
            answer.scores.push(score);
            if (this.exclusive) {
                this.swapRemove(position);
            } else {
                take(this.offers[this.list[position]], task);
            }
        }
        return typed(answer);
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
        for (const [at, offer] of offersOf(changes.changed, this.shape).entries()) {
            const row = changes.changedRows[at];
            this.offers[row] = offer;
            if (!listed.has(row)) {
                this.list.push(row);
            }
        }
        for (const offer of offersOf(changes.added, this.shape)) {
            this.list.push(this.offers.length);
            this.offers.push(offer);
        }
    }

    /** Counts each offer of the list at the first check it fails. */
    explain(table) {
        checkTasks(table, this.shape);
        const answer = { byDimension: [], byRequirement: [], byDevices: [], byScore: [], candidates: [] };
        for (const task of tasksOf(table, this.shape)) {
            const byDimension = new Array(this.shape.dimensions).fill(0);
            const byRequirement = new Array(task.requirements.length).fill(0);
            let [byDevices, byScore, candidates] = [0, 0, 0];
            for (const row of this.list) {
                const offer = this.offers[row];
                const dimension = tooShort(offer, task);
                const requirement = refusing(offer, task);
                if (dimension >= 0) {
                    byDimension[dimension] += 1;
                } else if (requirement >= 0) {
                    byRequirement[requirement] += 1;
                } else if (!devicesServe(offer, task)) {
                    byDevices += 1;
                } else if (!(this.score(offer, task) < this.maxScore)) {
                    byScore += 1;
                } else {
                    candidates += 1;
                }
            }
            byDimension.forEach((count) => answer.byDimension.push(count));
            byRequirement.forEach((count) => answer.byRequirement.push(count));
            answer.byDevices.push(byDevices);
            answer.byScore.push(byScore);
            answer.candidates.push(candidates);
        }
        return typed(answer);
    }

    /** The place in the list of the offer with the lowest score, the first among equals, or -1; and the score. */
    best(task) {
        let [place, lowest] = [-1, this.maxScore];
        for (let position = 0; position < this.list.length; position += 1) {
            const offer = this.offers[this.list[position]];
            if (tooShort(offer, task) < 0 && refusing(offer, task) < 0 && devicesServe(offer, task)) {
                const score = this.score(offer, task);
                if (score < lowest) {
                    [place, lowest] = [position, score];
                }
            }
        }
        return [place, lowest];
    }

    /** The score of a feasible offer, term by term in the order of the contract. */
    score(offer, task) {
        let score = 0;
        const last = task.demand.length;
        for (let at = 0; at < last; at += 1) {
            score += (this.weights[at] * Number(offer.free[at] - task.demand[at])) / this.scales[at];
        }
        const devices = offer.devices.reduce((sum, free) => sum + free, 0) - task.devices;
        return score + (this.weights[last] * devices) / this.scales[last];
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
        const [name, version, policy, contract] = ['best-fit-javascript', '0.1.0', 'best-fit', '0.2.0'];
        return { name, version, policy, contract, modes: ['exclusive', 'shared'] };
    },
    /** Does nothing: this matcher tells of no spans, whether calls are traced or not. */
    setTraced() {},
};

/** An answer with typed arrays for its columns: jco writes nothing else into the component's memory, and says nothing. */
function typed(answer) {
    const column = ([name, values]) => [name, name === 'scores' ? Float64Array.from(values) : Uint32Array.from(values)];
    return Object.fromEntries(Object.entries(answer).map(column));
}

/** The first dimension in which the offer has too little, or -1. */
function tooShort(offer, task) {
    for (let dimension = 0; dimension < task.demand.length; dimension += 1) {
        if (task.demand[dimension] > offer.free[dimension]) {
            return dimension;
        }
    }
    return -1;
}

/** The first requirement that the offer fails, or -1. An unset value is 0, and 0 is in no set. */
function refusing(offer, task) {
    return task.requirements.findIndex(
        ({ attribute, excludes, values }) => values.has(offer.attributes[attribute]) === excludes,
    );
}

/** Whether one device has the share that is asked, or enough devices are entirely free. */
function devicesServe(offer, task) {
    if (task.devices < 1000) {
        return task.devices === 0 || offer.devices.some((free) => free >= task.devices);
    }
    return offer.devices.filter((free) => free === 1000).length >= task.devices / 1000;
}

/** Subtracts what a task uses. */
function take(offer, task) {
    task.demand.forEach((demand, dimension) => {
        offer.free[dimension] -= demand;
    });
    if (task.devices > 0 && task.devices < 1000) {
        // From the tightest device that holds the share, the lowest number among equals.
        const fitting = offer.devices.filter((free) => free >= task.devices);
        const tightest = fitting.reduce((least, free) => Math.min(least, free));
        offer.devices[offer.devices.indexOf(tightest)] -= task.devices;
    } else {
        for (let whole = task.devices; whole > 0; whole -= 1000) {
            offer.devices[offer.devices.indexOf(1000)] = 0;
        }
    }
}

/** The largest capacity in each dimension and, last, the most device thousandths of one offer. */
function largestOf(table, shape, offers) {
    const capacity = table.capacity.length > 0 ? table.capacity : table.available;
    const largest = new Array(shape.dimensions).fill(0n);
    capacity.forEach((cell, at) => {
        const dimension = at % shape.dimensions;
        largest[dimension] = cell > largest[dimension] ? cell : largest[dimension];
    });
    return [...largest, 1000n * BigInt(offers.reduce((most, { devices }) => Math.max(most, devices.length), 0))];
}

/** The rows of a checked table. */
function offersOf(table, shape) {
    return cut(table.deviceFree, table.deviceOffsets, table.rows).map((devices, row) => ({
        free: table.available.slice(row * shape.dimensions, (row + 1) * shape.dimensions),
        attributes: table.attributes.slice(row * shape.attributes, (row + 1) * shape.attributes),
        devices,
    }));
}

/** The rows of a checked table. */
function tasksOf(table, shape) {
    const sets = cut(table.values, table.valueOffsets, table.requirementAttributes.length);
    const requirements = sets.map((values, at) => ({
        attribute: table.requirementAttributes[at],
        excludes: table.requirementExcludes[at],
        values: new Set(values),
    }));
    return cut(requirements, table.requirementOffsets, table.rows).map((mine, row) => ({
        demand: table.demand.slice(row * shape.dimensions, (row + 1) * shape.dimensions),
        devices: table.devices.length > 0 ? table.devices[row] : 0,
        requirements: mine,
    }));
}

/** A flat column, cut into the parts of the rows; without offsets, every row has an empty part. */
function cut(flat, offsets, rows) {
    return Array.from({ length: rows }, (_, row) => (offsets.length > 0 ? flat.slice(offsets[row], offsets[row + 1]) : []));
}

/** Refuses settings that a pool of this shape cannot use. */
function checkSettings(settings, shape) {
    const terms = shape.dimensions + 1;
    checkUsable('max-score', [settings.maxScore]);
    checkLengthOrEmpty('weights', settings.weights, BigInt(terms));
    checkLengthOrEmpty('scales', settings.scales, BigInt(terms));
    checkUsable('weights', settings.weights);
}

/** Refuses columns that do not fit together, and numbers out of their range. */
function checkOffers(offers, shape) {
    checkRows(offers.rows);
    const cells = BigInt(offers.rows) * BigInt(shape.dimensions);
    checkLength('available', offers.available, cells);
    checkLengthOrEmpty('capacity', offers.capacity, cells);
    const over = offers.capacity.findIndex((capacity, at) => offers.available[at] > capacity);
    if (over >= 0) {
        outOfRange('available', Math.floor(over / shape.dimensions), offers.available[over], 0, offers.capacity[over]);
    }
    checkLength('attributes', offers.attributes, BigInt(offers.rows) * BigInt(shape.attributes));
    checkOffsets('device-offsets', offers.deviceOffsets, offers.rows, 'device-free', offers.deviceFree);
    checkRange('device-free', offers.deviceFree, 0, 1000);
}

/** Refuses columns that do not fit together, and numbers out of their range. */
function checkTasks(tasks, shape) {
    checkRows(tasks.rows);
    checkLength('demand', tasks.demand, BigInt(tasks.rows) * BigInt(shape.dimensions));
    checkLengthOrEmpty('devices', tasks.devices, BigInt(tasks.rows));
    const broken = tasks.devices.findIndex((asked) => asked > 1000 && asked % 1000 !== 0);
    if (broken >= 0) {
        refuse('broken-devices', cell('devices', broken, tasks.devices[broken], 0, LARGEST - (LARGEST % 1000)));
    }
    const requirements = tasks.requirementAttributes;
    checkOffsets('requirement-offsets', tasks.requirementOffsets, tasks.rows, 'requirement-attributes', requirements);
    checkLength('requirement-excludes', tasks.requirementExcludes, BigInt(requirements.length));
    checkOffsets('value-offsets', tasks.valueOffsets, requirements.length, 'values', tasks.values);
    const unknown = requirements.findIndex((attribute) => attribute >= shape.attributes);
    if (unknown >= 0) {
        outOfRange('requirement-attributes', unknown, requirements[unknown], 0, Math.max(shape.attributes - 1, 0));
    }
    checkRange('values', tasks.values, 1, LARGEST);
}

/** Refuses changes that a pool with so many rows cannot apply. */
function checkChanges(changes, shape, rows) {
    checkOffers(changes.changed, shape);
    checkOffers(changes.added, shape);
    checkLength('changed-rows', changes.changedRows, BigInt(changes.changed.rows));
    checkRows(rows + changes.added.rows);
    for (const [column, named] of [['removed', changes.removed], ['changed-rows', changes.changedRows]]) {
        const unknown = named.findIndex((row) => row >= rows);
        if (unknown >= 0) {
            outOfRange(column, unknown, named[unknown], 0, Math.max(rows - 1, 0));
        }
    }
    const named = new Uint32Array(changes.removed.length + changes.changedRows.length);
    named.set(changes.removed);
    named.set(changes.changedRows, changes.removed.length);
    named.sort();
    const repeated = named.findIndex((row, at) => at > 0 && row === named[at - 1]);
    if (repeated >= 0) {
        refuse('repeated-row', named[repeated]);
    }
}

/** Refuses the call: what is thrown is the contract's `error`. */
function refuse(tag, val) {
    throw { tag, val };
}

function cell(column, row, value, minimum, maximum) {
    return { column, row, value: BigInt(value), minimum: BigInt(minimum), maximum: BigInt(maximum) };
}

function outOfRange(column, row, value, minimum, maximum) {
    refuse('out-of-range', cell(column, row, value, minimum, maximum));
}

function checkUsable(setting, values) {
    const position = values.findIndex((value) => !(Number.isFinite(value) && value >= 0));
    if (position >= 0) {
        refuse('bad-setting', { setting, position, value: values[position] });
    }
}

function checkRows(asked) {
    if (asked > MOST_ROWS) {
        refuse('too-many-rows', { asked: BigInt(asked), limit: BigInt(MOST_ROWS) });
    }
}

/** Expected lengths are BigInts: rows times columns may be above 2^53, where numbers have gaps. */
function checkLength(column, values, expected) {
    if (BigInt(values.length) !== expected) {
        refuse('column-length', { column, expected, found: BigInt(values.length) });
    }
}

function checkLengthOrEmpty(column, values, expected) {
    if (values.length > 0) {
        checkLength(column, values, expected);
    }
}

function checkRange(column, values, minimum, maximum) {
    const at = values.findIndex((value) => value < minimum || value > maximum);
    if (at >= 0) {
        outOfRange(column, at, values[at], minimum, maximum);
    }
}

/** Refuses offsets that fall, begin above zero or do not end at the length of their column. */
function checkOffsets(column, offsets, rows, flatColumn, flat) {
    if (offsets.length === 0) {
        checkLength(flatColumn, flat, 0n);
        return;
    }
    checkLength(column, offsets, BigInt(rows) + 1n);
    const falls = offsets.findIndex((offset, at) => (at === 0 ? offset > 0 : offset < offsets[at - 1]));
    if (falls >= 0) {
        const [least, most] = falls === 0 ? [0, 0] : [offsets[falls - 1], LARGEST];
        outOfRange(column, falls, offsets[falls], least, most);
    }
    checkLength(flatColumn, flat, BigInt(offsets[rows]));
}
