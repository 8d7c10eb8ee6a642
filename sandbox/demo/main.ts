import { fileURLToPath } from 'node:url';
import { WATCHABLE } from '../options.ts';
import { FLEET_SETTINGS, rotateFleet, seedFleet } from './fleet.ts';
import { Endings, onGround } from './ground.ts';
import { rotateOne, seedOne } from './one.ts';

const folder = (name: string): string => fileURLToPath(new URL(`../../.demo/${name}`, import.meta.url));
const one = { folder: folder(''), seed: seedOne, options: WATCHABLE };
const fleet = {
  folder: folder('fleet/'),
  seed: seedFleet,
  options: { ...WATCHABLE, trafficEveryMs: 1000, execs: 'in the sandbox' as const },
  settings: FLEET_SETTINGS,
};

const endings = new Endings();
await endings.whatever(() =>
  process.argv.includes('--fleet') ? onGround(endings, fleet, rotateFleet) : onGround(endings, one, rotateOne),
);
