import { plain } from './plain-text.ts';

/**
 * Makes text from outside safe inside Markdown that renders HTML: no tag, entity, link, table
 * border or emphasis survives. Nothing in it turns the text around or hides a part of it. By
 * backslashes alone: the Temporal UI shows named entities such as `&lt;` as they stand.
 */
export function escapeMarkdown(text: string): string {
  return plain(text.replace(/[\r\n\t]+/g, ' '))
    .replace(/[\\`*_{}[\]()#+!|~&<>]/g, (mark) => `\\${mark}`)
    .replace(/:\/\/|(?<=mailto):/gi, '\u200b$&');
}

/** Puts a page together from those of its parts that have something to say. */
export function paragraphs(...parts: readonly (string | false | undefined)[]): string {
  return parts.filter(Boolean).join('\n\n');
}

/** One that Markdown does not trim. */
const SPACE = '\u2002';

/**
 * A Markdown table; cells are escaped by the caller. The UI draws cells without any space between
 * them, so each ends with some.
 */
export function table(head: string[], rows: string[][]): string {
  const line = (cells: string[]): string =>
    `| ${cells.map((cell) => (cell ? `${cell}${SPACE}` : cell)).join(' | ')} |`;
  return [line(head), `| ${head.map(() => ':--').join(' | ')} |`, ...rows.map(line)].join('\n');
}
