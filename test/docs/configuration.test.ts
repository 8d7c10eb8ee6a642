import { expect, test } from '../support/jest.ts';
import { WORKER_VARIABLES } from '../../config/configuration.ts';
import { DEFAULT_SETTINGS } from '../../config/settings.ts';
import { configurationPage } from './configuration-page.ts';

test('docs/configuration.md says of every variable and setting what the code says: `npm run docs` writes it', async () => {
  const { written, made } = await configurationPage();
  expect(written).toBe(made);
  for (const name of Object.keys(WORKER_VARIABLES.shape)) expect(made).toContain(`| \`${name}\` `);
  for (const name of Object.keys(DEFAULT_SETTINGS))
    expect(made).toMatch(new RegExp(`\\| \`${name}[\`.]`));
});

test('no variable and no setting is without a word on what it means', async () => {
  const rows = (await configurationPage()).made.match(/^\| `.*$/gm) ?? [];
  expect(rows.length).toBeGreaterThan(50);
  for (const row of rows) expect(row.split('|').at(-2)!.trim()).not.toBe('');
});
