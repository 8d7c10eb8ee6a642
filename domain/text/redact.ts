import { BREAK, withoutWrapped } from './wrapped-secrets.ts';

/** What a terminal acts on instead of showing it, also as JSON and shells write it. */
const ESCAPES =
  /(?:\u001b|\\u001b|\\x1b|\\033|\\e|\^\[)(?:\[[0-?]*[ -/]*[@-~]|\][^\u0007\u001b]{0,500}(?:\u0007|\u001b\\))|\u009b[0-?]*[ -/]*[@-~]/gi;
/** Control characters but those that end a line, soft hyphens, and what has no width. */
const UNSEEN = /(?![\t\n\v\f\r\u0085])\p{Cc}|\p{Cf}|\p{Default_Ignorable_Code_Point}/gu;
const CREDENTIALS =
  /([a-z][a-z0-9+.-]{0,20}:\/\/)(?:[^\s/?#"'<>]{0,500}|[^\s/?#"'<>:]{0,99}:[^\s"'<>]{0,500})@/gi;
/** Begins with a brace and a quote, blank or line break, in base64url. */
const JWT = new RegExp(
  String.raw`\be(?:y[JA]|wo)[\w-]*(?:${BREAK}[\w-]+){0,99}\.[\w-]+(?:${BREAK}[\w-]+){0,99}\.[\w-]*`,
  'g',
);
const HEX_PAIRS =
  /\b[0-9a-f]{2}(?::\s*[0-9a-f]{2}){6,}\b|\b(?=[0-9 -]*[a-f])[0-9a-f]{2}([ -])[0-9a-f]{2}(?:\1[0-9a-f]{2}){5,}\b|(?:\\x[0-9a-f]{2}){7,}/gi;
const BEARER = /\bbearer[\s"':=]+[^\s"',;]+/gi;
const BEARER_TOKEN = /bearer_token[\\"']*\s*[:=]+>?\s*[\\"']*[^\s\\"',;]+/gi;
const LONG_RUN = /[A-Za-z0-9+/_=-]{20,}/g;
const LONGEST_QUOTE = 2000;

/**
 * Takes out of free text what has the shape of a secret: `Bearer …`, `bearer_token…`, JSON web
 * tokens, credentials in addresses, pairs of hex digits, and runs of 20 or more base64 or base64url
 * characters, wrapped over lines too, save exact names of objects that were asked about or that an
 * API listed. What nobody sees (colours, soft hyphens) goes too, for it may break a secret up.
 * Bounded to 2,000 characters, the end kept.
 * @param names exact names that may stay
 */
export function redact(text: string, names: readonly string[] = []): string {
  const known = new Set(names);
  const seen = text.replace(ESCAPES, '').replace(UNSEEN, '');
  const shaped = seen
    .replace(CREDENTIALS, '$1[redacted]@')
    .replace(JWT, '[redacted]')
    .replace(HEX_PAIRS, '[redacted]');
  const redacted = withoutWrapped(shaped, known, '[redacted]')
    .replace(BEARER_TOKEN, 'bearer_token [redacted]')
    .replace(BEARER, 'Bearer [redacted]')
    .replace(LONG_RUN, (run) => (known.has(run) ? run : '[redacted]'));
  return redacted.length > LONGEST_QUOTE ? `…${redacted.slice(-LONGEST_QUOTE)}` : redacted;
}
