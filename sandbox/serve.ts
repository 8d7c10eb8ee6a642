import { generateSync } from 'otplib';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { WATCHABLE } from './options.ts';
import { keepWorld, loadWorld, Sandbox } from './sandbox.ts';
import { expireIn, seedWorld } from './seed.ts';

const FOLDER = fileURLToPath(new URL('../.demo/', import.meta.url));
const FILE = join(FOLDER, 'sandbox.json');
/** The first of four ports, one after the other. */
const { values } = parseArgs({ options: { port: { type: 'string', default: '3016' } } });
const first = Number(values.port);
const PORTS = { signon: first, argo: first + 1, kubernetes: first + 2, applications: first + 3 };

mkdirSync(FOLDER, { recursive: true, mode: 0o700 });
let world = loadWorld(FILE);
if (!world) {
  world = seedWorld({ estate: true });
  for (const [client, application, days] of [
    ['short-url-manager', 'publishing-api', 10],
    ['collections', 'email-alert-api', 3],
    ['whitehall', 'asset-manager', 13],
  ] as const)
    expireIn(world, `${client}@alphagov.co.uk`, application, days);
}
keepWorld(world, FILE);
const sandbox = await Sandbox.start(world, WATCHABLE, PORTS).catch(
  (error: NodeJS.ErrnoException & { port?: number }) => {
    if (error.code !== 'EADDRINUSE') throw error;
    console.error(
      `Port ${error.port} is taken. Choose four others: npm run sandbox -- --port ${first + 100}`,
    );
    process.exit(1);
  },
);
const { account } = world.state;
// GOV.UK's hosts are the shipped ones; a worker of the sandbox must be told that its hosts are
// here.
const settings = join(FOLDER, 'sandbox-settings.json');
writeFileSync(settings, JSON.stringify({ hosts: { integration: '^127\\.0\\.0\\.1$' } }));

const variables = Object.entries({ ...sandbox.workerEnv(), ROTATION_SETTINGS: settings });
writeFileSync(
  join(FOLDER, 'worker.env'),
  variables.map(([name, value]) => `${name}='${value}'\n`).join(''),
  {
    mode: 0o600,
  },
);

console.log(`The sandbox serves a made-up ${world.state.environment} over the real topology; its world is kept in .demo/sandbox.json.

  Signon      ${sandbox.urls.signon}/api_users
  Argo CD     ${sandbox.urls.argo}
  Kubernetes  ${sandbox.urls.kubernetes}

Log in to Signon as ${account.email}
  password    ${account.password}
  code now    ${generateSync({ secret: account.totpSecret })}

A worker of it runs with (set them again after a restart of the sandbox):
${variables.map(([name, value]) => `  export ${name}='${value}'`).join('\n')}

Ctrl-C ends it.`);

let ending = false;
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
  process.on(signal, () => {
    if (ending) return;
    ending = true;
    void sandbox.stop().then(() => process.exit(0));
  });
