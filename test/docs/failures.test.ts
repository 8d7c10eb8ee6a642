import { expect, test } from '../support/jest.ts';
import { FAILURES } from '../../domain/rotation/failures.ts';
import { failuresPage } from './failures-page.ts';

test('docs/failures.md says of every failure what the code says to do: `npm run docs` writes it', async () => {
  const { written, made } = await failuresPage();
  expect(written).toBe(made);
  for (const { todo } of Object.values(FAILURES)) expect(made).toContain(`**Do:** ${todo}\n`);
});
