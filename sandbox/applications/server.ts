import fastify, { type FastifyInstance } from 'fastify';
import { parameterize } from '../../domain/parameterize.ts';
import type { World } from '../world.ts';

/** The server applications: each lets a bearer token in only while Signon counts it live for that application. */
export class ApplicationsStandIn {
  private readonly server: FastifyInstance = fastify({ forceCloseConnections: true });
  origin = '';

  constructor(private readonly world: World) {
    this.server.all<{ Params: { application: string } }>('/:application/*', (request, reply) => {
      const token = request.headers.authorization?.replace(/^Bearer /, '') ?? '';
      return world.letsIn(request.params.application, token)
        ? { ok: true }
        : reply.code(401).send({ message: 'Unauthorized' });
    });
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
