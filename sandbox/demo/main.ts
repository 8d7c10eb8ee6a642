import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { WATCHABLE } from '../options.ts';
import { FLEET_SETTINGS, rotateFleet, seedFleet } from './fleet.ts';
import { Endings, onGround } from './ground.ts';
import { rotateOne, seedOne } from './one.ts';

const { values } = parseArgs({
  options: {
    fleet: { type: 'boolean', default: false },
    yes: { type: 'boolean', default: false },
    /** The first sync fails, so that a person sees what a blocked rotation looks like. */
    blocked: { type: 'boolean', default: false },
    /** Where the demo keeps what a second start goes on with. */
    folder: { type: 'string', default: fileURLToPath(new URL('../../.demo', import.meta.url)) },
  },
});
const one = { folder: values.folder, seed: seedOne, options: WATCHABLE, failsOnce: values.blocked };
const fleet = {
  folder: join(values.folder, 'fleet'),
  seed: seedFleet,
  options: { ...WATCHABLE, trafficEveryMs: 1000, execs: 'in the sandbox' as const },
  settings: FLEET_SETTINGS,
};

const endings = new Endings();
await endings.whatever(() =>
  values.fleet ? onGround(endings, fleet, rotateFleet) : onGround(endings, one, rotateOne),
);
