const BEARER = /\bbearer[\s"':=]+[^\s"',;]+/gi;
const BEARER_TOKEN = /bearer_token[\\"']*\s*[:=]+>?\s*[\\"']*[^\s\\"',;]+/gi;
const LONG_RUN = /[A-Za-z0-9+/_=-]{20,}/g;
const LONGEST_QUOTE = 2000;

/**
 * Takes out of free text what has the shape of a secret: `Bearer …`, `bearer_token…`, and runs of 20 or more base64 or base64url
 * characters, save exact names of objects that were asked about or that an API listed. Bounded to 2,000 characters, the end kept.
 * @param names exact names that may stay
 */
export function redact(text: string, names: readonly string[] = []): string {
  const known = new Set(names);
  const redacted = text
    .replace(BEARER_TOKEN, 'bearer_token [redacted]')
    .replace(BEARER, 'Bearer [redacted]')
    .replace(LONG_RUN, (run) => (known.has(run) ? run : '[redacted]'));
  return redacted.length > LONGEST_QUOTE ? `…${redacted.slice(-LONGEST_QUOTE)}` : redacted;
}
