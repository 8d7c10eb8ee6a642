import type { Circus } from '@jest/types';
import { addEventHandler } from 'jest-circus';
import { whereThingsStand } from './where-things-stand.ts';

const LIMIT_MS = 300_000;

/** The runner knows no time limits: each test and each hook gets one here. */
addEventHandler((event, { currentDescribeBlock }) => {
  const added =
    event.name === 'add_test'
      ? currentDescribeBlock.children.at(-1)
      : event.name === 'add_hook'
        ? currentDescribeBlock.hooks.at(-1)
        : undefined;
  if (added && 'fn' in added)
    added.fn = limited(added.fn as () => unknown, added.timeout ?? LIMIT_MS);
});

function limited(act: () => unknown, ms: number): Circus.TestFn {
  return async () => {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise((_, reject) => {
      timer = setTimeout(
        () =>
          void whereThingsStand().then((open) =>
            reject(new Error(`It took more than ${ms / 1000} s. Open: ${open}`)),
          ),
        ms,
      );
    });
    await Promise.race([Promise.resolve().then(act), late]).finally(() => clearTimeout(timer));
  };
}
