import { failedWith } from '../failure.ts';
import pLimit, { type LimitFunction } from 'p-limit';
import type { PodContainer } from './pods.ts';
import type { KubernetesClient } from './client.ts';
import type { ExecResult } from './exec.ts';
import { censusWithRuby, censusWithShell } from './scripts.ts';
import type { IdleContainer } from './snapshot.ts';

/** A piece of a variable's value that has a token's shape. */
export interface HeldPiece {
  variable: string;
  sha256: string;
  maskedSha256: string;
}

/** What a container told, or why it cannot tell: both hold for as long as it runs. */
export type Told = { held: HeldPiece[]; environment: string } | { unable: string };

/** What asking came to this time. */
export type ExecAnswer = Told | { failed: string };

/** Containers asked at the same time, in all and on one node: each starts a program. */
const AT_ONCE = 16;
const AT_ONCE_ON_A_NODE = 4;
/** Longer than a shell takes on a busy node. */
const ANSWERS_WITHIN_MS = 30_000;

/** Workloads that start containers again and again under one name. */
const HAS_TEMPLATE = /^(Deployment|StatefulSet|CronJob)\//;

/**
 * After this many silent containers of a node in a row, its others are not asked; and for how long.
 */
const SILENT_AFTER = 2;
const SILENT_FOR_MS = 60_000;

/** What is known of a node while its containers are asked. */
interface OnNode {
  limit: LimitFunction;
  /** Containers that did not answer, one after the other. */
  timedOut: Set<string>;
  /** By `performance.now()`. */
  at: number;
}

/**
 * What each running container of the namespace holds. A container's environment is fixed when it
 * starts, so each is asked once in its life, and every look of every rotation shares the answers.
 * Kept in memory only.
 */
export class CensusTaker {
  /** What each told, and when, in ms since the epoch; by container id. */
  private readonly told = new Map<string, { answer: Told; at: number }>();
  /** Of each workload's container, what the last one told: of use where none runs now. */
  private readonly last = new Map<string, { told: Told; sources: string }>();
  private readonly asking = new Map<string, Promise<ExecAnswer>>();
  private readonly limit = pLimit(AT_ONCE);
  private readonly nodes = new Map<string, OnNode>();

  constructor(private readonly cluster: Pick<KubernetesClient, 'exec'>) {}

  /**
   * The last answer of a workload's container since this worker started; undefined where the
   * variables have other sources by now.
   */
  lastOf({ workload, spec, sources }: IdleContainer): Told | undefined {
    const last = this.last.get(`${workload} ${spec.name}`);
    return last?.sources === JSON.stringify(sources) ? last.told : undefined;
  }

  /**
   * Asks a running container, unless it was; whoever else asks at the time shares the answer.
   * @param isNeeded asks it though its node seems to hang
   * @throws NotPermitted (not retried)
   */
  ask(container: PodContainer, isNeeded = false): Promise<ExecAnswer> {
    const { containerId, node } = container;
    if (containerId === '') return Promise.resolve({ failed: 'its status names no container id' });
    const told = this.told.get(containerId);
    if (told) return Promise.resolve(told.answer);
    const underWay = this.asking.get(containerId);
    if (underWay) return underWay;
    const onNode = this.nodes.get(node) ?? {
      limit: pLimit(AT_ONCE_ON_A_NODE),
      timedOut: new Set<string>(),
      at: 0,
    };
    this.nodes.set(node, onNode);
    const asked = onNode
      .limit(() => this.limit(() => this.askNow(container, onNode, isNeeded)))
      .finally(() => this.asking.delete(containerId));
    this.asking.set(containerId, asked);
    return asked;
  }

  /** Whether a container told what it holds by a moment, in ms since the epoch. */
  hadTold({ containerId }: PodContainer, moment: number): boolean {
    return (this.told.get(containerId)?.at ?? Infinity) <= moment;
  }

  keepOnly(containers: readonly PodContainer[]): void {
    const there = new Set(containers.map(({ containerId }) => containerId));
    for (const id of this.told.keys()) if (!there.has(id)) this.told.delete(id);
    const nodes = new Set(containers.map(({ node }) => node));
    for (const node of this.nodes.keys()) if (!nodes.has(node)) this.nodes.delete(node);
  }

  private async askNow(
    container: PodContainer,
    onNode: OnNode,
    isNeeded: boolean,
  ): Promise<ExecAnswer> {
    if (
      !isNeeded &&
      onNode.timedOut.size >= SILENT_AFTER &&
      performance.now() - onNode.at < SILENT_FOR_MS
    )
      return { failed: 'its node gave no answer a moment ago' };
    const { answer, isFinal } = await this.answerOf(container);
    if (answer === SILENT) onNode.timedOut.add(container.containerId);
    else onNode.timedOut.clear();
    onNode.at = performance.now();
    if ('failed' in answer || !isFinal) return answer;
    this.told.set(container.containerId, { answer, at: Date.now() });
    const { workload, spec, sources } = container;
    if (HAS_TEMPLATE.test(workload))
      this.last.set(`${workload} ${spec.name}`, { told: answer, sources: JSON.stringify(sources) });
    return answer;
  }

  /** @returns `isFinal` false: a program ended for a reason that may pass, e.g. no process was left */
  private async answerOf(
    container: PodContainer,
  ): Promise<{ answer: ExecAnswer; isFinal: boolean }> {
    try {
      const byShell = await this.cluster.exec(container, censusWithShell, ANSWERS_WITHIN_MS);
      if (!isWithoutShell(byShell)) return { answer: read(byShell), isFinal: true };
      const byRuby = await this.cluster.exec(container, censusWithRuby, ANSWERS_WITHIN_MS);
      const hasNoRuby = byRuby.kind === 'no-such-program';
      const hasNoShell = byShell.kind === 'no-such-program' || byShell.code === LACKS_PROGRAMS;
      const answer = read(hasNoRuby && !hasNoShell ? byShell : byRuby);
      return { answer, isFinal: byRuby.kind === 'answered' || (hasNoRuby && hasNoShell) };
    } catch (error) {
      if (failedWith(error, 'ExecIncomplete'))
        return { answer: { failed: error.message }, isFinal: false };
      throw error;
    }
  }
}

/** No shell, one without what the program needs, or one that could not read its own variables. */
function isWithoutShell(
  answer: ExecResult,
): answer is Extract<ExecResult, { kind: 'no-such-program' | 'exited' }> {
  return answer.kind === 'no-such-program' || (answer.kind === 'exited' && answer.code !== 137);
}

/** The exit of a shell that lacks what the census needs. */
const LACKS_PROGRAMS = 120;

const SILENT = { failed: `it gave no answer in ${ANSWERS_WITHIN_MS / 1000} s` };
/** The program was killed: with its container, or for want of memory alone; a list tells which. */
export const KILLED = { failed: 'the program that asks it was killed (137)' };

function read(answer: ExecResult): ExecAnswer {
  if (answer.kind === 'timed-out') return SILENT;
  if (answer.kind === 'gone') return { failed: 'it is listed as running, but gave no answer' };
  if (answer.kind === 'exited' && answer.code === 137) return KILLED;
  if (answer.kind === 'no-such-program')
    return { unable: 'has neither a shell with sha256sum nor Ruby' };
  if (answer.kind === 'exited')
    return { unable: `cannot read its own variables (exit ${answer.code})` };
  const lines = answer.lines;
  const environment = /^environment ([\w-]{0,19})$/.exec(lines.pop() ?? '')?.[1];
  const held = lines.map((line) =>
    /^token ([0-9a-f]{64}) ([0-9a-f]{64}) ([\x21-\x3c\x3e-\x7e]{1,253})$/.exec(line),
  );
  if (environment === undefined || held.includes(null))
    return { unable: 'gave an answer that cannot be read' };
  return {
    environment,
    held: held.map((piece) => ({
      sha256: piece![1]!,
      maskedSha256: piece![2]!,
      variable: piece![3]!,
    })),
  };
}
