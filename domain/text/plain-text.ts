/**
 * Text from outside, for a terminal or a log: nothing in it moves the cursor, colours or turns text
 * around.
 */
export function plain(text: string): string {
  return text.replace(
    /[\u0000-\u001f\u007f-\u009f\u061c\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff]/g,
    '�',
  );
}
