import Sequencer from '@jest/test-sequencer';

const isLong = ({ path }) => path.includes('/test/long/');

/**
 * Long files begin first, so that none runs alone at the end: a fresh machine does not know how
 * long each takes.
 */
// eslint-disable-next-line import/no-default-export -- Jest asks for one
export default class LongFirst extends Sequencer {
  sort(tests) {
    // eslint-disable-next-line unicorn/no-array-sort -- this is the order that Jest gives
    return super.sort(tests).toSorted((a, b) => isLong(b) - isLong(a));
  }
}
