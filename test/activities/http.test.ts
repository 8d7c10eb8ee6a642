import { afterAll, beforeAll, expect, test } from '../support/jest.ts';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { inspect } from 'node:util';
import { send } from '../../activities/http.ts';
import { Browser } from '../../activities/signon/browser.ts';

let server: Server;
let origin: string;
beforeAll(async () => {
  server = createServer((request, response) => {
    if (request.url?.startsWith('/cut')) return request.socket.destroy();
    if (request.url?.startsWith('/hang')) return undefined;
    if (request.url?.startsWith('/large')) return response.end('x'.repeat(9 * 1024 * 1024));
    if (request.url?.startsWith('/away'))
      return response.writeHead(302, { location: 'http://elsewhere.invalid/' }).end();
    if (request.url?.startsWith('/leads')) {
      const location = request.url.replace('/leads/to', '');
      return response.writeHead(302, { location }).end();
    }
    if (request.url?.startsWith('/busy')) return response.writeHead(429).end();
    return response.writeHead(500).end('{"not": "parsed"}');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

test('any status is an answer, unparsed; no redirect is followed', async () => {
  expect(await send('X', { url: `${origin}/`, limitMs: 5000 })).toMatchObject({
    status: 500,
    body: '{"not": "parsed"}',
  });
  expect(await send('X', { url: `${origin}/away`, limitMs: 5000 })).toMatchObject({ status: 302 });
});

test.each(['cut', 'hang', 'large'])(
  'an answer that is %s is a failure rebuilt from method and path',
  async (how) => {
    const failed: unknown = await send('Signon', {
      method: 'POST',
      url: `${origin}/${how}?code=query-secret`,
      data: 'password=body-secret',
      headers: { Authorization: 'Bearer header-secret', Cookie: 'session=cookie-secret' },
      limitMs: 300,
    }).catch((error: unknown) => error);
    expect(failed).toMatchObject({ type: 'Unreachable', nonRetryable: false });
    expect((failed as Error).message).toMatch(
      new RegExp(`^Signon did not answer POST /${how} (in 0\\.3 s|\\(\\w+\\))$`),
    );
    expect(inspect(failed, { depth: 20 })).not.toContain('-secret');
  },
);

test.each(['cut', 'hang', 'busy', 'down'])(
  'what a redirect leads to (%s) is text from outside, and never quoted whole',
  async (how) => {
    const secret = 'abcdefghijklmnopqrstuvwxyz0123456789';
    const failed: unknown = await new Browser(origin, 300)
      .open(`/leads/to/${how}?reset_password_token=${secret}`)
      .catch((error: unknown) => error);
    expect((failed as Error).message).toMatch(/^Signon.* GET /);
    expect((failed as Error).message).not.toContain(secret);
  },
);
