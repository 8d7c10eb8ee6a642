/**
 * A name as Rails' `parameterize` makes it: accents dropped, lower case, every run of other
 * characters than a–z, 0–9, `-` and `_` becomes one `-`, none at either end. Signon names
 * applications in metrics and Secrets this way.
 *
 * @example parameterize('Signon API Client (permissions)') // 'signon-api-client-permissions'
 */
export function parameterize(name: string): string {
  return transliterate(name)
    .replace(/[^a-z0-9\-_]+/gi, '-')
    .replace(/-{2,}/g, '-')
    .replace(/^-|-$/g, '')
    .toLowerCase();
}

/** The name of the Kubernetes Secret that Signon's token sync writes for a pair. */
export function tokenSecretName(apiUserName: string, applicationName: string): string {
  return parameterize(`signon-token-${apiUserName}-${applicationName}`);
}

/**
 * The letters that Rails' default rule (I18n's) writes in ASCII are Latin-1's and Latin
 * Extended-A's, up to ž, and a few more. Most lose their accents; these do not come apart. In lower
 * case, as the result is.
 */
const WITHOUT_ACCENT: Readonly<Record<string, string>> = {
  æ: 'ae',
  ð: 'd',
  '×': 'x',
  ø: 'o',
  þ: 'th',
  ß: 'ss',
  đ: 'd',
  ħ: 'h',
  ı: 'i',
  ĳ: 'ij',
  ĸ: 'k',
  ŀ: 'l',
  ł: 'l',
  ŉ: "'n",
  ŋ: 'ng',
  œ: 'oe',
  ŧ: 't',
};
/** Accents are dropped of these alone: of any other letter Rails knows nothing. */
const ACCENTED = /^[À-žǪǫǬǭ]$/u;

function transliterate(name: string): string {
  return Array.from(name.normalize('NFC'), (character) => {
    if (/^[\x00-\x7f]$/.test(character)) return character;
    const plain =
      WITHOUT_ACCENT[character.toLowerCase()] ??
      (ACCENTED.test(character) ? character.normalize('NFD').replace(/\p{M}/gu, '') : '?');
    return /^[\x00-\x7f]*$/.test(plain) ? plain : '?';
  }).join('');
}

/**
 * Whether a variable's name is the one that names this server application:
 * `PUBLISHING_API_BEARER_TOKEN` for `publishing-api`.
 */
export function isNamedAfter(variable: string, applicationName: string): boolean {
  return (
    variable === `${parameterize(applicationName).replaceAll('-', '_').toUpperCase()}_BEARER_TOKEN`
  );
}
