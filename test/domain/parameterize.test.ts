import { expect, test } from '../support/jest.ts';
import * as fc from 'fast-check';
import { anyCharacter } from '../support/any-character.ts';
import { isNamedAfter, parameterize, tokenSecretName } from '../../domain/text/parameterize.ts';

test.each([
  ['Publishing API', 'publishing-api'],
  ['Signon API Client (permissions)', 'signon-api-client-permissions'],
  ['publishing-api', 'publishing-api'],
  ['  Email   Alert -- API  ', 'email-alert-api'],
  ['short_url.manager', 'short_url-manager'],
  ['_private_', '_private_'],
  ['(–)', ''],
  ['', ''],
  ['DfE: “Find & Apply”', 'dfe-find-apply'],
  ['HMRC\nManuals', 'hmrc-manuals'],
  ['Café Œuvre Straße', 'cafe-oeuvre-strasse'],
  ['Cafe\u0301', 'cafe'],
  ['日本 tokens', 'tokens'],
  // Expected values as I18n's default rule gives them, letter by letter.
  ['Æsir & Ðuro × Øre', 'aesir-duro-x-ore'],
  ['Þór ÞORN', 'thor-thorn'],
  ['Straẞe', 'strasse'],
  ['Ħal-Għarb İzmir ıssız', 'hal-gharb-izmir-issiz'],
  ['Ĳmuiden ĳs', 'ijmuiden-ijs'],
  ['ŉ Ŋa', 'n-nga'],
  ['Łódź Ŀ ŀ ĸ Ŧ', 'lodz-l-l-k-t'],
  ['Ǫ ǫ Ǭ ǭ', 'o-o-o-o'],
  ['Ž ž Ÿ', 'z-z-y'],
  // Letters of which Rails knows nothing become a hyphen, accents or not.
  ['ǎ Viện ſ ÷', 'vi-n'],
  ['Ŵy\u0302', 'wy'],
])('%p is called %p, as Rails has it', (name, called) => {
  expect(parameterize(name)).toBe(called);
});

test('any name becomes words of a–z, 0–9 and _ with single hyphens between them', () => {
  fc.assert(
    fc.property(fc.string({ unit: anyCharacter }), (name) =>
      expect(parameterize(name)).toMatch(/^$|^[a-z0-9_]+(-[a-z0-9_]+)*$/),
    ),
  );
});

test('a name that is parameterized already stays as it is', () => {
  fc.assert(
    fc.property(fc.string({ unit: anyCharacter }), (name) =>
      expect(parameterize(parameterize(name))).toBe(parameterize(name)),
    ),
  );
});

test('capitals and blanks around a name make no difference', () => {
  fc.assert(
    fc.property(fc.string(), (name) => {
      expect(parameterize(name.toUpperCase())).toBe(parameterize(name));
      expect(parameterize(` ${name}\t`)).toBe(parameterize(name));
    }),
  );
});

test.each([
  ['Short url manager', 'Publishing API', 'signon-token-short-url-manager-publishing-api'],
  [
    'Collections Publisher',
    'Link Checker API',
    'signon-token-collections-publisher-link-checker-api',
  ],
  ['Trade Tariff (backend)', 'Signon', 'signon-token-trade-tariff-backend-signon'],
  ['- Account API -', '(Email) Alert', 'signon-token-account-api-email-alert'],
])('the token of %p for %p is written to the Secret %p', (apiUser, application, secret) => {
  expect(tokenSecretName(apiUser, application)).toBe(secret);
});

test('two pairs whose names run together have one Secret name: it does not tell which pair', () => {
  expect(tokenSecretName('Account', 'API Signon')).toBe(tokenSecretName('Account API', 'Signon'));
});

test.each([
  ['PUBLISHING_API_BEARER_TOKEN', 'Publishing API', true],
  ['RUMMAGER_BEARER_TOKEN', 'Search API', false],
  ['PUBLISHING_API_BEARER_TOKEN', 'Email Alert API', false],
  ['bearer_token', 'Publishing API', false],
])('%s is named after %s: %p', (variable, application, named) => {
  expect(isNamedAfter(variable, application)).toBe(named);
});
