import { describe, expect, test } from '../support/jest.ts';
import { findProse, longSentences, tooLong } from './prose.ts';

const many = (count: number): string => 'word '.repeat(count).trim();

test('pages and messages have short sentences and no banned phrase', () => {
  expect(findProse()).toEqual([]);
});

describe('the linter of prose', () => {
  test('names a sentence of more than 25 words, whatever stands around it', () => {
    expect(longSentences(`Short. A ${many(24)}. Short.`)).toEqual([]);
    expect(longSentences(`Short. A ${many(25)}. Short.`)).toEqual([
      expect.stringMatching(/^sentence of 26 words/),
    ]);
  });

  test('takes code and a link’s address for no words', () => {
    expect(longSentences(`${many(24)} \`a b c d\`.`)).toEqual([]);
    expect(longSentences(`${many(24)} [page](a b c).`)).toEqual([]);
  });

  test('names a paragraph of more than 90 words and a cell of more than 25', () => {
    expect(tooLong(`A ${many(19)}. `.repeat(5))).toEqual([
      expect.stringMatching(/^paragraph of 100 words/),
    ]);
    expect(tooLong(`| ${many(26)} | b |`)).toEqual([expect.stringMatching(/^cell of 26 words/)]);
  });

  test('leaves out blocks of code and tables made from code', () => {
    expect(tooLong(`\`\`\`\n${many(99)}\n\`\`\``)).toEqual([]);
    expect(tooLong(`<!-- worker -->\n\n| ${many(99)} |\n\n<!-- end -->`)).toEqual([]);
  });
});
