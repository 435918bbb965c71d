/** A policy that misbehaves as the demand says: what the host makes of it is in tests/test_misbehaving_guests.py. */

export const name = 'misbehaving';
export const version = '0.1.0';
export const policy = 'misbehaving';

let calls = 0;

export function score(ranking, task) {
    switch (task.demand[0]) {
        case 9001n:
            throw new RangeError('no score today');
        case 9002n:
            process.exit(3);
        case 9003n:
            return 10n ** 400n;
        case 9004n:
            return { score: 'a text' }.score.missing.deeper;
        case 9005n:
            calls += 1;
            return calls;
        default:
            return 0;
    }
}
