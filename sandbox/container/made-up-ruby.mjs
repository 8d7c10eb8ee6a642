import { createHash, randomBytes } from 'node:crypto';
import { Agent, request } from 'node:http';

const agent = new Agent({ keepAlive: true, maxSockets: 16 });

/**
 * The sandbox's `ruby` and `bundle exec ruby`: runs the two scripts the worker sends, with a container's environment and real HTTP calls.
 * @param {string[]} given what follows the program's name
 * @param {Record<string, string | undefined>} env
 * @param {(line: string) => void} print
 * @returns {Promise<number>} the exit code
 */
export async function madeUpRuby(given, env, print) {
  const args = given.filter((arg, index) => !(index < 2 && ['exec', 'ruby'].includes(arg)));
  while (args[0] !== '-e' && args.length > 0) args.shift();
  const [, script = '', end, ...names] = args;
  if (end !== '--') return 1; // names must not be taken for options
  if (script.includes('Digest::SHA256.hexdigest')) digests(names, env, print);
  else if (script.includes('GdsApi.const_get')) await smoke(names, env, print);
  else return 1; // a syntax error
  print(/puts "([a-z-]+)"\s*$/.exec(script)?.[1] ?? '');
  return 0;
}

const sha256 = (text) => createHash('sha256').update(text).digest('hex');

function digests(names, env, print) {
  for (const name of names) {
    const value = env[name] ?? '';
    const ends = value.length >= 8 ? value.slice(0, 8) + value.slice(-8) : value;
    print(`${name} ${sha256(value)} ${sha256(ends)}`);
  }
  print(`environment ${env.GOVUK_ENVIRONMENT ?? ''}`);
}

async function smoke([json, application, variable], env, print) {
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
    const headers = { Authorization: `Bearer ${token}`, 'User-Agent': 'smoke call' };
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
