import { randomBytes } from 'node:crypto';
import type { Authorisation, WorldState } from '../world-state.ts';
import { csrfToken, type Session } from './session-cookie.ts';

type ApiUser = WorldState['apiUsers'][number];
type Application = WorldState['applications'][number];

/** A page of Signon around its content; says what the flash holds. */
export function page(session: Session, title: string, content: string, caption?: string): string {
  const flash = { ...session.shown, ...session.flash };
  const alerts = [
    flash.alert &&
      `<div class="gem-c-error-alert govuk-error-summary"><div class="gem-c-error-alert__message govuk-error-summary__title">${escape(flash.alert)}</div></div>`,
    flash.notice && successAlert(escape(flash.notice)),
    flash.token &&
      successAlert(
        `Make sure to copy the access token for ${escape(flash.token.application)} now. You won&#39;t be able to see it again!`,
        copyField(flash.token),
      ),
  ];
  return `<!DOCTYPE html>
<html lang="en" class="govuk-template">
<head><meta charset="utf-8"><title>${escape(title)} - GOV.UK Signon</title><meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="csrf-param" content="authenticity_token"><meta name="csrf-token" content="${csrfToken(session)}">
<link rel="stylesheet" href="/assets/govuk-frontend.min.css"></head>
<body class="govuk-template__body">
<header class="govuk-header"><div class="govuk-header__container govuk-width-container"><div class="govuk-header__logo"><a class="govuk-header__link govuk-header__homepage-link" href="/"><span class="govuk-header__product-name">GOV.UK Signon (sandbox)</span></a></div></div></header>
<div class="govuk-width-container"><main class="govuk-main-wrapper">${alerts.filter(Boolean).join('\n')}
<h1 class="gem-c-heading__text govuk-heading-xl">${caption ? `<span class="govuk-caption-xl gem-c-heading__context">${escape(caption)}</span>` : ''}${escape(title)}</h1>
${content}</main></div></body></html>`;
}

export function signInForm(session: Session): string {
  return form(
    session,
    '/users/sign_in',
    `${input('Email', 'user[email]', 'email')}${input('Password', 'user[password]', 'password')}${button('Sign in')}`,
  );
}

export function secondStepForm(session: Session): string {
  return form(
    session,
    '/users/two_step_verification_session',
    `${input('6-digit code', 'code', 'text')}${button('Sign in')}`,
  );
}

export function accountLocked(): string {
  return '<p class="govuk-body">Your account is locked for an hour after too many attempts.</p>';
}

export function apiUsersTable(users: { user: ApiUser; apps: string[] }[]): string {
  const cell = (heading: string, html: string): string =>
    `<td class="govuk-table__cell"><span class="app-c-table__duplicate-heading" aria-hidden="true" hidden>${heading}</span>${html}</td>`;
  const rows = users.map(
    ({ user, apps }) =>
      `<tr class="govuk-table__row">${cell('Name', `<a class="govuk-link" href="/api_users/${user.id}/edit">${escape(user.name)}</a>`)}${cell('Email', escape(user.email))}${cell('Apps', escape(apps.join(', ')))}${cell('Status', `<strong class="govuk-tag">${user.suspended ? 'Suspended' : 'Active'}</strong>`)}</tr>`,
  );
  return `<table class="govuk-table"><thead><tr>${['Name', 'Email', 'Apps', 'Status'].map((head) => `<th scope="col" class="govuk-table__header">${head}</th>`).join('')}</tr></thead><tbody class="govuk-table__body">${rows.join('\n')}</tbody></table>`;
}

export function apiUserDetails(user: ApiUser): string {
  return `${summaryList([
    ['Name', escape(user.name)],
    ['Email', escape(user.email)],
    ['Status', user.suspended ? 'Suspended' : 'Active'],
  ])}
<a class="govuk-button" href="/api_users/${user.id}/manage_tokens">Manage tokens</a>`;
}

export function tokenCards(
  user: ApiUser,
  tokens: { token: Authorisation; application: Application }[],
): string {
  const cards = tokens.map(
    ({
      token,
      application,
    }) => `<div class="govuk-summary-card"><div class="govuk-summary-card__title-wrapper">
<h2 class="govuk-summary-card__title">${escape(application.name)}</h2>
<ul class="govuk-summary-card__actions"><li class="govuk-summary-card__action"><a class="govuk-link" href="/api_users/${user.id}/authorisations/${token.id}/edit">Revoke<span class="govuk-visually-hidden"> token giving ${escape(user.name)} access to ${escape(application.name)}</span></a></li></ul></div>
<div class="govuk-summary-card__content">${summaryList(tokenRows(token))}</div></div>`,
  );
  return `<a class="govuk-button" href="/api_users/${user.id}/authorisations/new">Add application token</a>\n${cards.join('\n')}`;
}

export function newTokenForm(session: Session, user: ApiUser, applications: Application[]): string {
  const options = applications
    .map(({ id, name }) => `<option value="${id}">${escape(name)}</option>`)
    .join('');
  const id = 'authorisation_application_id'; // of a real form field, so it is the same each time
  return form(
    session,
    `/api_users/${user.id}/authorisations`,
    `<div class="govuk-form-group"><label class="govuk-label" for="${id}">Application</label><select class="govuk-select" id="${id}" name="authorisation[application_id]">${options}</select></div>${button('Create access token')}`,
  );
}

export function revokeForm(
  session: Session,
  user: ApiUser,
  token: Authorisation,
  application: Application,
): string {
  return `<h2 class="govuk-heading-m">Access token details</h2>${summaryList([['Application', escape(application.name)], ...tokenRows(token)])}
${form(session, `/api_users/${user.id}/authorisations/${token.id}/revoke`, `<button class="gem-c-button govuk-button govuk-button--warning" type="submit">Revoke token</button>`)}`;
}

function escape(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

function successAlert(message: string, description = ''): string {
  return `<div class="gem-c-success-alert govuk-notification-banner govuk-notification-banner--success"><div class="govuk-notification-banner__content"><h3 class="govuk-notification-banner__heading">${message}</h3>${description}</div></div>`;
}

function copyField({ application, value }: { application: string; value: string }): string {
  const name = `input-${randomBytes(4).toString('hex')}`;
  return `<div class="gem-c-copy-to-clipboard"><label class="govuk-label">Access token for ${escape(application)}</label><input class="gem-c-input govuk-input" readonly="readonly" name="${name}" value="${escape(value)}"></div>`;
}

function tokenRows(token: Authorisation): [string, string][] {
  const { token: value } = token;
  return [
    [
      'Token (hidden)',
      `<code>\n  ${value.slice(0, 8)}${'\u2022'.repeat(24)}${value.slice(-8)}\n</code>`,
    ],
    ['Generated', day(token.createdAt)],
    ['Expires', day(token.expiresAt)],
  ];
}

function summaryList(rows: [string, string][]): string {
  return `<dl class="govuk-summary-list">${rows.map(([key, value]) => `<div class="govuk-summary-list__row"><dt class="govuk-summary-list__key">\n${key}\n</dt><dd class="govuk-summary-list__value">\n${value}\n</dd></div>`).join('')}</dl>`;
}

function form(session: Session, action: string, fields: string): string {
  return `<form action="${action}" accept-charset="UTF-8" method="post"><input type="hidden" name="authenticity_token" value="${csrfToken(session, action)}" autocomplete="off">${fields}</form>`;
}

function input(label: string, name: string, type: string): string {
  const id = `input-${randomBytes(4).toString('hex')}`;
  return `<div class="govuk-form-group"><label class="govuk-label" for="${id}">${label}</label><input class="govuk-input" id="${id}" name="${name}" type="${type}"></div>`;
}

function button(text: string): string {
  return `<button class="gem-c-button govuk-button" type="submit">${text}</button>`;
}

const format = new Intl.DateTimeFormat('en-GB', {
  timeZone: 'Europe/London',
  day: 'numeric',
  month: 'long',
  year: 'numeric',
});

function day(ms: number): string {
  return format.format(ms);
}
