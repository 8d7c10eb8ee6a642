import { newSession, seal, unseal, type Session } from './session-cookie.ts';
import { checkPassword, judgeCode } from './sign-in.ts';
import { cookieOf, PROMPT, type Site } from './site.ts';
import * as views from './views.ts';

const REMEMBER = 'remember_2sv_session';
const REMEMBERED_MS = 30 * 86_400_000;

/** Devise's sign-in and the second step. */
export function signInRoutes(site: Site): void {
  const { world } = site;
  const { account } = world.state;
  site.get('/users/sign_in', ({ reply, session }) =>
    site.show(reply, session, 'Sign in to GOV.UK', views.signInForm(session)),
  );
  site.post('/users/sign_in', ({ reply, session, body, request }) => {
    if (!request.headers['user-agent']) return reply.code(422).send('');
    if (!checkPassword(world, body['user[email]'], body['user[password]'])) {
      session.flash = {
        alert:
          'Invalid email or password. For security reasons, your account is locked for an hour after 6 failed attempts.',
      };
      return site.show(reply, session, 'Sign in to GOV.UK', views.signInForm(session));
    }
    if (account.suspended) {
      session.flash = {
        alert: 'Your account has been suspended. Please contact your administrator.',
      };
      return site.redirect(reply, session, '/users/sign_in');
    }
    world.happened.signIns++;
    const fresh: Session = {
      ...newSession(),
      email: account.email,
      epoch: account.sessionEpoch,
      lastSeen: world.now(),
      signIn: world.happened.signIns,
    };
    const remembered = unseal(cookieOf(request, REMEMBER) ?? '', world.state.cookieKey);
    fresh.secondStepDone =
      remembered?.email === account.email &&
      world.now() - (remembered.lastSeen ?? 0) < REMEMBERED_MS;
    return site.redirect(reply, fresh, session.returnTo ?? '/');
  });
  site.get('/users/two_step_verification_session/new', ({ reply, session }) =>
    site.show(reply, session, '2-step verification', views.secondStepForm(session)),
  );
  site.post('/users/two_step_verification_session', ({ reply, session, body }) => {
    if (session.email === undefined) return site.redirect(reply, session, '/users/sign_in');
    if (body.code === undefined) return reply.code(500).send('');
    const verdict = judgeCode(world, body.code, session.signIn);
    if (verdict === 'locked')
      return site.show(reply, newSession(), 'Account locked', views.accountLocked());
    if (verdict === 'wrong') {
      session.flash = { alert: 'Sorry, that code didn’t work.' };
      return site.show(reply, session, '2-step verification', views.secondStepForm(session));
    }
    session.secondStepDone = true;
    const target = session.returnTo ?? '/';
    delete session.returnTo;
    const remembered = seal(
      { csrf: '', email: session.email, lastSeen: world.now() },
      world.state.cookieKey,
    );
    void reply.header(
      'Set-Cookie',
      `${REMEMBER}=${remembered}; path=/; HttpOnly; SameSite=Lax; Max-Age=${REMEMBERED_MS / 1000}`,
    );
    return site.redirect(reply, session, target);
  });
  site.get(
    PROMPT,
    site.signedIn(({ reply, session }) =>
      site.show(reply, session, 'Set up 2-step verification', ''),
    ),
  );
  site.get(
    '/',
    site.signedIn(({ reply, session }) =>
      site.show(
        reply,
        session,
        'Your applications',
        '<p class="govuk-body"><a class="govuk-link" href="/api_users">API users</a></p>',
      ),
    ),
  );
}
