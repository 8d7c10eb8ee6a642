import type { World } from '../world.ts';
import type { WorldState } from '../world-state.ts';
import type { Site } from './site.ts';
import * as views from './views.ts';

/** API users and their tokens: lists, create, revoke. */
export function tokenRoutes(site: Site): void {
  const { world } = site;
  const { state } = world;
  site.get(
    '/api_users',
    site.superadmin(({ reply, session }) => {
      const users = state.apiUsers
        .toSorted((a, b) => a.name.localeCompare(b.name))
        .map((user) => ({
          user,
          apps: cardsOf(world, user).map(({ application }) => application.name),
        }));
      return site.show(reply, session, 'API users', views.apiUsersTable(users));
    }),
  );
  site.get(
    '/api_users/:id/edit',
    site.ofUser((exchange, user) =>
      site.show(
        exchange.reply,
        exchange.session,
        user.name,
        views.apiUserDetails(user),
        'Manage API users',
      ),
    ),
  );
  site.get(
    '/api_users/:id/manage_tokens',
    site.ofUser(({ reply, session }, user) =>
      site.show(
        reply,
        session,
        `Manage tokens for ${user.name}`,
        views.tokenCards(user, cardsOf(world, user)),
        'Manage API users',
      ),
    ),
  );
  site.get(
    '/api_users/:id/authorisations/new',
    site.ofUser(({ reply, session }, user) => {
      const offered = state.applications
        .filter(({ retired }) => !retired)
        .toSorted((a, b) => a.name.localeCompare(b.name));
      return site.show(
        reply,
        session,
        `Create new access token for ${user.name}`,
        views.newTokenForm(session, user, offered),
        'Manage API users',
      );
    }),
  );
  site.post(
    '/api_users/:id/authorisations',
    site.ofUser(({ reply, session, body }, user) => {
      const application = state.applications.find(
        ({ id }) => String(id) === body['authorisation[application_id]'],
      );
      if (!application) return reply.code(500).send('');
      const made = world.issue(user.id, application.id);
      if (application.retired) return reply.code(500).send('');
      session.flash = { token: { application: application.name, value: made.token } };
      return site.redirect(reply, session, `/api_users/${user.id}/manage_tokens`);
    }),
  );
  site.get(
    '/api_users/:id/authorisations/:token/edit',
    site.ofUser(({ reply, session, request }, user) => {
      const token = tokenOf(world, user, request.params.token);
      if (!token) return reply.code(404).send('');
      const application = state.applications.find(({ id }) => id === token.applicationId)!;
      return site.show(
        reply,
        session,
        `Revoke token giving ${user.name} access to ${application.name}`,
        views.revokeForm(session, user, token, application),
      );
    }),
  );
  site.post(
    '/api_users/:id/authorisations/:token/revoke',
    site.ofUser(({ reply, session, request }, user) => {
      const token = tokenOf(world, user, request.params.token);
      if (!token) return reply.code(404).send('');
      const application = state.applications.find(({ id }) => id === token.applicationId)!;
      if (token.revokedAt === undefined)
        session.flash = { notice: `Access for ${application.name} was revoked` };
      world.revoke(token.id);
      return site.redirect(reply, session, `/api_users/${user.id}/manage_tokens`);
    }),
  );
}

function cardsOf(
  world: World,
  user: WorldState['apiUsers'][number],
): Parameters<typeof views.tokenCards>[1] {
  const { state } = world;
  return state.authorisations
    .filter((token) => token.apiUserId === user.id && token.revokedAt === undefined)
    .map((token) => ({
      token,
      application: state.applications.find(({ id }) => id === token.applicationId)!,
    }))
    .filter(({ application }) => !application.retired)
    .toSorted(
      (a, b) =>
        a.application.name.localeCompare(b.application.name) ||
        a.token.expiresAt - b.token.expiresAt,
    );
}

function tokenOf(
  world: World,
  user: WorldState['apiUsers'][number],
  id: string | undefined,
): WorldState['authorisations'][number] | undefined {
  return world.state.authorisations.find(
    (token) => String(token.id) === id && token.apiUserId === user.id,
  );
}
