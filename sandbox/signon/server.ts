import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { createRequire } from 'node:module';
import { readFileSync } from 'node:fs';
import { Faults } from '../faults.ts';
import type { World, WorldState } from '../world.ts';
import { csrfValid, newSession, seal, unseal, type Session } from './session-cookie.ts';
import { checkPassword, judgeCode, IDLE_MS } from './sign-in.ts';
import * as views from './views.ts';

const COOKIE = '_signonotron2_session';
const REMEMBER = 'remember_2sv_session';
const REMEMBERED_MS = 30 * 86_400_000;
const PROMPT = '/account/two_step_verification/prompt';
const STYLES = createRequire(import.meta.url).resolve('govuk-frontend/dist/govuk/govuk-frontend.min.css');

type Handler = (exchange: Exchange) => FastifyReply;
interface Exchange {
  request: FastifyRequest<{ Params: Record<string, string> }>;
  reply: FastifyReply;
  session: Session;
  body: Record<string, string>;
}

/** A stand-in of Signon's web pages, with its traps: status proves nothing, the cookie carries everything, a create always makes another token. */
export class SignonStandIn {
  readonly faults = new Faults();
  /** Told every session cookie that is set, for tests that look for them where they must not be. */
  onSetCookie: (value: string) => void = () => undefined;
  private readonly server: FastifyInstance = fastify({ forceCloseConnections: true });
  private origin = '';

  constructor(private readonly world: World) {
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
      this.world.happened.signonRequests++;
    });
    this.signInRoutes();
    this.tokenRoutes();
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

  private signInRoutes(): void {
    const { world } = this;
    const { account } = world.state;
    this.get('/users/sign_in', ({ reply, session }) =>
      this.show(reply, session, 'Sign in to GOV.UK', views.signInForm(session)),
    );
    this.post('/users/sign_in', ({ reply, session, body, request }) => {
      if (!request.headers['user-agent']) return reply.code(422).send('');
      if (!checkPassword(world, body['user[email]'], body['user[password]'])) {
        session.flash = {
          alert:
            'Invalid email or password. For security reasons, your account is locked for an hour after 6 failed attempts.',
        };
        return this.show(reply, session, 'Sign in to GOV.UK', views.signInForm(session));
      }
      if (account.suspended) {
        session.flash = { alert: 'Your account has been suspended. Please contact your administrator.' };
        return this.redirect(reply, session, '/users/sign_in');
      }
      world.happened.signIns++;
      const fresh: Session = {
        ...newSession(),
        email: account.email,
        epoch: account.sessionEpoch,
        lastSeen: world.now(),
      };
      const remembered = unseal(cookieOf(request, REMEMBER) ?? '', world.state.cookieKey);
      fresh.secondStepDone =
        remembered?.email === account.email && world.now() - (remembered.lastSeen ?? 0) < REMEMBERED_MS;
      return this.redirect(reply, fresh, session.returnTo ?? '/');
    });
    this.get('/users/two_step_verification_session/new', ({ reply, session }) =>
      this.show(reply, session, '2-step verification', views.secondStepForm(session)),
    );
    this.post('/users/two_step_verification_session', ({ reply, session, body }) => {
      if (session.email === undefined) return this.redirect(reply, session, '/users/sign_in');
      if (body.code === undefined) return reply.code(500).send('');
      const verdict = judgeCode(world, body.code);
      if (verdict === 'locked') return this.show(reply, newSession(), 'Account locked', views.accountLocked());
      if (verdict === 'wrong') {
        session.flash = { alert: 'Sorry, that code didn’t work.' };
        return this.show(reply, session, '2-step verification', views.secondStepForm(session));
      }
      session.secondStepDone = true;
      const target = session.returnTo ?? '/';
      delete session.returnTo;
      const remembered = seal({ csrf: '', email: session.email, lastSeen: world.now() }, world.state.cookieKey);
      void reply.header(
        'Set-Cookie',
        `${REMEMBER}=${remembered}; path=/; HttpOnly; SameSite=Lax; Max-Age=${REMEMBERED_MS / 1000}`,
      );
      return this.redirect(reply, session, target);
    });
    this.get(
      PROMPT,
      this.signedIn(({ reply, session }) => this.show(reply, session, 'Set up 2-step verification', '')),
    );
    this.get(
      '/',
      this.signedIn(({ reply, session }) =>
        this.show(
          reply,
          session,
          'Your applications',
          '<p class="govuk-body"><a class="govuk-link" href="/api_users">API users</a></p>',
        ),
      ),
    );
  }

  private tokenRoutes(): void {
    const { world } = this;
    const { state } = world;
    this.get(
      '/api_users',
      this.superadmin(({ reply, session }) => {
        const users = state.apiUsers
          .toSorted((a, b) => a.name.localeCompare(b.name))
          .map((user) => ({ user, apps: this.cardsOf(user).map(({ application }) => application.name) }));
        return this.show(reply, session, 'API users', views.apiUsersTable(users));
      }),
    );
    this.get(
      '/api_users/:id/edit',
      this.ofUser((exchange, user) =>
        this.show(exchange.reply, exchange.session, user.name, views.apiUserDetails(user), 'Manage API users'),
      ),
    );
    this.get(
      '/api_users/:id/manage_tokens',
      this.ofUser(({ reply, session }, user) =>
        this.show(
          reply,
          session,
          `Manage tokens for ${user.name}`,
          views.tokenCards(user, this.cardsOf(user)),
          'Manage API users',
        ),
      ),
    );
    this.get(
      '/api_users/:id/authorisations/new',
      this.ofUser(({ reply, session }, user) => {
        const offered = state.applications
          .filter(({ retired }) => !retired)
          .toSorted((a, b) => a.name.localeCompare(b.name));
        return this.show(
          reply,
          session,
          `Create new access token for ${user.name}`,
          views.newTokenForm(session, user, offered),
          'Manage API users',
        );
      }),
    );
    this.post(
      '/api_users/:id/authorisations',
      this.ofUser(({ reply, session, body }, user) => {
        const application = state.applications.find(({ id }) => String(id) === body['authorisation[application_id]']);
        if (!application) return reply.code(500).send('');
        const made = world.issue(user.id, application.id);
        if (application.retired) return reply.code(500).send('');
        session.flash = { token: { application: application.name, value: made.token } };
        return this.redirect(reply, session, `/api_users/${user.id}/manage_tokens`);
      }),
    );
    this.get(
      '/api_users/:id/authorisations/:token/edit',
      this.ofUser(({ reply, session, request }, user) => {
        const token = this.tokenOf(user, request.params.token);
        if (!token) return reply.code(404).send('');
        const application = state.applications.find(({ id }) => id === token.applicationId)!;
        return this.show(
          reply,
          session,
          `Revoke token giving ${user.name} access to ${application.name}`,
          views.revokeForm(session, user, token, application),
        );
      }),
    );
    this.post(
      '/api_users/:id/authorisations/:token/revoke',
      this.ofUser(({ reply, session, request }, user) => {
        const token = this.tokenOf(user, request.params.token);
        if (!token) return reply.code(404).send('');
        const application = state.applications.find(({ id }) => id === token.applicationId)!;
        if (token.revokedAt === undefined) session.flash = { notice: `Access for ${application.name} was revoked` };
        world.revoke(token.id);
        return this.redirect(reply, session, `/api_users/${user.id}/manage_tokens`);
      }),
    );
  }

  private cardsOf(user: WorldState['apiUsers'][number]): Parameters<typeof views.tokenCards>[1] {
    const { state } = this.world;
    return state.authorisations
      .filter((token) => token.apiUserId === user.id && token.revokedAt === undefined)
      .map((token) => ({ token, application: state.applications.find(({ id }) => id === token.applicationId)! }))
      .filter(({ application }) => !application.retired)
      .toSorted(
        (a, b) => a.application.name.localeCompare(b.application.name) || a.token.expiresAt - b.token.expiresAt,
      );
  }

  private tokenOf(
    user: WorldState['apiUsers'][number],
    id: string | undefined,
  ): WorldState['authorisations'][number] | undefined {
    return this.world.state.authorisations.find((token) => String(token.id) === id && token.apiUserId === user.id);
  }

  private get(path: string, handler: Handler): void {
    this.server.get(path, (request, reply) =>
      handler({ request: request as Exchange['request'], reply, session: this.sessionOf(request), body: {} }),
    );
  }

  /** Every POST is checked for its token and origin, before any check of who you are. */
  private post(path: string, handler: Handler): void {
    this.server.post(path, (request, reply) => {
      const body = (request.body ?? {}) as Record<string, string>;
      const session = this.sessionOf(request);
      const token = body.authenticity_token ?? String(request.headers['x-csrf-token'] ?? '');
      const { origin } = request.headers;
      if (!csrfValid(session, token, request.url.split('?')[0]!) || (origin !== undefined && origin !== this.origin))
        return reply.code(422).send('');
      return handler({ request: request as Exchange['request'], reply, session, body });
    });
  }

  /** The flash lives for one request more, even where that is no page to show it on. */
  private sessionOf(request: FastifyRequest): Session {
    const { flash, ...session } = unseal(cookieOf(request, COOKIE) ?? '', this.world.state.cookieKey) ?? newSession();
    return { ...session, shown: flash };
  }

  private signedIn(handler: Handler): Handler {
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

  private superadmin(handler: Handler): Handler {
    return this.signedIn((exchange) => {
      if (this.world.state.account.superadmin) return handler(exchange);
      exchange.session.flash = { alert: 'You do not have permission to perform this action.' };
      return this.redirect(exchange.reply, exchange.session, '/');
    });
  }

  private ofUser(handler: (exchange: Exchange, user: WorldState['apiUsers'][number]) => FastifyReply): Handler {
    return this.superadmin((exchange) => {
      const user = this.world.state.apiUsers.find(({ id }) => String(id) === exchange.request.params.id);
      return user ? handler(exchange, user) : exchange.reply.code(404).send('');
    });
  }

  /** Shows a page; the flash is shown once. */
  private show(reply: FastifyReply, session: Session, title: string, content: string, caption?: string): FastifyReply {
    const html = views.page(session, title, content, caption);
    delete session.flash;
    return this.keep(reply, session).type('text/html; charset=utf-8').send(html);
  }

  private redirect(reply: FastifyReply, session: Session, path: string): FastifyReply {
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

function cookieOf(request: FastifyRequest, name: string): string | undefined {
  return new RegExp(`(?:^|; )${name}=([^;]+)`).exec(request.headers.cookie ?? '')?.[1];
}

function refererPath(request: FastifyRequest): string {
  const { referer } = request.headers;
  return referer && URL.canParse(referer) ? new URL(referer).pathname : '/users/sign_in';
}
