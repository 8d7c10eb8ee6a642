import { CookieJar } from 'tough-cookie';
import { retryAfterOf, send, type HttpResponse } from '../http.ts';
import { failure } from '../failure.ts';
import { redact } from '../../domain/text/index.ts';
import type { Secret } from '../../config/secret.ts';

const REMEMBERED = 'remember_2sv_session';
const MOST_REDIRECTS = 5;
/** Where a 429 does not say how long to wait. */
const WAITS_MS = 30_000;

export interface SignonPage extends HttpResponse {
  /** Path of the page that answered, redirects followed. */
  path: string;
}

/**
 * Speaks HTTP to Signon as a browser would: keeps cookies, follows redirects on the same host only,
 * sends forms as forms.
 */
export class Browser {
  private jar = new CookieJar();
  /** Nothing is sent before, ms since the epoch: the load balancer asked to wait. */
  private quietUntil = 0;

  constructor(
    private readonly origin: string,
    /** How long to wait for one answer, in ms. */
    private readonly limitMs: number,
  ) {}

  /**
   * Loads a page, redirects followed.
   * @throws NotPermitted (not retried), Unreachable
   */
  async open(path: string): Promise<SignonPage> {
    let at = path;
    for (let hop = 0; hop <= MOST_REDIRECTS; hop++) {
      // A redirect is text from outside.
      const answer = await this.request('GET', at, { shownAs: hop === 0 ? path : redact(at) });
      const next = this.redirect(answer);
      if (next === undefined) return { ...answer, path: at };
      at = next;
    }
    throw failure('Unreachable', `Signon redirected ${path} more than ${MOST_REDIRECTS} times`);
  }

  /**
   * Sends a form, whatever the status of its answer, and returns where Signon sends us, unfollowed;
   * `undefined` location where it does not redirect.
   */
  async submit(
    path: string,
    referer: string,
    csrf: Secret,
    fields: Record<string, string>,
  ): Promise<HttpResponse & { location?: string }> {
    const form = new URLSearchParams({ authenticity_token: csrf.reveal(), ...fields }).toString();
    const answer = await this.request('POST', path, { body: { form, referer } });
    return { ...answer, location: this.redirect(answer) };
  }

  /** Forgets the session, keeps the remembered second step. */
  async forgetSession(): Promise<void> {
    const remembered = (await this.jar.getCookies(this.origin)).find(
      ({ key }) => key === REMEMBERED,
    );
    this.jar = new CookieJar();
    if (remembered) await this.jar.setCookie(remembered, this.origin);
  }

  private async request(
    method: 'GET' | 'POST',
    path: string,
    { body, shownAs = path }: { body?: { form: string; referer: string }; shownAs?: string },
  ): Promise<HttpResponse> {
    const url = this.origin + path;
    const what = `${method} ${shownAs}`;
    const left = this.quietUntil - Date.now();
    if (left > 0)
      throw throttled(`${what} was not sent: Signon’s load balancer asked to wait`, left);
    const answer = await send(
      'Signon',
      {
        limitMs: this.limitMs,
        method,
        url,
        data: body?.form,
        headers: {
          Accept: 'text/html',
          'User-Agent': 'signon-token-rotation',
          Cookie: await this.jar.getCookieString(url),
          ...(body && {
            'Content-Type': 'application/x-www-form-urlencoded',
            Origin: this.origin,
            Referer: this.origin + body.referer,
          }),
        },
      },
      shownAs,
    );
    for (const cookie of [answer.headers['set-cookie'] ?? []].flat())
      await this.jar.setCookie(cookie, url, { ignoreError: true });
    if (answer.status === 429) {
      const wait = retryAfterOf(answer) ?? WAITS_MS;
      this.quietUntil = Date.now() + wait;
      throw throttled(
        `Signon’s load balancer answered ${what} with 429, so it had no effect`,
        wait,
      );
    }
    if (method === 'GET' && answer.status === 403)
      throw failure(
        'NotPermitted',
        `Signon refused ${what} with 403, as it does a host that it does not know: check SIGNON_URL`,
      );
    if (method === 'GET' && answer.status >= 500)
      throw failure('Unreachable', `Signon answered ${what} with ${answer.status}`);
    return answer;
  }

  private redirect(answer: HttpResponse): string | undefined {
    if (answer.status < 300 || answer.status > 399) return undefined;
    const location = String(answer.headers.location ?? '');
    const target = URL.canParse(location, this.origin) ? new URL(location, this.origin) : undefined;
    if (target?.origin !== new URL(this.origin).origin)
      throw failure('ContractChanged', 'Signon redirected to another host');
    return target.pathname + target.search;
  }
}

function throttled(what: string, waitMs: number): Error {
  return failure('Throttled', `${what}; retried in ${Math.ceil(waitMs / 1000)} s`, waitMs);
}
