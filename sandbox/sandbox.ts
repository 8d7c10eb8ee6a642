import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ApplicationsStandIn } from './applications/server.ts';
import { Traffic } from './applications/traffic.ts';
import { ArgoStandIn } from './argo/server.ts';
import { Cluster } from './kubernetes/cluster.ts';
import { type Faults, nowAndThen, rateLimited } from './faults.ts';
import { KubernetesStandIn } from './kubernetes/server.ts';
import type { SandboxOptions } from './options.ts';
import { SignonStandIn } from './signon/server.ts';
import { World } from './world.ts';
import type { WorldState } from './world-state.ts';

const RUBY = fileURLToPath(new URL('./container/ruby.mjs', import.meta.url));

/** Where the stand-ins listen; any free port where absent. */
export type Ports = Partial<Record<'signon' | 'argo' | 'kubernetes' | 'applications', number>>;

/** All stand-ins around one world, on loopback. */
export class Sandbox {
  readonly signon: SignonStandIn;
  readonly argo: ArgoStandIn;
  readonly kubernetes: KubernetesStandIn;
  readonly cluster: Cluster;
  readonly traffic: Traffic;

  private constructor(
    readonly world: World,
    readonly options: SandboxOptions,
    private readonly applications: ApplicationsStandIn,
    /** Programs of the containers, and the kubeconfig. */
    readonly folder: string,
  ) {
    this.cluster = new Cluster(world, options, applications.plekVariables());
    this.signon = new SignonStandIn(world);
    this.argo = new ArgoStandIn(world, this.cluster, options);
    this.kubernetes = new KubernetesStandIn(world, join(folder, 'programs'), options.execs);
    this.traffic = new Traffic(world, applications.origin, options.trafficEveryMs);
    const { signonLimit, unauthorized } = options;
    if (signonLimit) this.signon.faults.byChance = rateLimited(signonLimit);
    if (!unauthorized) return;
    const [argo, kubernetes] = [nowAndThen(unauthorized), nowAndThen(unauthorized)];
    const refusing =
      (refuses: () => boolean): Faults['byChance'] =>
      (_request, when) =>
        when === 'before' && refuses() ? { kind: 'status', status: 401 } : undefined;
    this.argo.faults.byChance = refusing(argo);
    this.kubernetes.faults.byChance = refusing(kubernetes);
    this.kubernetes.exec.byChance = () => (kubernetes() ? 'unauthorized' : undefined);
  }

  urls = { signon: '', argo: '', kubernetes: '' };

  /**
   * Starts everything. `ports` fix the addresses, so that a worker and the pods of a kept world
   * find them again after a restart.
   */
  static async start(world: World, options: SandboxOptions, ports: Ports = {}): Promise<Sandbox> {
    const applications = new ApplicationsStandIn(world, options.lookupCacheMs);
    await applications.listen(ports.applications);
    const sandbox = new Sandbox(
      world,
      options,
      applications,
      mkdtempSync(join(tmpdir(), 'signon-sandbox-')),
    );
    try {
      await sandbox.open(ports);
      return sandbox;
    } catch (error) {
      await sandbox.stop();
      throw error;
    }
  }

  private async open(ports: Ports): Promise<void> {
    this.writePrograms();
    const [signon, argo, kubernetes] = await Promise.all([
      this.signon.listen(ports.signon),
      this.argo.listen(ports.argo),
      this.kubernetes.listen(ports.kubernetes),
    ]);
    this.urls = { signon, argo, kubernetes };
    this.writeKubeconfig();
    this.cluster.start();
    this.traffic.start();
  }

  async stop(): Promise<void> {
    this.cluster.stop();
    this.traffic.stop();
    await Promise.all([
      this.signon.close(),
      this.argo.close(),
      this.kubernetes.close(),
      this.applications.close(),
    ]);
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** The variables a worker of this sandbox runs with. */
  workerEnv(): Record<string, string> {
    const { account, argoToken, environment } = this.world.state;
    return {
      ROTATION_ENVIRONMENT: environment,
      SIGNON_URL: this.urls.signon,
      SIGNON_EMAIL: account.email,
      SIGNON_PASSWORD: account.password,
      SIGNON_TOTP_SECRET: account.totpSecret,
      ARGOCD_URL: this.urls.argo,
      ARGOCD_TOKEN: argoToken,
      KUBECONFIG: join(this.folder, 'kubeconfig'),
      KUBERNETES_NAMESPACE: 'apps',
    };
  }

  private writePrograms(): void {
    const programs = join(this.folder, 'programs');
    mkdirSync(programs);
    for (const program of ['ruby', 'bundle']) {
      writeFileSync(
        join(programs, program),
        `#!/bin/sh\nexec '${process.execPath}' '${RUBY}' "$@"\n`,
      );
      chmodSync(join(programs, program), 0o755);
    }
  }

  private writeKubeconfig(): void {
    const [token = ''] = Object.keys(this.world.state.kubernetesTokens);
    const config = {
      apiVersion: 'v1',
      kind: 'Config',
      'current-context': 'sandbox',
      clusters: [
        {
          name: 'sandbox',
          cluster: { server: this.urls.kubernetes, 'insecure-skip-tls-verify': true },
        },
      ],
      users: [{ name: 'worker', user: { token } }],
      contexts: [
        { name: 'sandbox', context: { cluster: 'sandbox', user: 'worker', namespace: 'apps' } },
      ],
    };
    writeFileSync(join(this.folder, 'kubeconfig'), JSON.stringify(config), { mode: 0o600 });
  }
}

/**
 * Keeps the world in one file, mode 0600: its values are made up, and still nobody else's business.
 */
export function keepWorld(world: World, file: string): void {
  let due = false;
  const write = (): void => {
    due = false;
    writeFileSync(`${file}.new`, JSON.stringify(world.state), { mode: 0o600 });
    renameSync(`${file}.new`, file);
  };
  world.events.on('changed', () => {
    if (due) return;
    due = true;
    setImmediate(write);
  });
  write();
}

/** The world as it was kept; undefined where there is no file. */
export function loadWorld(file: string): World | undefined {
  return existsSync(file)
    ? new World(JSON.parse(readFileSync(file, 'utf8')) as WorldState)
    : undefined;
}
