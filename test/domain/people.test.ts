import * as fc from 'fast-check';
import { approvalsNeeded, comparable, isListed, personOf } from '../../domain/request/people.ts';
import { describe, expect, test } from '../support/jest.ts';

const ADA = 'ada@example.org';

describe('names that read alike are one', () => {
  test.each([
    ['capitals', 'ADA@Example.ORG'],
    ['blanks around it', '  ada@example.org \n'],
    ['a zero-width space', 'ad\u200ba@example.org'],
    ['a soft hyphen', 'ada@exam\u00adple.org'],
    ['a mark that turns text around', '\u202eada@example.org'],
    ['a variation selector', 'ada\ufe0f@example.org'],
    ['a filler that shows nothing', 'ada\u3164@example.org'],
    ['a dot at the end', 'ada@example.org.'],
    ['a dot after a blank', 'ada@example.org .'],
    ['a dot after a display name', 'Ada <ada@example.org>.'],
    ['a display name', 'Ada Lovelace <Ada@example.org>'],
    ['letters of full width', 'ａｄａ@ｅｘａｍｐｌｅ.org'],
    ['the small commercial at', 'ada﹫example.org'],
  ])('%s', (_, name) => {
    expect(comparable(name)).toBe(ADA);
  });

  test('composed and decomposed accents', () => {
    const name = 'Zoë Brontë';
    expect(comparable(name.normalize('NFD'))).toBe(comparable(name.normalize('NFC')));
    expect(comparable('zoë@example.org'.normalize('NFD'))).toBe('zoë@example.org'.normalize('NFC'));
  });

  test('whatever invisible marks stand in it', () => {
    const invisible = fc.constantFrom(
      '\u200b',
      '\u200d',
      '\u00ad',
      '\u2060',
      '\ufeff',
      '\u034f',
      '\ufe0e',
    );
    fc.assert(
      fc.property(fc.array(fc.tuple(invisible, fc.nat(ADA.length)), { maxLength: 9 }), (marks) => {
        const marked = marks.reduce(
          (name, [mark, at]) => name.slice(0, at) + mark + name.slice(at),
          ADA,
        );
        expect(comparable(marked)).toBe(ADA);
      }),
    );
  });
});

test.each([
  ['a Cyrillic а in a Latin address', 'аda@example.org'],
  ['a Greek ο in a Latin domain', 'ada@example.οrg'],
  ['a Latin letter that only looks like a', 'ɑda@example.org'],
  ['a dotless i', 'adı@example.org'],
  ['two scripts in a name', 'Аda Lovelace'],
  ['a control character', 'ada\u0007@example.org'],
  ['nothing that shows', '\u200b\u00ad '],
])('%s is refused', (_, name) => {
  expect(comparable(name)).toBeUndefined();
});

test('an apostrophe that is a letter is no other script', () => {
  expect(comparable('OʼBrien')).toBe('oʼbrien');
});

test('a name of one other script is a name', () => {
  expect(comparable('Ада Лавлейс')).toBe('ада лавлейс');
});

test('comparing is stable: what was compared compares to itself', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), (name) => {
      const once = comparable(name);
      if (once !== undefined) expect(comparable(once)).toBe(once);
    }),
  );
});

const PEOPLE = [
  [ADA, 'ada.lovelace@example.com'],
  ['Grace@Example.org', 'g@example.net'],
];

test('one person under two addresses is one', () => {
  expect(personOf('ada.lovelace@example.com', PEOPLE)).toBe(ADA);
  expect(personOf('g@example.net', PEOPLE)).toBe('grace@example.org');
  expect(personOf('joan@example.org', PEOPLE)).toBe('joan@example.org');
});

test('a list names somebody by any address of theirs, or by the domain of the one given', () => {
  expect(isListed('ada.lovelace@example.com', [ADA], PEOPLE)).toBe(true);
  expect(isListed('joan@team.gov.uk', ['@team.gov.uk'], PEOPLE)).toBe(true);
  for (const stranger of [
    'joan@team.gov.uk.evil.org',
    'joan@evil-team.gov.uk',
    'joan@sub.team.gov.uk',
    'team.gov.uk',
    '@team.gov.uk',
    'a b@team.gov.uk',
  ])
    expect(isListed(stranger, ['@team.gov.uk', ADA], PEOPLE)).toBe(false);
});

test('one approval is enough where the settings say no other number', () => {
  expect(approvalsNeeded('anyone', 'production')).toBe(1);
  expect(approvalsNeeded({}, 'production')).toBe(1);
  expect(approvalsNeeded({ production: { who: ['@a.uk'], approvals: 2 } }, 'production')).toBe(2);
  expect(approvalsNeeded({ production: { who: ['@a.uk'], approvals: 2 } }, 'integration')).toBe(1);
});
