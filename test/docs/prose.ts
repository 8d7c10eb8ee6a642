import { readdirSync, readFileSync } from 'node:fs';
import { FAILURES } from '../../domain/rotation/failures.ts';

/** The most words of each. */
const [SENTENCE, PARAGRAPH, CELL, ALL_DOCS] = [25, 90, 25, 12_000];

/** What nobody says to a colleague, and what to write instead. */
const BANNED: [phrase: RegExp, instead: string][] = [
  [/\b(?:tried|tries|trying) again\b/i, 'retried, retries, retrying'],
  [/\bmend(?:s|ed|ing)?\b/i, 'fix'],
  [/(?:^|[^\w-])(?:Mind|Odd):/, 'Warnings:, Unexpected:'],
  [/\bone or the other\b/i, 'accept only one'],
  [/\bgoes? on already\b/i, 'already retrying'],
  [/\bno more(?:[.;]|$)/im, 'no longer, stops'],
];
const CODE = ['activities', 'client', 'config', 'doctor', 'domain', 'worker', 'workflows'];
const ROOT = new URL('../../', import.meta.url);
const read = (path: string): string => readFileSync(new URL(path, ROOT), 'utf8');
const sentences = new Intl.Segmenter('en', { granularity: 'sentence' });
const words = (text: string): number =>
  text.split(/\s+/).filter((word) => /[\p{L}\p{N}]/u.test(word)).length;

/** Everything that breaks the rules under “Words” in CONTRIBUTING.md, a line each. */
export function findProse(): string[] {
  const docs = readdirSync(new URL('docs/', ROOT)).filter((name) => name.endsWith('.md'));
  const pages = ['README.md', 'CONTRIBUTING.md', ...docs.map((name) => `docs/${name}`)];
  const count = docs.reduce(
    (sum, name) => sum + read(`docs/${name}`).split(/\s+/).filter(Boolean).length,
    0,
  );
  return [
    ...pages.flatMap((path) => tooLong(read(path)).map((what) => `${path}: ${what}`)),
    ...Object.entries(FAILURES).flatMap(([name, { todo }]) =>
      longSentences(todo).map((what) => `${name}: ${what}`),
    ),
    ...[...pages, ...CODE.flatMap(sourcesIn)].flatMap(bannedIn),
    ...(count > ALL_DOCS ? [`docs/: ${count} words, at most ${ALL_DOCS}`] : []),
  ];
}

/**
 * Long sentences, paragraphs and cells of a page. Parts made from code are left out: their texts
 * stand in the code.
 */
export function tooLong(markdown: string): string[] {
  const byHand = markdown.replace(
    /```[^]*?```|<!-- \w+ -->[^]*?<!-- end -->|^.*\*\*Do:\*\*.*$/gm,
    '',
  );
  const lines = plain(byHand).split('\n');
  const cells = lines
    .filter((line) => line.startsWith('|'))
    .flatMap((line) => line.split(/(?<!\\)\|/));
  const text = lines.map((line) => (/^[|#]/.test(line) ? '' : line)).join('\n');
  const paragraphs = text.split(/\n\s*\n|\n(?=\s*(?:[-*]|\d+\.) )/);
  return [
    ...cells.filter((cell) => words(cell) > CELL).map((cell) => over('cell', cell, CELL)),
    ...paragraphs
      .filter((part) => words(part) > PARAGRAPH)
      .map((part) => over('paragraph', part, PARAGRAPH)),
    ...paragraphs.flatMap(longSentences),
  ];
}

export function longSentences(text: string): string[] {
  const found = [...sentences.segment(plain(text).replace(/\s+/g, ' '))].map(
    ({ segment }) => segment,
  );
  return found
    .filter((sentence) => words(sentence) > SENTENCE)
    .map((sentence) => over('sentence', sentence, SENTENCE));
}

/** The text as it is read: code is one word, a link its text, a test's title the test's own. */
function plain(markdown: string): string {
  const links = markdown
    .replace(/\[[^\]]*\]\(\.\.\/test\/[^)]*\)/g, 'Test')
    .replace(/!?\[([^\]]*)\]\([^)]*\)/g, '$1');
  return links.replace(/`[^`\n]+`/g, 'Code').replace(/[*_]{1,2}(?=\S)|(?<=\S)[*_]{1,2}/g, '');
}

function over(what: string, text: string, limit: number): string {
  return `${what} of ${words(text)} words, at most ${limit}: ${text.trim().slice(0, 80)}`;
}

function sourcesIn(folder: string): string[] {
  const files = readdirSync(new URL(folder, ROOT), { recursive: true, encoding: 'utf8' });
  return files.filter((file) => file.endsWith('.ts')).map((file) => `${folder}/${file}`);
}

function bannedIn(path: string): string[] {
  const lines = read(path).split('\n');
  return lines.flatMap((line, at) =>
    BANNED.filter(([phrase]) => phrase.test(line)).map(
      ([phrase, instead]) =>
        `${path}:${at + 1}: “${phrase.exec(line)![0].trim()}”: write ${instead}`,
    ),
  );
}
