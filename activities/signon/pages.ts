import { load, type CheerioAPI } from 'cheerio';
import { failure } from '../failure.ts';
import { Secret, sha256 } from '../../config/secret.ts';
import type { Pair } from '../../domain/rotation/index.ts';
import type { Day, ListedToken } from '../../domain/tokens/index.ts';

// Each reader throws ContractChanged where a page is not what it expects.

/** No name or title on these pages is longer; what is longer is cut. */
const LONGEST_TEXT = 1000;

export type ApiUserRow = Pair['apiUser'];

export interface Card extends ListedToken {
  application: string;
}

/** Reads `GET /api_users`. */
export function readApiUsers(html: string): ApiUserRow[] {
  const $ = load(html);
  const rows = $('table tbody tr').toArray();
  if (rows.length === 0 && $('table').length === 0)
    throw changed('/api_users', 'a table of API users');
  return rows.map((row) => {
    const cells = $(row)
      .children('td, th')
      .toArray()
      .map((cell) => {
        $(cell).find('.app-c-table__duplicate-heading').remove();
        return { text: squeeze($(cell).text()), href: $(cell).find('a').attr('href') };
      });
    const [name, email, , status] = cells;
    const id = /\/api_users\/(\d{1,15})\/edit$/.exec(name?.href ?? '')?.[1];
    if (
      !id ||
      !name ||
      !email?.text.includes('@') ||
      !/^(Active|Suspended)$/.test(status?.text ?? '')
    )
      throw changed('/api_users', 'rows of Name (with link), Email, Apps, Status');
    return {
      id: Number(id),
      name: name.text,
      email: email.text.toLowerCase(),
      suspended: status?.text === 'Suspended',
    };
  });
}

/** Reads `GET /api_users/:id/manage_tokens`: whose it is, and its cards. */
export function readManageTokens(html: string): { apiUser: string; cards: Card[] } {
  const $ = load(html);
  const title = heading($);
  const prefix = 'Manage tokens for ';
  if (!title.startsWith(prefix)) throw changed('manage_tokens', `the heading “${prefix}…”`);
  const cards = $('.govuk-summary-card')
    .toArray()
    .map((card) => {
      const href = $(card).find('a[href*="/authorisations/"]').attr('href') ?? '';
      const id = /\/authorisations\/(\d{1,15})\/edit$/.exec(href)?.[1];
      const application = squeeze($(card).find('.govuk-summary-card__title').text());
      if (!id || application === '')
        throw changed('manage_tokens', 'cards with a title and a link to the authorisation');
      return { authorisationId: Number(id), application, ...readDetails($, $(card)) };
    });
  return { apiUser: title.slice(prefix.length), cards };
}

/** Reads name and e-mail from `GET /api_users/:id/edit`. */
export function readApiUser(html: string): { name: string; email: string } {
  const $ = load(html);
  const name = rowValue($, $.root(), 'Name');
  const email = rowValue($, $.root(), 'Email');
  if (!name || !email?.includes('@')) throw changed('API user', 'rows of “Name” and “Email”');
  return { name, email: email.toLowerCase() };
}

/** The token shown once after a create; undefined where the page shows none. */
export function readShownToken(html: string): Secret | undefined {
  const value = load(html)('.gem-c-copy-to-clipboard input[readonly]').attr('value');
  return value === undefined ? undefined : new Secret(value);
}

/** Reads heading, details and form of `GET /api_users/:id/authorisations/:id/edit`. */
export function readRevokePage(
  html: string,
): Omit<Card, 'authorisationId'> & { heading: string; csrf: Secret; action: string } {
  const $ = load(html);
  const application = rowValue($, $.root(), 'Application');
  const form = $('form[action$="/revoke"]');
  const action = form.attr('action');
  if (application === undefined || action === undefined)
    throw changed('authorisation', 'the row “Application” and the revoke form');
  return {
    heading: heading($),
    application,
    ...readDetails($, $.root()),
    action,
    csrf: csrfOf($, form, 'the revoke form'),
  };
}

/** Reads applications on offer and the form's token: `GET /api_users/:id/authorisations/new`. */
export function readNewTokenPage(html: string): {
  applications: { id: number; name: string }[];
  csrf: Secret;
} {
  const $ = load(html);
  const select = $('select[name="authorisation[application_id]"]');
  if (select.length !== 1) throw changed('authorisations/new', 'one select of applications');
  const applications = select
    .find('option')
    .toArray()
    .map((option) => ({ id: Number($(option).attr('value')), name: squeeze($(option).text()) }))
    .filter(({ id }) => Number.isSafeInteger(id) && id > 0);
  return { applications, csrf: csrfOf($, select.closest('form'), 'the form around the select') };
}

/** The form's own token at sign-in and at the second step. */
export function readFormToken(html: string, field: string): Secret {
  const $ = load(html);
  return csrfOf($, $(`input[name="${field}"]`).closest('form'), `a form with the field ${field}`);
}

export function hasField(html: string, field: string): boolean {
  return load(html)(`input[name="${field}"]`).length > 0;
}

/** Text of the error alert, if any; bounded. */
export function readAlert(html: string): string {
  return textOf(html, '.gem-c-error-alert__message');
}

/** Text of the success alert, if any; bounded. Never read where a token may be shown. */
export function readSuccess(html: string): string {
  return textOf(html, '.gem-c-success-alert .govuk-notification-banner__heading');
}

function textOf(html: string, selector: string): string {
  return squeeze(load(html)(selector).first().text()).slice(0, 300);
}

type Nodes = ReturnType<CheerioAPI>;

function readDetails($: CheerioAPI, within: Nodes): Omit<ListedToken, 'authorisationId'> {
  const hidden = /^([\w-]{8})\u2022{24}([\w-]{8})$/.exec(
    squeeze(within.find('code').first().text()),
  );
  const generated = readDay(rowValue($, within, 'Generated'));
  const expires = readDay(rowValue($, within, 'Expires'));
  if (!hidden || !generated || !expires)
    throw changed(
      'token details',
      'a hidden token of 8 + 24 bullets + 8, “Generated” and “Expires”',
    );
  const [, first, last] = hidden as unknown as [string, string, string];
  return { masked: `${first}…${last}`, maskedSha256: sha256(first + last), generated, expires };
}

function rowValue($: CheerioAPI, within: Nodes, key: string): string | undefined {
  const row = within
    .find('.govuk-summary-list__row')
    .toArray()
    .find((candidate) => squeeze($(candidate).find('.govuk-summary-list__key').text()) === key);
  return row && squeeze($(row).find('.govuk-summary-list__value').text());
}

const asShown = new Intl.DateTimeFormat('en-GB', { dateStyle: 'long', timeZone: 'UTC' });

/** A day as the pages write it: `4 December 2026`. */
function readDay(text = ''): Day | undefined {
  const day = new Date(`${text} UTC`);
  const isDay = !Number.isNaN(day.getTime()) && asShown.format(day) === text;
  return isDay ? day.toISOString().slice(0, 10) : undefined;
}

function csrfOf($: CheerioAPI, form: Nodes, what: string): Secret {
  const value =
    form.find('input[name="authenticity_token"]').first().attr('value') ??
    $('meta[name="csrf-token"]').attr('content');
  if (form.length === 0 || !value) throw changed('form', `${what}, with its authenticity token`);
  return new Secret(value);
}

function heading($: CheerioAPI): string {
  const h1 = $('h1').first().clone();
  h1.find('.gem-c-heading__context, .govuk-caption-xl, .govuk-caption-l').remove();
  return squeeze(h1.text());
}

function squeeze(text: string): string {
  return text.replace(/\s+/g, ' ').trim().slice(0, LONGEST_TEXT);
}

function changed(page: string, expected: string): Error {
  return failure('ContractChanged', `Signon’s ${page} page does not hold ${expected}`);
}
