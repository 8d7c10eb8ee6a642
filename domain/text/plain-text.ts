/** What moves the cursor or colours beside C0's characters, turns text around or has no width. */
const STEERS = /[\u007f-\u009f\u061c\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff]/g;

/**
 * Text from outside, for a terminal or a log: nothing in it moves the cursor, colours or turns text
 * around.
 */
export function plain(text: string): string {
  return plainLines(text.replace(/[\u0000-\u001f]/g, '�'));
}

/** The same for several lines whose C0 characters are written by a library, as in YAML. */
export function plainLines(text: string): string {
  return text.replace(STEERS, '�');
}

/** JSON for a terminal: what `JSON.stringify` leaves as it stands is escaped, so nothing is lost. */
export function plainJson(value: unknown): string {
  return JSON.stringify(value, undefined, 2).replace(
    STEERS,
    (steers) => `\\u${steers.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
