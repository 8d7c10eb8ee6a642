import { describe, expect } from '../../support/jest.ts';
import { load } from 'cheerio';
import {
  readApiUser,
  readApiUsers,
  readManageTokens,
  readNewTokenPage,
} from '../../../activities/signon/pages.ts';
import { readOnlyTest, standInTest, useSystems } from '../systems.ts';
import { openPage } from './open.ts';

const systems = useSystems();
const open = async (page: string): Promise<string> => (await openPage(systems.signon, page)).body;
const DAY = 86_400_000;
const byName = (names: string[]): string[] =>
  names.toSorted((a, b) => a.localeCompare(b, 'en', { sensitivity: 'base' }));

/** The API user of the pair that tests look at. */
async function apiUser(): Promise<{ id: number; name: string; email: string }> {
  const found = readApiUsers(await open('/api_users')).find(
    ({ email }) => email === systems.pair.apiUser,
  );
  if (!found) throw new Error(`Signon has no API user ${systems.pair.apiUser}`);
  return found;
}

describe('the list of API users', () => {
  readOnlyTest('is one table of Name, Email, Apps and Status', async () => {
    const $ = load(await open('/api_users'));
    expect($('table')).toHaveLength(1);
    const headings = $('table thead th')
      .toArray()
      .map((cell) => $(cell).text().trim());
    expect(headings).toEqual(['Name', 'Email', 'Apps', 'Status']);
  });

  readOnlyTest(
    'begins each cell with a hidden duplicate heading, which our reader strips',
    async () => {
      const html = await open('/api_users');
      const $ = load(html);
      const first = $('table tbody tr').first().children().toArray();
      const duplicates = first.map((cell) =>
        $(cell).find('.app-c-table__duplicate-heading').first().text().trim(),
      );
      expect(duplicates).toEqual(['Name', 'Email', 'Apps', 'Status']);
      const [row] = readApiUsers(html);
      expect(row?.name).not.toMatch(/^Name/);
      expect(row?.email).toMatch(/^[^@\s]+@[^@\s]+$/);
    },
  );

  readOnlyTest('has each e-mail once, and all users by name', async () => {
    const rows = readApiUsers(await open('/api_users'));
    expect(rows.length).toBeGreaterThan(0);
    expect(new Set(rows.map(({ email }) => email)).size).toBe(rows.length);
    expect(rows.map(({ name }) => name)).toEqual(byName(rows.map(({ name }) => name)));
  });

  standInTest('says who is suspended', async () => {
    systems.sandbox.world.state.apiUsers[0]!.suspended = true;
    const suspended = readApiUsers(await open('/api_users')).filter((row) => row.suspended);
    expect(suspended.map(({ id }) => id)).toEqual([systems.sandbox.world.state.apiUsers[0]!.id]);
  });
});

readOnlyTest(
  'an API user’s page names it in its heading and its summary, and links to its tokens',
  async () => {
    const user = await apiUser();
    const html = await open(`/api_users/${user.id}/edit`);
    const $ = load(html);
    expect($('h1').text()).toContain(user.name);
    expect($(`a[href="/api_users/${user.id}/manage_tokens"]`).length).toBeGreaterThan(0);
    expect(readApiUser(html)).toEqual({ name: user.name, email: user.email });
  },
);

describe('the cards of tokens', () => {
  readOnlyTest('come by application, then by expiry, each with the id in a link', async () => {
    const user = await apiUser();
    const { apiUser: owner, cards } = readManageTokens(
      await open(`/api_users/${user.id}/manage_tokens`),
    );
    expect(owner).toBe(user.name);
    const sorted = cards.toSorted(
      (a, b) => a.application.localeCompare(b.application) || a.expires.localeCompare(b.expires),
    );
    expect(cards).toEqual(sorted);
    for (const card of cards) expect(card.authorisationId).toBeGreaterThan(0);
  });

  standInTest('show a token as its first and last 8 characters, and days in London', async () => {
    const { world } = systems.sandbox;
    const token = world.issue(1, 1);
    token.createdAt = Date.parse('2026-07-01T23:30:00Z');
    token.expiresAt = Date.parse('2026-12-04T23:30:00Z');
    const html = await open('/api_users/1/manage_tokens');
    const card = readManageTokens(html).cards.find(
      ({ authorisationId }) => authorisationId === token.id,
    );
    expect(card).toMatchObject({
      masked: `${token.token.slice(0, 8)}…${token.token.slice(-8)}`,
      generated: '2026-07-02',
      expires: '2026-12-04',
    });
    expect(html).toContain('4 December 2026');
    expect(html).not.toContain(token.token);
  });

  standInTest(
    'show expired tokens unmarked, revoked ones and those of retired applications not at all',
    async () => {
      const { world } = systems.sandbox;
      const [expired, revoked, hidden] = [
        world.issue(1, 1, -DAY),
        world.issue(1, 1),
        world.issue(1, 2),
      ];
      world.revoke(revoked.id);
      world.state.applications.find(({ id }) => id === 2)!.retired = true;
      const html = await open('/api_users/1/manage_tokens');
      const ids = readManageTokens(html).cards.map(({ authorisationId }) => authorisationId);
      expect(ids).toContain(expired.id);
      expect(ids).not.toContain(revoked.id);
      expect(ids).not.toContain(hidden.id);
      expect(html).not.toMatch(/expired/i);
    },
  );
});

describe('the page for a new token', () => {
  readOnlyTest('offers applications by name, none blank, the first chosen', async () => {
    const user = await apiUser();
    const html = await open(`/api_users/${user.id}/authorisations/new`);
    const $ = load(html);
    const options = $('select[name="authorisation[application_id]"] option').toArray();
    const names = options.map((option) => $(option).text().trim());
    expect(options.map((option) => $(option).attr('value'))).not.toContain('');
    expect(names).toEqual(byName(names));
    expect(readNewTokenPage(html).applications.map(({ name }) => name)).toEqual(names);
  });

  readOnlyTest(
    'has a select whose id is the same each time, as those of real form fields are',
    async () => {
      const user = await apiUser();
      for (let time = 0; time < 2; time++) {
        const $ = load(await open(`/api_users/${user.id}/authorisations/new`));
        expect($('select[name="authorisation[application_id]"]').attr('id')).toBe(
          'authorisation_application_id',
        );
      }
    },
  );

  standInTest('does not offer retired applications', async () => {
    const [first] = systems.sandbox.world.state.applications;
    first!.retired = true;
    const { applications } = readNewTokenPage(await open('/api_users/1/authorisations/new'));
    expect(applications.map(({ id }) => id)).not.toContain(first!.id);
    expect(applications.length).toBeGreaterThan(0);
  });
});
