import { plain } from '../../domain/text/index.ts';

/** A table, drawn once the width of the terminal is known. */
export interface Table {
  head: string[];
  rows: string[][];
  /** Spaces before each line. */
  indent?: number;
}

/** What is printed: lines, and tables among them. */
export type Printed = string | Table;

const GAP = 2;
const NARROWEST = 12;

/**
 * Lines as they are printed: text from outside in them cannot steer the terminal.
 * @param width of the terminal in columns; undefined where the output is not one, and nothing is
 * folded
 */
export function drawn(printed: readonly Printed[], width?: number): string[] {
  return printed.flatMap((one) => (typeof one === 'string' ? [plain(one)] : columns(one, width)));
}

/**
 * Columns as wide as their widest cell; where they are too wide together, the widest are folded.
 */
export function columns({ head, rows, indent = 0 }: Table, width?: number): string[] {
  const lines = [head, ...rows].map((row) => head.map((_, at) => plain(row[at] ?? '')));
  const widest = head.map((_, at) => Math.max(...lines.map((row) => row[at]!.length)));
  const widths =
    width === undefined ? widest : narrowed(widest, width - indent - GAP * (head.length - 1));
  return lines.flatMap((row) => {
    const cells = row.map((cell, at) => folded(cell, widths[at]!));
    const height = Math.max(...cells.map((cell) => cell.length));
    return Array.from({ length: height }, (_, line) =>
      (
        ' '.repeat(indent) +
        cells.map((cell, at) => (cell[line] ?? '').padEnd(widths[at]!)).join(' '.repeat(GAP))
      ).trimEnd(),
    );
  });
}

/** Takes from the widest columns until all fit into the room, or none can give more. */
function narrowed(widths: readonly number[], room: number): number[] {
  const left = [...widths];
  for (let over = left.reduce((sum, one) => sum + one, 0) - room; over > 0; over -= 1) {
    const widest = Math.max(...left);
    if (widest <= NARROWEST) break;
    left[left.indexOf(widest)] = widest - 1;
  }
  return left;
}

/** Text in lines of at most `width`, broken between words where it can be. */
function folded(text: string, width: number): string[] {
  const lines: string[] = [];
  let rest = text;
  while (rest.length > width) {
    const space = rest.lastIndexOf(' ', width);
    const at = space > 0 ? space : width;
    lines.push(rest.slice(0, at));
    rest = rest.slice(at).trimStart();
  }
  return [...lines, rest];
}
