/** Quotes a text as one word of a shell. */
export function word(text: string): string {
  return /^[\w@.+/-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}

/**
 * A command of `signon-rotation` to paste into a shell. Names the environment, for the reader's
 * shell may have another one set.
 */
export function command(environment: string, ...words: readonly string[]): string {
  return ['npx signon-rotation', ...words.map(word), '--environment', environment].join(' ');
}
