import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { basename, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isDockerIgnored } from './docker-ignore.ts';

/** The machine's, so that no package is fetched for each stage anew. */
const NPM_CACHE = join(homedir(), '.npm');
const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** What a stage of the Dockerfile leaves behind. */
export interface Stage {
  /** Stands for the root of the image's file system. */
  folder: string;
  workdir: string;
  env: Record<string, string>;
  user?: number;
  command: string[];
}

/**
 * Follows the Dockerfile's steps, each stage in a folder of its own, with this machine's Node in
 * the place of the image's: it proves the steps, not the image. Knows the instructions that our
 * Dockerfile has, and refuses others.
 */
export function followDockerfile(
  into: string,
  onStep: (step: string) => void = () => undefined,
): Map<string, Stage> {
  const stages = new Map<string, Stage>();
  let stage: Stage | undefined;
  const inside = (path: string): string =>
    join(stage!.folder, path.startsWith('/') ? path : join(stage!.workdir, path));
  for (const [instruction, rest] of instructions()) {
    onStep(`${instruction} ${rest}`);
    switch (instruction) {
      case 'ARG':
        break;
      case 'FROM': {
        const [, base, name] = /^(\S+) AS (\S+)$/.exec(rest)!;
        const from = stages.get(base!);
        const folder = join(into, name!);
        if (from) cpSync(from.folder, folder, { recursive: true, verbatimSymlinks: true });
        stage = {
          ...(from ?? { workdir: '/', env: {}, command: [] }),
          env: { ...from?.env },
          folder,
        };
        mkdirSync(folder, { recursive: true });
        stages.set(name!, stage);
        break;
      }
      case 'WORKDIR':
        stage!.workdir = rest;
        mkdirSync(join(stage!.folder, rest), { recursive: true });
        break;
      case 'ENV': {
        const [name, value] = rest.split('=') as [string, string];
        stage!.env[name] = value.startsWith('/') ? join(stage!.folder, value) : value;
        break;
      }
      case 'USER':
        stage!.user = Number(rest.split(':')[0]);
        break;
      case 'CMD':
        stage!.command = JSON.parse(rest) as string[];
        break;
      case 'COPY': {
        const words = rest.split(/\s+/);
        const from = words[0]!.startsWith('--from=')
          ? stages.get(words.shift()!.slice('--from='.length))!
          : undefined;
        const target = inside(words.pop()!);
        for (const word of words)
          copy(from ? join(from.folder, word) : join(ROOT, word), target, {
            many: words.length > 1,
            context: !from,
          });
        break;
      }
      case 'RUN': {
        const ran = spawnSync('sh', ['-c', rest], {
          cwd: join(stage!.folder, stage!.workdir),
          env: {
            PATH: process.env.PATH,
            HOME: stage!.folder,
            npm_config_cache: NPM_CACHE,
            ...stage!.env,
          },
          encoding: 'utf8',
        });
        if (ran.status !== 0)
          throw new Error(`RUN ${rest}: ${ran.status}\n${ran.stdout}${ran.stderr}`);
        break;
      }
      default:
        throw new Error(`${instruction} is not known here`);
    }
  }
  return stages;
}

function instructions(): [string, string][] {
  return readFileSync(join(ROOT, 'Dockerfile'), 'utf8')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => {
      const [, instruction, rest] = /^([A-Z]+) (.+)$/.exec(line)!;
      return [instruction!, rest!];
    });
}

/** Copies a file or a folder; of the project's own, without what `.dockerignore` names. */
function copy(
  from: string,
  target: string,
  { many, context }: { many: boolean; context: boolean },
): void {
  const kept = (path: string): boolean => !isDockerIgnored(relative(ROOT, path));
  cpSync(from, many ? join(target, basename(from)) : target, {
    recursive: true,
    verbatimSymlinks: true,
    ...(context && { filter: kept }),
  });
}
