import * as fc from 'fast-check';

/**
 * Any character of Unicode. fast-check's own `binary` keeps a table of a million, 80 MB, in the
 * process.
 */
export const anyCharacter = fc
  .integer({ min: 0, max: 0x10ffff })
  .filter((code) => code < 0xd800 || code > 0xdfff)
  .map((code) => String.fromCodePoint(code));
