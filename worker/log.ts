import { DefaultLogger, type LogEntry, type LogLevel } from '@temporalio/worker';

/** Values nested deeper than this, and texts longer, are cut. */
const DEEPEST = 4;
const LONGEST_TEXT = 10_000;
/** The SDK warns of what is meant to be: the worker for waits has activities alone. */
const OF_THE_WAITS = 'No workflows registered, not polling for workflow tasks';

/**
 * A logger of one JSON object a line: `time` (ISO), `level`, `message`, and what the SDK knows of
 * where it was said, such as `workflowId`, `runId`, `activityType`.
 * @param write where lines go
 */
export function jsonLogger(level: LogLevel, write: (line: string) => void): DefaultLogger {
  return new DefaultLogger(level, (entry) => {
    if (entry.message !== OF_THE_WAITS) write(`${lineOf(entry)}\n`);
  });
}

function lineOf({ level, message, timestampNanos, meta }: LogEntry): string {
  const time = new Date(Number(timestampNanos / 1_000_000n)).toISOString();
  const about = shown(meta ?? {}, 0) as Record<string, unknown>;
  return JSON.stringify({ time, level, message: cut(message), ...about });
}

/**
 * Plain data alone: an error's own `toJSON` may tell requests and headers, so of errors only kind,
 * message and stack are told.
 */
function shown(value: unknown, depth: number): unknown {
  if (typeof value === 'string') return cut(value);
  if (typeof value === 'bigint') return String(value);
  if (typeof value === 'function' || typeof value === 'symbol') return undefined;
  if (typeof value !== 'object' || value === null) return value;
  if (depth >= DEEPEST) return '…';
  if (value instanceof Error) {
    const { name, message, stack, cause } = value;
    const type: unknown = 'type' in value ? value.type : undefined;
    return {
      name,
      ...(typeof type === 'string' && { type }),
      message: cut(message),
      stack: stack === undefined ? undefined : cut(stack),
      ...(cause !== undefined && { cause: shown(cause, depth + 1) }),
    };
  }
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : value.toISOString();
  if (Array.isArray(value)) return value.map((item) => shown(item, depth + 1) ?? null);
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key, shown(item, depth + 1)]),
  );
}

function cut(text: string): string {
  return text.length > LONGEST_TEXT ? `${text.slice(0, LONGEST_TEXT)}…` : text;
}
