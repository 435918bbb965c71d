/** Why tasks find, or do not find, an offer: every check that each offer fails. */

import { DEVICE } from './rows.js';

/** The columns of an answer, each with the array that the contract's type asks for. */
const COLUMNS = {
    dimensionFails: Uint32Array,
    dimensionAlone: Uint32Array,
    dimensionMissing: BigUint64Array,
    requirementFails: Uint32Array,
    requirementAlone: Uint32Array,
    requirementMissing: Float64Array,
    devicesFails: Uint32Array,
    devicesAlone: Uint32Array,
    devicesMissing: Uint32Array,
    togetherFails: Uint32Array,
    togetherAlone: Uint32Array,
    limitFails: Uint32Array,
    limitAlone: Uint32Array,
    scoreFails: Uint32Array,
    scoreMissing: Float64Array,
    candidates: Uint32Array,
    capable: Uint32Array,
    membersPlaced: Uint32Array,
};

/** The offers that fail one check at all, those that fail it alone, and the least that one of these lacks. */
class Check {
    constructor(nothing = 0) {
        Object.assign(this, { fails: 0, alone: 0, missing: nothing });
    }

    /** Counts an offer that fails nothing else. */
    aloneBy(missing) {
        this.alone += 1;
        // Nothing is never missing, so that zero stands for none so far.
        if (missing && (!this.missing || missing < this.missing)) {
            this.missing = missing;
        }
    }
}

/** Counts, for each task, the listed offers at every check that they fail. */
export function explained(tasks, groups, offers, score, maxScore) {
    const answer = Object.fromEntries(Object.keys(COLUMNS).map((column) => [column, []]));
    for (const task of tasks) {
        explainTask(task, offers, score, maxScore, answer);
    }
    answer.membersPlaced = new Array(groups.rows).fill(0);
    return Object.fromEntries(Object.entries(COLUMNS).map(([column, type]) => [column, type.from(answer[column])]));
}

/** Puts the counts of a task behind those of the tasks before. */
function explainTask(task, offers, score, maxScore, answer) {
    const dimensions = task.demand.map(() => new Check(0n));
    const requirements = task.requirements.map(() => new Check());
    const devices = new Check();
    let [scoreFails, scoreMissing, candidates, capable] = [0, Infinity, 0, 0];
    for (const offer of offers) {
        capable += isCapable(offer, task);
        const failed = [];
        task.demand.forEach((demand, at) => {
            if (demand > offer.free[at]) {
                failed.push([dimensions[at], demand - offer.free[at]]);
            }
        });
        task.requirements.forEach((requirement, at) => {
            if (!requirement.holds(offer)) {
                if (requirement.weight === Infinity) {
                    failed.push([requirements[at], requirement.distance(offer)]);
                } else {
                    // Nothing fails a preference.
                    requirements[at].fails += 1;
                }
            }
        });
        if (task.devicesMissing(offer) > 0) {
            failed.push([devices, task.devicesMissing(offer)]);
        }
        failed.forEach(([check]) => {
            check.fails += 1;
        });
        if (failed.length === 1) {
            const [[check, missing]] = failed;
            check.aloneBy(missing);
        } else if (failed.length === 0) {
            const found = score(task, offer);
            if (found < maxScore) {
                candidates += 1;
            } else {
                scoreFails += 1;
                // NaN is not less than anything.
                scoreMissing = found - maxScore < scoreMissing ? found - maxScore : scoreMissing;
            }
        }
    }
    add(answer, 'dimension', dimensions);
    add(answer, 'requirement', requirements);
    add(answer, 'devices', [devices]);
    // No task belongs to a group.
    answer.togetherFails.push(0);
    answer.togetherAlone.push(0);
    answer.scoreFails.push(scoreFails);
    answer.scoreMissing.push(scoreMissing === Infinity ? 0 : scoreMissing);
    answer.candidates.push(candidates);
    answer.capable.push(capable);
}

function add(answer, kind, checks) {
    checks.forEach(({ fails, alone, missing }) => {
        answer[`${kind}Fails`].push(fails);
        answer[`${kind}Alone`].push(alone);
        answer[`${kind}Missing`].push(missing);
    });
}

/** Whether an offer could serve a task if it were empty. */
function isCapable(offer, task) {
    return (
        task.demand.every((demand, at) => demand <= offer.capacity[at]) &&
        Math.ceil(task.devices / DEVICE) <= offer.devices.length &&
        task.required.every((one) => one.holds(offer))
    );
}
