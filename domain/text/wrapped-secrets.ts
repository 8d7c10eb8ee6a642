const BASE64 = '[A-Za-z0-9+/_=-]';
/** The end of a line within something, also as JSON writes it, and the next line's indentation. */
export const BREAK = String.raw`[ \t]*\\?(?:[\n\v\f\r\u0085\u2028\u2029]|(?:\\r)?\\n)\s*`;
const WRAPPED = new RegExp(`(?<!${BASE64})${BASE64}+(?:${BREAK}${BASE64}+)+`, 'g');
const BREAKS = new RegExp(`(${BREAK})`);

/** Words and numbers as logs have them: `rollout`, `PublishingApi`, `HTTP`, `12ms`. */
const WORD = /^(?:[A-Za-z][a-z]*\d{0,4}|[A-Z]+|[a-z]*(?:[A-Z][a-z]{2,})+|\d+[a-z]{0,2})?$/;
/**
 * Words up to this length at the edge of a secret are kept: if part of it, they reveal little.
 */
const LONGEST_BESIDE = 11;
const SHORTEST_SECRET = 20;
/** Where two lines have one width, this many characters unlike words make a secret. */
const HALF_A_SECRET = 10;
/** Narrower lines hold too little of a secret to tell it from words. */
const NARROWEST = 8;

/**
 * Replaces base64 that is wrapped over lines. Ordinary words follow each other over lines too, so
 * what reads as words stays, with its line breaks.
 * @param known exact names that may stay
 */
export function withoutWrapped(text: string, known: ReadonlySet<string>, instead: string): string {
  return text.replace(WRAPPED, (wrapped) => {
    const parts = wrapped.split(BREAKS); // pieces, with the breaks between them
    let from = 0;
    for (let at = 0; at <= parts.length + 1; at += 2) {
      if (at < parts.length && !known.has(parts[at]!)) continue;
      replaceSecret(parts, from, at - 2, instead);
      from = at + 2;
    }
    return parts.join('');
  });
}

/** Replaces the secret from one piece to another, if there is one, by `instead`. */
function replaceSecret(parts: string[], from: number, to: number, instead: string): void {
  let [first, last] = [from, to];
  while (first < last && isBeside(parts[first]!, parts[first + 2]!)) first += 2;
  while (last > first && isBeside(parts[last]!, parts[last - 2]!)) last -= 2;
  let unlikeWords = 0;
  for (let at = first; at <= last; at += 2)
    if (!readsAsWords(parts[at]!)) unlikeWords += parts[at]!.length;
  const enough = hasOneWidth(parts, first, last, 3)
    ? 1
    : hasOneWidth(parts, first, last, 2)
      ? HALF_A_SECRET
      : SHORTEST_SECRET;
  if (first >= last || unlikeWords < enough) return;
  for (let at = first; at <= last; at++) parts[at] = at === first ? instead : '';
}

/**
 * Whether so many pieces in a row are of one width, as wrapped lines are and words seldom: some of
 * a secret's may read as words.
 */
function hasOneWidth(parts: readonly string[], first: number, last: number, many: number): boolean {
  for (let at = first; at + 2 * (many - 1) <= last; at += 2) {
    const row = Array.from({ length: many }, (_, next) => parts[at + 2 * next]!.length);
    if (row[0]! >= NARROWEST && row.every((length) => length === row[0])) return true;
  }
  return false;
}

/** Wrapped lines have one width, so a piece as wide as the next belongs to it. */
function isBeside(piece: string, next: string): boolean {
  return piece.length <= LONGEST_BESIDE && piece.length !== next.length && readsAsWords(piece);
}

function readsAsWords(piece: string): boolean {
  return piece.split(/[-_/+=]+/).every((part) => WORD.test(part));
}
