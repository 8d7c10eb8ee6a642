import fastify, { type FastifyInstance } from 'fastify';
import { parameterize } from '../../domain/text/index.ts';
import type { World } from '../world.ts';

/**
 * The server applications: each lets a bearer token in only while Signon counts it live for that
 * application. One that it let in it lets in for some minutes more without asking again, as gds-sso
 * does; a new one it asks for at once.
 */
export class ApplicationsStandIn {
  private readonly server: FastifyInstance = fastify({ forceCloseConnections: true });
  origin = '';

  /** Until when a token is let in without asking, ms since the epoch. */
  private readonly cached = new Map<string, number>();

  constructor(
    private readonly world: World,
    private readonly cacheMs: number,
  ) {
    this.server.all<{ Params: { application: string } }>('/:application/*', (request, reply) => {
      const token = request.headers.authorization?.replace(/^Bearer /, '') ?? '';
      return this.letsIn(request.params.application, token)
        ? { ok: true }
        : reply.code(401).send({ message: 'Unauthorized' });
    });
  }

  private letsIn(application: string, token: string): boolean {
    const key = `${application} ${token}`;
    const now = this.world.now();
    if ((this.cached.get(key) ?? 0) > now) return true;
    const isLetIn = this.world.letsIn(application, token);
    if (isLetIn && this.cacheMs > 0) this.cached.set(key, now + this.cacheMs);
    return isLetIn;
  }

  async listen(port = 0): Promise<string> {
    this.origin = await this.server.listen({ port, host: '127.0.0.1' });
    return this.origin;
  }

  close(): Promise<void> {
    return this.server.close();
  }

  /** Where containers find each application, as Plek reads it. */
  plekVariables(): Record<string, string> {
    return Object.fromEntries(
      this.world.state.applications.map(({ name }) => [
        `PLEK_SERVICE_${parameterize(name).toUpperCase().replaceAll('-', '_')}_URI`,
        `${this.origin}/${parameterize(name)}`,
      ]),
    );
  }
}
