/** A policy that misbehaves as the demand says: tests/test_misbehaving_guests.py has what the host makes of it. */

export const name = 'misbehaving';
export const version = '0.1.0';
export const policy = 'misbehaving';

let calls = 0;

export function score(ranking, task) {
    switch (task.demand[0]) {
        case 9001n:
            throw new Error('no such rack');
        case 9002n:
            return process.exit(3);
        case 9003n:
            return task.demand[0] * 2;
        case 9004n:
            return 'cheap';
        case 9005n:
            calls += 1;
            return calls;
        default:
            return 0;
    }
}
