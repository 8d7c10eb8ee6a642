/**
 * A name as Rails' `parameterize` makes it: accents dropped, lower case, every run of other characters than
 * a–z, 0–9, `-` and `_` becomes one `-`, none at either end. Signon names applications in metrics and Secrets this way.
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

const LETTERS_WITHOUT_DECOMPOSITION: Readonly<Record<string, string>> = {
  ß: 'ss',
  æ: 'ae',
  Æ: 'AE',
  ø: 'o',
  Ø: 'O',
  œ: 'oe',
  Œ: 'OE',
  ł: 'l',
  Ł: 'L',
  đ: 'd',
  Đ: 'D',
  ð: 'd',
  Ð: 'D',
  þ: 'th',
  Þ: 'Th',
  ı: 'i',
};

function transliterate(name: string): string {
  return Array.from(name.normalize('NFC'), (character) => {
    const plain = LETTERS_WITHOUT_DECOMPOSITION[character] ?? character.normalize('NFD').replace(/\p{M}/gu, '');
    return /^[\x00-\x7f]*$/.test(plain) ? plain : '?';
  }).join('');
}
