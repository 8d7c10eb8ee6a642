import type { OutgoingHttpHeaders } from 'node:http';
import { load } from 'cheerio';
import { generateSync } from 'otplib';
import { readAlert } from '../../../activities/signon/pages.ts';
import type { Sandbox } from '../../../sandbox/sandbox.ts';
import { ask } from '../raw.ts';

export const SIGN_IN = '/users/sign_in';
export const SECOND_STEP = '/users/two_step_verification_session';

export interface Answer {
  status: number;
  body: string;
  /** Where a redirect leads, absolute as it was sent. */
  location?: string;
  /** The session cookie, where the answer set it. */
  cookie?: string;
}

/** A browser that hides nothing: cookies kept, redirects unfollowed. */
export class Visitor {
  readonly cookies = new Map<string, string>();

  constructor(readonly origin: string) {}

  get(path: string, headers: OutgoingHttpHeaders = {}): Promise<Answer> {
    return this.send('GET', path, headers);
  }

  post(
    path: string,
    fields: Record<string, string>,
    headers: OutgoingHttpHeaders = {},
  ): Promise<Answer> {
    const form = {
      'Content-Type': 'application/x-www-form-urlencoded',
      Origin: this.origin,
      ...headers,
    };
    return this.send('POST', path, form, new URLSearchParams(fields).toString());
  }

  follow({ location = '' }: Answer): Promise<Answer> {
    return this.get(location.slice(this.origin.length));
  }

  /** Loads a page and sends the form on it that leads to `path`. */
  async submit(page: string, path: string, fields: Record<string, string> = {}): Promise<Answer> {
    const { body } = await this.get(page);
    return this.post(path, { authenticity_token: formToken(body, path), ...fields });
  }

  private async send(
    method: string,
    path: string,
    headers: OutgoingHttpHeaders,
    form?: string,
  ): Promise<Answer> {
    const { status, body, ...answer } = await ask(this.origin + path, {
      method,
      headers: {
        Accept: 'text/html',
        'User-Agent': 'contract',
        Cookie: [...this.cookies].map((pair) => pair.join('=')).join('; '),
        ...headers,
      },
      body: form,
    });
    const set = (answer.headers['set-cookie'] ?? []).map((line) => line.split(';')[0]!);
    for (const cookie of set) this.cookies.set(...(cookie.split('=') as [string, string]));
    const cookie = set.find((line) => line.startsWith('_signonotron2_session='));
    return { status, body, location: answer.headers.location, cookie };
  }
}

/** A visitor who went as far as the password. */
export async function withPassword(
  sandbox: Sandbox,
  visitor = new Visitor(sandbox.urls.signon),
): Promise<Visitor> {
  await sendPassword(visitor, sandbox);
  return visitor;
}

/** A visitor who is signed in with both steps. */
export async function signedIn(sandbox: Sandbox): Promise<Visitor> {
  const visitor = await withPassword(sandbox);
  await sendCode(visitor, codeOf(sandbox));
  return visitor;
}

/** The right e-mail and password, unless told otherwise. */
export function sendPassword(
  visitor: Visitor,
  { world }: Sandbox,
  { email = world.state.account.email, password = world.state.account.password } = {},
): Promise<Answer> {
  return visitor.submit(SIGN_IN, SIGN_IN, { 'user[email]': email, 'user[password]': password });
}

export function sendCode(visitor: Visitor, code: string): Promise<Answer> {
  return visitor.submit(`${SECOND_STEP}/new`, SECOND_STEP, { code });
}

/** The code of now, or of a step of 30 s before or after. */
export function codeOf({ world }: Sandbox, steps = 0): string {
  const epoch = Math.floor(world.now() / 1000) + steps * 30;
  return generateSync({ secret: world.state.account.totpSecret, epoch });
}

/** Puts the clock to the middle of a code's 30 s, so that the next do not begin meanwhile. */
export function toTheMiddleOfAStep({ world }: Sandbox): void {
  world.state.clockOffsetMs += 45_000 - (world.now() % 30_000);
}

export function formToken(html: string, action: string): string {
  return (
    load(html)(`form[action="${action}"] input[name="authenticity_token"]`).first().attr('value') ??
    ''
  );
}

export function metaToken(html: string): string {
  return load(html)('meta[name="csrf-token"]').attr('content') ?? '';
}

export const alertOf = ({ body }: Answer): string => readAlert(body);
