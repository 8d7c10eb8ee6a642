// The sandbox's `ruby` and `bundle exec ruby`: runs the two scripts the worker sends, with the container's environment and real HTTP calls.
import { createHash, randomBytes } from 'node:crypto';
import { request } from 'node:http';

const args = process.argv.slice(2).filter((arg, index) => !(index < 2 && ['exec', 'ruby'].includes(arg)));
while (args[0] !== '-e' && args.length > 0) args.shift();
const [, script = '', end, ...given] = args;
if (end !== '--') throw new Error('names must not be taken for options');

const sha256 = (text) => createHash('sha256').update(text).digest('hex');

function digests() {
  for (const name of given) {
    const value = process.env[name] ?? '';
    console.log(name, sha256(value), sha256(value.length >= 8 ? value.slice(0, 8) + value.slice(-8) : value));
  }
  console.log(`environment ${process.env.GOVUK_ENVIRONMENT ?? ''}`);
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
    const sent = request(
      url,
      { headers: { Authorization: `Bearer ${token}`, 'User-Agent': 'smoke call' } },
      (answer) => {
        answer.resume();
        const { statusCode } = answer;
        resolve(
          statusCode < 400
            ? 'returned'
            : `GdsApi::${ERRORS[statusCode] ?? (statusCode < 500 ? 'HTTPClientError' : 'HTTPServerError')}`,
        );
      },
    );
    sent.on('error', () => resolve('GdsApi::EndpointUnavailable'));
    sent.end();
  });
}

async function smoke() {
  const [json, application, variable] = given;
  const { method } = JSON.parse(json);
  const base = process.env[`PLEK_SERVICE_${application.toUpperCase().replaceAll('-', '_')}_URI`];
  console.log('own', await call(`${base}/${method}`, process.env[variable]));
  console.log('made-up', await call(`${base}/${method}`, randomBytes(32).toString('base64url')));
}

if (script.includes('Digest::SHA256.hexdigest')) digests();
else if (script.includes('GdsApi.const_get')) await smoke();
else {
  console.error('-e:1: syntax error');
  process.exit(1);
}
console.log(/puts "([a-z-]+)"\s*$/.exec(script)?.[1] ?? '');
