import { readdirSync, readFileSync } from 'node:fs';
import { bundlerOptions } from '../../worker/bundle.ts';
import { expect, test } from '../support/jest.ts';

const DOMAIN = new URL('../../domain/', import.meta.url);
const sources = readdirSync(DOMAIN, { recursive: true, encoding: 'utf8' }).filter((file) =>
  file.endsWith('.ts'),
);

test('every folder of domain is shared by the workflows of a worker', () => {
  const folders = new Set(sources.map((file) => file.split('/')[0]));
  expect(bundlerOptions().preloadModules).toHaveLength(folders.size);
});

test.each(sources)(
  'so domain/%s holds no state that one workflow could leave to another',
  (file) => {
    const source = readFileSync(new URL(file, DOMAIN), 'utf8');
    expect(source).not.toMatch(/^(export )?(let|var) /m);
    expect(source).not.toMatch(
      /^(export )?const \w+(: [^=]+)? = (new (Map|Set|WeakMap|WeakSet)|\[\]|\{\})/m,
    );
    for (const [, name] of source.matchAll(/^(?:export )?const (\w+) = \/.*\/\w*[gy]\w*;$/gm))
      // they would keep where they stopped
      expect(source).not.toMatch(new RegExp(`\\b${name}\\.(test|exec)\\(`));
  },
);
