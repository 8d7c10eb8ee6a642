import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { createRequire } from 'node:module';
import { readFileSync } from 'node:fs';
import { Faults } from '../faults.ts';
import type { World } from '../world.ts';
import type { WorldState } from '../world-state.ts';
import { csrfValid, newSession, seal, unseal, type Session } from './session-cookie.ts';
import { IDLE_MS } from './sign-in.ts';
import * as views from './views.ts';

const COOKIE = '_signonotron2_session';
export const PROMPT = '/account/two_step_verification/prompt';
const STYLES = createRequire(import.meta.url).resolve(
  'govuk-frontend/dist/govuk/govuk-frontend.min.css',
);

export type Handler = (exchange: Exchange) => FastifyReply;
export interface Exchange {
  request: FastifyRequest<{ Params: Record<string, string> }>;
  reply: FastifyReply;
  session: Session;
  body: Record<string, string>;
}

/**
 * What every page of the Signon stand-in shares: sessions in a cookie, forms with tokens of their
 * own, and who may see what.
 */
export class Site {
  readonly faults = new Faults();
  /** Told every session cookie that is set, for tests that look for them where they must not be. */
  onSetCookie: (value: string) => void = () => undefined;
  private readonly server: FastifyInstance = fastify({ forceCloseConnections: true });
  private origin = '';

  constructor(readonly world: World) {
    this.server.addContentTypeParser(
      'application/x-www-form-urlencoded',
      { parseAs: 'string' },
      (_request, body, done) => done(null, Object.fromEntries(new URLSearchParams(String(body)))),
    );
    this.server.get('/assets/govuk-frontend.min.css', (_request, reply) =>
      reply.type('text/css').send(readFileSync(STYLES)),
    );
    this.faults.install(this.server);
    this.server.addHook('onRequest', async () => {
      this.world.happened.requests.signon++;
    });
    this.server.setNotFoundHandler((_request, reply) => reply.code(404).send(''));
    this.server.setErrorHandler((_error, _request, reply) => reply.code(500).send(''));
  }

  async listen(port = 0): Promise<string> {
    this.origin = await this.server.listen({ port, host: '127.0.0.1' });
    return this.origin;
  }

  close(): Promise<void> {
    return this.server.close();
  }

  get(path: string, handler: Handler): void {
    this.server.get(path, (request, reply) =>
      handler({
        request: request as Exchange['request'],
        reply,
        session: this.sessionOf(request),
        body: {},
      }),
    );
  }

  /** Every POST is checked for its token and origin, before any check of who you are. */
  post(path: string, handler: Handler): void {
    this.server.post(path, (request, reply) => {
      const body = (request.body ?? {}) as Record<string, string>;
      const session = this.sessionOf(request);
      const token = body.authenticity_token ?? String(request.headers['x-csrf-token'] ?? '');
      const { origin } = request.headers;
      if (
        !csrfValid(session, token, request.url.split('?')[0]!) ||
        (origin !== undefined && origin !== this.origin)
      )
        return reply.code(422).send('');
      return handler({ request: request as Exchange['request'], reply, session, body });
    });
  }

  /** The flash lives for one request more, even where that is no page to show it on. */
  private sessionOf(request: FastifyRequest): Session {
    const { flash, ...session } =
      unseal(cookieOf(request, COOKIE) ?? '', this.world.state.cookieKey) ?? newSession();
    return { ...session, shown: flash };
  }

  signedIn(handler: Handler): Handler {
    return (exchange) => {
      const { session, reply, request } = exchange;
      const { account } = this.world.state;
      const path = request.url;
      const accept = request.headers.accept ?? '*/*';
      const asksForHtml = accept.includes('text/html');
      const asksForJson = accept.includes('json') && !asksForHtml && !accept.includes('*/*');
      if (session.email === undefined || session.epoch !== account.sessionEpoch) {
        if (asksForJson) return reply.code(401).send('');
        const expired = session.email === undefined ? session.shown : undefined;
        const fresh = { ...newSession(), returnTo: path, flash: expired };
        return this.redirect(reply, fresh, '/users/sign_in');
      }
      if (this.world.now() - (session.lastSeen ?? 0) > IDLE_MS) {
        const fresh: Session = {
          ...newSession(),
          flash: { alert: 'Your session expired, please sign in again.' },
          returnTo: path,
        };
        return this.redirect(reply, fresh, request.method === 'GET' ? path : refererPath(request));
      }
      session.lastSeen = this.world.now();
      if (account.secondStepMissing) {
        return path === PROMPT ? handler(exchange) : this.redirect(reply, session, PROMPT);
      }
      if (!session.secondStepDone) {
        session.returnTo = path;
        return asksForHtml
          ? this.redirect(reply, session, '/users/two_step_verification_session/new')
          : reply.code(500).send('');
      }
      if (asksForJson && request.method === 'GET') return reply.code(406).send('');
      return handler(exchange);
    };
  }

  superadmin(handler: Handler): Handler {
    return this.signedIn((exchange) => {
      if (this.world.state.account.superadmin) return handler(exchange);
      exchange.session.flash = { alert: 'You do not have permission to perform this action.' };
      return this.redirect(exchange.reply, exchange.session, '/');
    });
  }

  ofUser(
    handler: (exchange: Exchange, user: WorldState['apiUsers'][number]) => FastifyReply,
  ): Handler {
    return this.superadmin((exchange) => {
      const user = this.world.state.apiUsers.find(
        ({ id }) => String(id) === exchange.request.params.id,
      );
      return user ? handler(exchange, user) : exchange.reply.code(404).send('');
    });
  }

  /** Shows a page; the flash is shown once. */
  show(
    reply: FastifyReply,
    session: Session,
    title: string,
    content: string,
    caption?: string,
  ): FastifyReply {
    const html = views.page(session, title, content, caption);
    delete session.flash;
    return this.keep(reply, session).type('text/html; charset=utf-8').send(html);
  }

  redirect(reply: FastifyReply, session: Session, path: string): FastifyReply {
    return this.keep(reply, session)
      .code(302)
      .header('Location', this.origin + path)
      .send('');
  }

  private keep(reply: FastifyReply, session: Session): FastifyReply {
    const value = seal({ ...session, shown: undefined }, this.world.state.cookieKey);
    this.onSetCookie(value);
    return reply.header('Set-Cookie', `${COOKIE}=${value}; path=/; HttpOnly; SameSite=Lax`);
  }
}

export function cookieOf(request: FastifyRequest, name: string): string | undefined {
  return new RegExp(`(?:^|; )${name}=([^;]+)`).exec(request.headers.cookie ?? '')?.[1];
}

function refererPath(request: FastifyRequest): string {
  const { referer } = request.headers;
  return referer && URL.canParse(referer) ? new URL(referer).pathname : '/users/sign_in';
}
