import { createHash, randomBytes } from 'node:crypto';
import { Agent, request } from 'node:http';

const agent = new Agent({ keepAlive: true, maxSockets: 16 });

/**
 * The sandbox's `ruby`, `bundle exec ruby` and `sh`: runs the scripts the worker sends, with a
 * container's environment and real HTTP calls.
 * @param {string[]} given what follows the program's name
 * @param {Record<string, string | undefined>} env
 * @param {(line: string) => void} print
 * @returns {Promise<number>} the exit code
 */
export async function madeUpRuby(given, env, print) {
  const args = given.filter((arg, index) => !(index < 2 && ['exec', 'ruby'].includes(arg)));
  while (!['-e', '-c'].includes(args[0]) && args.length > 0) args.shift();
  const [, script = '', end, ...names] = args;
  if (script.includes('GdsApi.const_get')) {
    if (end !== '--') return 1; // names must not be taken for options
    await smoke(names, env, print);
  } else if (/sha256sum|Digest::SHA256/.test(script) && end === undefined) census(env, print);
  else return 1; // a syntax error
  print(/(?:puts|echo) "([a-z-]+)"\s*$/.exec(script)?.[1] ?? '');
  return 0;
}

const sha256 = (text) => createHash('sha256').update(text).digest('hex');

/**
 * Everything of a token's shape in the container's variables, by digests: pieces of 43 characters,
 * of long runs the first and the last.
 */
function census(env, print) {
  for (const [name, value = ''] of Object.entries(env))
    for (const run of value.match(/[\w-]{43,}/g) ?? [])
      for (let at = 0; at + 43 <= run.length; at++) {
        if (run.length > 64 && at > 0 && at + 43 < run.length) continue;
        const piece = run.slice(at, at + 43);
        print(`token ${sha256(piece)} ${sha256(piece.slice(0, 8) + piece.slice(-8))} ${name}`);
      }
  print(`environment ${env.GOVUK_ENVIRONMENT ?? ''}`);
}

async function smoke([json, application, variable], env, print) {
  if (!/^[\w-]{43}$/.test((env[variable] ?? '').trim())) {
    print('own unavailable MoreThanToken');
    print('made-up unavailable');
    return;
  }
  const { method } = JSON.parse(json);
  const base = env[`PLEK_SERVICE_${application.toUpperCase().replaceAll('-', '_')}_URI`];
  print(`own ${await call(`${base}/${method}`, env[variable])}`);
  print(`made-up ${await call(`${base}/${method}`, randomBytes(32).toString('base64url'))}`);
}

const ERRORS = {
  401: 'HTTPUnauthorized',
  403: 'HTTPForbidden',
  404: 'HTTPNotFound',
  410: 'HTTPGone',
  422: 'HTTPUnprocessableEntity',
};

function call(url, token) {
  return new Promise((resolve) => {
    const authorization = `Bearer ${token}`.trim(); // as Ruby's net/http does; a line break within it refuses
    if (/[\r\n]/.test(authorization)) return resolve('ArgumentError');
    const headers = { Authorization: authorization, 'User-Agent': 'smoke call' };
    const sent = request(url, { agent, headers }, (answer) => {
      answer.resume();
      const { statusCode } = answer;
      resolve(
        statusCode < 400
          ? 'returned'
          : `GdsApi::${ERRORS[statusCode] ?? (statusCode < 500 ? 'HTTPClientError' : 'HTTPServerError')}`,
      );
    });
    sent.on('error', () => resolve('GdsApi::EndpointUnavailable'));
    sent.end();
  });
}
