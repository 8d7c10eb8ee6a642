import { describe, expect, test } from '../support/jest.ts';
import * as fc from 'fast-check';
import { escapeMarkdown, table } from '../../domain/text/markdown.ts';

/** Text with much of what Markdown and HTML give a meaning to. */
const hostile = fc.string({
  unit: fc.oneof(
    fc.constantFrom(
      ...'<>&|\\`*_{}[]()#+!~\r\n\t:/'.split(''),
      '<img src=x>',
      '&lt;',
      'https://',
      '\\|',
      '&#60;',
    ),
    fc.string({ unit: 'grapheme', minLength: 1, maxLength: 1 }),
  ),
});

/** What a reader sees of escaped text. */
const shown = (escaped: string): string =>
  escaped.replace(/\\([^A-Za-z0-9\s])/g, '$1').replaceAll('\u200b', '');

/** A mark that no backslash takes the meaning from. */
const bare = (mark: string): RegExp => new RegExp(`(?<!\\\\)(\\\\\\\\)*[${mark}]`);

describe('text from outside', () => {
  test('brings no tag and no entity of its own into the page', () => {
    fc.assert(
      fc.property(hostile, (text) => {
        const escaped = escapeMarkdown(text);
        expect(escaped).not.toMatch(bare('<>&'));
      }),
    );
  });

  test('keeps to one line and one cell of a table', () => {
    fc.assert(
      fc.property(hostile, (text) => {
        const escaped = escapeMarkdown(text);
        expect(escaped).not.toMatch(/[\r\n]/);
        expect(escaped).not.toMatch(bare('|'));
      }),
    );
  });

  test('makes no emphasis, code, link or image', () => {
    fc.assert(
      fc.property(hostile, (text) => expect(escapeMarkdown(text)).not.toMatch(bare('`*_[\\]~!'))),
    );
  });

  test('reads as it was, line breaks apart', () => {
    fc.assert(
      fc.property(hostile, (text) =>
        expect(shown(escapeMarkdown(text))).toBe(text.replace(/[\r\n\t]+/g, ' ')),
      ),
    );
  });

  test('shows an address as text, not as a link', () => {
    const addresses = [
      'https://evil.example',
      'HTTP://evil.example',
      'ftp://evil.example',
      'MailTo:eve@evil.example',
    ];
    for (const address of addresses)
      expect(escapeMarkdown(`see ${address}`)).not.toMatch(/\w:\/\/|mailto:/i);
  });

  test('turns no text around, and hides none', () => {
    expect(escapeMarkdown('a\u202eb\u200bc\u0007d')).toBe('a�b�c�d');
  });

  test('cannot undo an escape by bringing a backslash', () => {
    expect(escapeMarkdown('\\|')).toBe('\\\\\\|');
  });
});

test('a table has a head, a rule and a line for each row, all of as many cells', () => {
  expect(
    table(
      ['a', 'b'],
      [
        ['1', '2'],
        ['3', escapeMarkdown('4|5')],
      ],
    ).split('\n'),
  ).toEqual([
    '| a\u2002 | b\u2002 |',
    '| :-- | :-- |',
    '| 1\u2002 | 2\u2002 |',
    '| 3\u2002 | 4\\|5\u2002 |',
  ]);
});
